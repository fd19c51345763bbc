"""The suite of `susracker.testing.gallery` over the stores of `conftest.py`."""

from __future__ import annotations

from susracker.testing.gallery import *  # noqa: F403
