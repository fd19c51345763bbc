"""Detections run again, through the same tracker, on the clock of that night."""
