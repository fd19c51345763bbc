"""Cooldowns: how often one thing may alert. `base.Cooldown` says what one must do."""
