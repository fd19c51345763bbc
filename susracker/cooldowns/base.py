"""What a cooldown must do, whatever remembers it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime

from typing_extensions import Self

HISTORY = 4
"""How many holds a key remembers. Giving back more than this many in a row frees the key, and the
store is asked about it."""


class Cooldown(ABC):
    """Lets a key pass at most once in a span of time, as far as it knows.

    It answers quickly, so that most repeats cost the store no look-up. The store decides: see
    `Journal.record`. So a cooldown may forget a key, which costs a look-up, but never hold back one
    that nobody has taken.

    **Holds.** A detection that passes holds the key, and is known by its token. A key remembers
    its last `HISTORY` holds in the order in which they were taken, and the newest one decides who
    may pass. Whoever took a key keeps it, once they have stored what they took it for, or else
    gives it back with `release`. A detection that is handled twice at once takes the key twice
    with one token, and that is one hold: it ends when everyone who took it has given it back. So
    whoever fails gives back what they took, and takes nothing from the other one.

    **Keys and tokens** are any texts. Keys do not hold each other back, and one token may hold
    several.

    **Time** is what the caller says it is, to the microsecond: `at` is when the event occurred, so
    a recording, or events that a camera had to hold back, are treated as they would have been
    live.

    **Atomicity.** Every method may be called from any thread, and is atomic: of callers with
    different tokens that race for a key, one wins. One that is held back stays held back, even if
    the winner gives the key back later.

    **Failure.** A backend that cannot be reached lets every key pass and sets `problem`; it raises
    nothing. Meanwhile the store decides alone. What could not be given back then is held until the
    span is over.

    **Restart.** A backend may forget everything when the process ends. The tracker takes the keys
    of recent alerts again when it starts. A process that dies between taking a key and storing
    leaves a shared key taken: the same detection, sent again, passes, and others wait for the span
    to be over.

    Attributes:
        seconds: the span, which the store is asked to keep, too.
        problem: why it lets every key pass just now, or None.
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
    def try_acquire(self, key: str, at: datetime, token: str) -> bool:
        """Whether the detection known as `token` may pass at `at`; if so, it holds `key`.

        It may, unless the newest hold is less than `seconds` away from `at`, before or after: a
        camera whose clock was set back is not silenced until its clock catches up. Of two
        detections of the same moment the first passes.

        A token that holds the key passes again, at any `at`; the hold keeps its first `at` and its
        place in the order. The caller must give it back once more.
        """

    @abstractmethod
    def release(self, key: str, token: str) -> None:
        """Give back what was taken once with `token`, because what it was taken for did not happen.

        When nothing is left of that hold, the key remembers what it would remember if the hold had
        never been taken. A key that the token does not hold stays as it is.
        """

    @abstractmethod
    def close(self) -> None:
        """Close connections."""
