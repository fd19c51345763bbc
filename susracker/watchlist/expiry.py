"""When criminals stop being wanted."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime
from operator import itemgetter

from susracker.models import Criminal


class Expiries:
    """Remembers when criminals expire. Not thread-safe."""

    def __init__(self) -> None:
        self._times: list[tuple[datetime, str]] = []  # in order

    def note(self, criminals: Iterable[Criminal]) -> None:
        """Remember when each expires; a time noted for them earlier is kept, too."""
        self._times += [
            (criminal.expires_at, criminal.id)
            for criminal in criminals
            if criminal.expires_at is not None
        ]
        self._times.sort()

    def due(self, now: datetime) -> frozenset[str]:
        """Ids whose noted time has come; the store may have another time for them by now."""
        return frozenset(one for _, one in self._times[: self._passed(now)])

    def forget_due(self, now: datetime) -> None:
        """Forget what `due` returns for the same moment."""
        del self._times[: self._passed(now)]

    def _passed(self, now: datetime) -> int:
        return bisect_right(self._times, now, key=itemgetter(0))
