"""Detections kept on disk, to be run again."""
