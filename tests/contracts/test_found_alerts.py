"""The suite of `susracker.testing.alerts_found` over the stores of `conftest.py`."""

from __future__ import annotations

from susracker.testing.alerts_found import *  # noqa: F403
