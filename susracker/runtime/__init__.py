"""How the program runs: threads, locks and periodic work. It knows nothing of faces."""
