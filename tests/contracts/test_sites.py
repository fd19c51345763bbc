"""The suite of `susracker.testing.site` over the stores of `conftest.py`."""

from __future__ import annotations

from susracker.testing.site import *  # noqa: F403
