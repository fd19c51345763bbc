"""Detections kept on disk, for replay."""
