"""How long the ids of events are remembered."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from susracker.stores.base import Journal

EVENT_MEMORY = timedelta(days=7)
"""How long the ids of events are remembered, by which repeats are known: longer than a camera is
expected to be cut off."""

FORGET_EVERY = timedelta(hours=1)
"""How often the ids of older events are forgotten."""


class EventMemory:
    """Has a journal forget the ids of old events now and then."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._due = datetime.min.replace(tzinfo=timezone.utc)

    def forget_old(self, now: datetime) -> None:
        """Forget the ids of old events, if that is due.

        Raises:
            StoreUnavailableError: they are forgotten the next time.
        """
        if now >= self._due:
            self._journal.forget_events(now - EVENT_MEMORY)
            self._due = now + FORGET_EVERY
