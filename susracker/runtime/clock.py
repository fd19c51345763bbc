"""The time of day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

Clock = Callable[[], datetime]
"""Tells the present moment, or, in tests and replays, another one."""


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(timezone.utc)
