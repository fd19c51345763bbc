"""Stores: where criminals, sightings and alerts are kept. `base.Store` says what one must do."""
