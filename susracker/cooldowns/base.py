"""What a cooldown must do, whatever remembers it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime

from typing_extensions import Self


class Cooldown(ABC):
    """Lets a key pass at most once in a span of time.

    Time is what the caller says it is: `at` is when the event occurred, so a recording, or events
    that a camera had to hold back, are treated as they would have been live. Every method may be
    called from any thread, and is atomic: of callers that race for a key, one wins.

    Attributes:
        problem: why repeated alerts are not held back just now, or None.
    """

    problem: str | None = None

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    @classmethod
    @abstractmethod
    def from_url(cls, url: str, seconds: float) -> Self:
        """Open the cooldown at `url`.

        Raises:
            ConfigError: the URL is malformed.
        """

    @abstractmethod
    def try_acquire(self, key: str, at: datetime) -> bool:
        """Whether `key` may pass at `at`; if so, it is taken.

        It may, unless the last time it was taken is less than `seconds` away from `at`, before or
        after: a camera whose clock was set back is not silenced until its clock catches up.
        """

    @abstractmethod
    def release(self, key: str, at: datetime) -> None:
        """Give back what was taken at exactly `at`: what it was taken for did not happen."""

    @abstractmethod
    def close(self) -> None:
        """Let go of connections."""
