"""The suite of `susracker.testing.judgements` over the stores of `conftest.py`."""

from __future__ import annotations

from susracker.testing.judgements import *  # noqa: F403
