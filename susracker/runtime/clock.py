"""The time of day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

Clock = Callable[[], datetime]
"""Tells the present moment, or, in tests and replays, another one."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(timezone.utc)


def to_microseconds(moment: datetime) -> int:
    """A moment as a whole number, of microseconds since 1970; a float could not hold it exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def from_microseconds(count: int) -> datetime:
    """What `to_microseconds` was given, in UTC."""
    return _EPOCH + count * _MICROSECOND
