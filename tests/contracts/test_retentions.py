"""The suite of `susracker.testing.retention` over the stores of `conftest.py`."""

from __future__ import annotations

from susracker.testing.retention import *  # noqa: F403
