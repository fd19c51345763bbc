"""The suite of `susracker.testing.improvements` over the stores of `conftest.py`."""

from __future__ import annotations

from susracker.testing.improvements import *  # noqa: F403
