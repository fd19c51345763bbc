"""The suite of `susracker.testing.outbox` over the stores of `conftest.py`."""

from __future__ import annotations

from susracker.testing.outbox import *  # noqa: F403
