"""The suite of `susracker.testing.store` over the stores of `conftest.py`."""

from __future__ import annotations

from susracker.testing.store import *  # noqa: F403
