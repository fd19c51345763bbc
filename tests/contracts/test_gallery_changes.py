"""The suite of `susracker.testing.gallery_edits` over the stores of `conftest.py`."""

from __future__ import annotations

from susracker.testing.gallery_edits import *  # noqa: F403
