"""Who may do what: keys and their roles, and the log of who did what."""
