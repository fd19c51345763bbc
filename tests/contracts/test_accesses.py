"""The suite of `susracker.testing.access` over the stores of `conftest.py`."""

from __future__ import annotations

from susracker.testing.access import *  # noqa: F403
