"""`susracker demo`: the real server, a simulated camera and a listening operator."""
