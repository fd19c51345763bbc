"""The path of a detection: faces, candidates, cooldown, sighting, alert."""
