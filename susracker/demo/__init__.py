"""`susracker demo`: the real server, a simulated camera, and an operator who listens."""
