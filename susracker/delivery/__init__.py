"""Alerts to other systems: a cursor on the log for each channel, and one file for each kind."""
