"""The suite of `susracker.testing.journal_cooldown` over the stores of `conftest.py`."""

from __future__ import annotations

from susracker.testing.journal_cooldown import *  # noqa: F403
