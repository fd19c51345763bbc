"""Which alerts a channel is sent next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from susracker.delivery.rules import ChannelOptions, Rule
from susracker.errors import NotFoundError
from susracker.models import Alert, Threat
from susracker.stores.base import Store

FIRST_PAGE, LARGEST_PAGE = 2, 128
"""Alerts that are read at once, without their faces: few at first, for often one is enough."""

MAX_GATHERED = 10_000
"""How many alerts are gathered in one message."""

NEW = "new"
"""Status of an alert that nobody has reviewed."""


@dataclass(frozen=True, slots=True)
class Next:
    """What follows in the log.

    Attributes:
        alerts: those to deliver now, without faces; empty if there are none.
        cursor: up to where everything is unwanted, or is to be delivered now.
        wait: seconds until the next one is due; None if there is none.
    """

    alerts: tuple[Alert, ...]
    cursor: int
    wait: float | None = None


class Selection:
    """Reads the log of alerts as the rules of one channel say.

    An alert of someone who was removed since is left out.
    """

    def __init__(self, store: Store, options: ChannelOptions, rules: Sequence[Rule]) -> None:
        self._store = store
        self._options = options
        self._rules = rules

    def first(self, after: int, now: datetime) -> Next:
        """The first alert that is due."""
        return self._next(after, now, 1)

    def gathered(self, after: int, now: datetime) -> Next:
        """All alerts that are due, at most `MAX_GATHERED`."""
        return self._next(after, now, MAX_GATHERED)

    def between(self, after: int, last: int) -> tuple[Alert, ...]:
        """All alerts that the rules choose after one `seq`, up to another."""
        found = takewhile(lambda one: one[0].seq <= last, self._chosen(after))
        return tuple(alert for alert, wanted in found if wanted)

    def count(self, after: int) -> int:
        """How many alerts the rules choose after a `seq`."""
        return sum(wanted for _, wanted in self._chosen(after))

    def recent(self, number: int) -> tuple[int, list[Alert]]:
        """How many of the newest alerts were looked at, at most `number`, and those that the rules
        choose, newest first."""
        newest = self._store.alerts(limit=number, newest_first=True, with_faces=False)
        return len(newest), [one for one in newest if self._is_chosen(one)]

    def with_face(self, alert: Alert) -> Alert:
        """An alert with its face if a rule asks for it.

        Raises:
            NotFoundError: it was forgotten meanwhile.
        """
        if any(one.faces and one.matches(alert, self._threat_of) for one in self._rules):
            return self._store.alert(alert.id)
        return alert

    def is_stale(self, alert: Alert, now: datetime) -> bool:
        """Whether it occurred too long ago to be news, apart from the time that it has to wait."""
        expected = self._options.stale_after + self._options.unreviewed_for
        return now - alert.occurred_at > timedelta(seconds=expected)

    def _next(self, after: int, now: datetime, most: int) -> Next:
        chosen: list[Alert] = []
        cursor = after
        for alert, wanted in self._chosen(after):
            wait = self._wait(alert, now) if wanted else 0
            if wait > 0:
                return Next(tuple(chosen), cursor, wait)
            if wanted and not self._is_left_out(alert, now):
                chosen.append(alert)
            cursor = alert.seq
            if len(chosen) == most:
                break
        return Next(tuple(chosen), cursor)

    def _wait(self, alert: Alert, now: datetime) -> float:
        """Seconds until an alert is due."""
        due = alert.received_at + timedelta(seconds=self._options.unreviewed_for)
        # Without a wait, clocks of several servers need not agree.
        return (due - now).total_seconds() if self._options.unreviewed_for else 0

    def _is_left_out(self, alert: Alert, now: datetime) -> bool:
        if self._options.unreviewed_for and alert.status != NEW:
            return True
        return self._options.stale == "skip" and self.is_stale(alert, now)

    def _chosen(self, after: int) -> Iterator[tuple[Alert, bool]]:
        """Each alert, and whether a rule chooses it."""
        size = FIRST_PAGE
        while page := self._store.alerts(after=after, limit=size, with_faces=False):
            for alert in page:
                yield alert, self._is_chosen(alert)
            after = page[-1].seq
            size = min(4 * size, LARGEST_PAGE)

    def _is_chosen(self, alert: Alert) -> bool:
        if alert.kind == "face" and alert.name is None:
            return False
        return any(rule.matches(alert, self._threat_of) for rule in self._rules)

    def _threat_of(self, criminal_id: str) -> Threat | None:
        try:
            return self._store.criminal(criminal_id).threat
        except NotFoundError:
            return None
