"""From photos to criminals and templates."""
