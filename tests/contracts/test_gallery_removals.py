"""The suite of `susracker.testing.gallery_photos` over the stores of `conftest.py`."""

from __future__ import annotations

from susracker.testing.gallery_photos import *  # noqa: F403
