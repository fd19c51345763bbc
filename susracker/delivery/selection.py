"""Which entries of a log a channel is sent next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import takewhile
from typing import TypeVar

from susracker.delivery.base import Message
from susracker.delivery.rules import ChannelOptions, Rule
from susracker.errors import NotFoundError
from susracker.models import NEW, Alert, Threat
from susracker.oversight import Judgement
from susracker.stores.base import Store

FIRST_PAGE, LARGEST_PAGE = 2, 128
"""Entries that are read at once, without faces: few at first, for often one is enough."""

MAX_GATHERED = 10_000
"""How many alerts are gathered in one message."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a channel is told of.

    Attributes:
        number: place in the log that is followed.
        alert: what it is about, without its face.
        review: what someone said about it, if that is what the channel is told of.
    """

    number: int
    alert: Alert
    review: Judgement | None = None


@dataclass(frozen=True, slots=True)
class Next:
    """What follows in the log.

    Attributes:
        entries: those to deliver now; empty if there are none.
        cursor: up to where everything is unwanted, or is to be delivered now.
        wait: seconds until the next one is due; None if there is none.
    """

    entries: tuple[Entry, ...]
    cursor: int
    wait: float | None = None


class Selection(ABC):
    """Reads a log as the rules of one channel say.

    An alert of someone who was removed since is left out.

    Attributes:
        options: of the channel.
        gathers: whether entries beyond `per_minute` are gathered in one message; if not, they wait.
    """

    gathers: bool = False

    def __init__(self, store: Store, options: ChannelOptions, rules: Sequence[Rule]) -> None:
        self.options = options
        self._store = store
        self._rules = rules

    def first(self, after: int, now: datetime) -> Next:
        """The first entry that is due."""
        return self._next(after, now, 1)

    def gathered(self, after: int, now: datetime) -> Next:
        """All entries that are due, at most `MAX_GATHERED`."""
        return self._next(after, now, MAX_GATHERED)

    def between(self, after: int, last: int) -> tuple[Entry, ...]:
        """All entries that the rules choose after one number, up to another."""
        found = takewhile(lambda one: one[0] <= last, self._read(after))
        return tuple(entry for _, entry in found if entry)

    def count(self, after: int) -> int:
        """How many entries the rules choose after a number."""
        return sum(entry is not None for _, entry in self._read(after))

    @abstractmethod
    def last(self) -> int:
        """The highest number that an entry has had; 0 where there was none."""

    @abstractmethod
    def message(self, entry: Entry, now: datetime, with_face: bool) -> Message:
        """What is sent for an entry.

        Args:
            with_face: whether the receiver can be sent the face, if a rule asks for it.

        Raises:
            NotFoundError: the alert was forgotten meanwhile.
        """

    @abstractmethod
    def is_stale(self, entry: Entry, now: datetime) -> bool:
        """Whether it is too old to be news."""

    @abstractmethod
    def _read(self, after: int) -> Iterator[tuple[int, Entry | None]]:
        """Each number after one, with its entry if a rule chooses it."""

    @abstractmethod
    def _wait(self, entry: Entry, now: datetime) -> float:
        """Seconds until an entry is due."""

    def _is_left_out(self, entry: Entry, now: datetime) -> bool:
        return self.options.stale == "skip" and self.is_stale(entry, now)

    def _next(self, after: int, now: datetime, most: int) -> Next:
        chosen: list[Entry] = []
        cursor = after
        for number, entry in self._read(after):
            wait = self._wait(entry, now) if entry else 0
            if wait > 0:
                return Next(tuple(chosen), cursor, wait)
            if entry and not self._is_left_out(entry, now):
                chosen.append(entry)
            cursor = number
            if len(chosen) == most:
                break
        return Next(tuple(chosen), cursor)

    def _is_chosen(self, alert: Alert) -> bool:
        if alert.kind == "face" and alert.name is None:
            return False
        return any(rule.matches(alert, self._threat_of) for rule in self._rules)

    def _threat_of(self, criminal_id: str) -> Threat | None:
        try:
            return self._store.criminal(criminal_id).threat
        except NotFoundError:
            return None


class Alerts(Selection):
    """The log of alerts."""

    gathers = True

    def last(self) -> int:
        return self._store.last_seq()

    def recent(self, number: int) -> tuple[int, list[Alert]]:
        """How many of the newest alerts were looked at, at most `number`, and those that the rules
        choose, newest first."""
        newest = self._store.alerts(limit=number, newest_first=True, with_faces=False)
        return len(newest), [one for one in newest if self._is_chosen(one)]

    def message(self, entry: Entry, now: datetime, with_face: bool) -> Message:
        alert = self._with_face(entry.alert) if with_face else entry.alert
        stale = self.is_stale(entry, now)
        if self.options.unreviewed_for:
            return Message(f"{alert.id}-unreviewed", "unreviewed", (alert,), stale)
        return Message(alert.id, "alert", (alert,), stale)

    def is_stale(self, entry: Entry, now: datetime) -> bool:
        """Whether it occurred too long ago to be news, apart from the time that it has to wait."""
        expected = self.options.stale_after + self.options.unreviewed_for
        return now - entry.alert.occurred_at > timedelta(seconds=expected)

    def _with_face(self, alert: Alert) -> Alert:
        """An alert with its face if a rule asks for it."""
        if any(one.faces and one.matches(alert, self._threat_of) for one in self._rules):
            return self._store.alert(alert.id)
        return alert

    def _wait(self, entry: Entry, now: datetime) -> float:
        due = entry.alert.received_at + timedelta(seconds=self.options.unreviewed_for)
        # Without a wait, clocks of several servers need not agree.
        return (due - now).total_seconds() if self.options.unreviewed_for else 0

    def _is_left_out(self, entry: Entry, now: datetime) -> bool:
        if self.options.unreviewed_for and entry.alert.status != NEW:
            return True
        return super()._is_left_out(entry, now)

    def _read(self, after: int) -> Iterator[tuple[int, Entry | None]]:
        read = partial(self._store.alerts, with_faces=False)
        for alert in paged(read, after, lambda one: one.seq):
            yield alert.seq, Entry(alert.seq, alert) if self._is_chosen(alert) else None


Found = TypeVar("Found")


def paged(
    read: Callable[[int, int], Sequence[Found]], after: int, number_of: Callable[[Found], int]
) -> Iterator[Found]:
    """A log from a number on, a page at a time."""
    size = FIRST_PAGE
    while page := read(after, size):
        yield from page
        after = number_of(page[-1])
        size = min(4 * size, LARGEST_PAGE)
