"""The suite of `susracker.testing.journal` over the stores of `conftest.py`."""

from __future__ import annotations

from susracker.testing.journal import *  # noqa: F403
