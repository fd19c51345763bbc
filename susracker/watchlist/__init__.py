"""Who is wanted right now, and how alike is alike."""
