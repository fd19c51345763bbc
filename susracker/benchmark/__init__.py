"""How good recognition is, measured on a folder of photos."""
