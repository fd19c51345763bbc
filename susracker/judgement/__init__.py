"""What people say about alerts, and what it says about the threshold."""
