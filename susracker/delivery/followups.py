"""What becomes of alerts that a channel was told of: reviews, and better evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from susracker.delivery.base import Message
from susracker.delivery.rules import AnyOptions, ChannelOptions, MqttOptions, Rule
from susracker.delivery.selection import Alerts, Entry, Selection, paged
from susracker.errors import NotFoundError
from susracker.models import Alert
from susracker.stores.base import Store
from susracker.stores.outbox import IMPROVEMENTS, REVIEWS

HELD_SECONDS = 1.0
"""How soon to look again whether a channel has been told of an alert."""


def selections(
    store: Store, name: str, options: AnyOptions, rules: Sequence[Rule]
) -> dict[str, Selection]:
    """Everything that a channel follows, by the name of the state that says how far it has come."""
    found: dict[str, Selection] = {name: Alerts(store, options, rules)}
    is_broker = isinstance(options, MqttOptions)
    if is_broker or any(rule.reviews for rule in rules):
        found[name + REVIEWS] = Reviews(store, options, rules, name, only_if_asked=not is_broker)
    if is_broker:
        found[name + IMPROVEMENTS] = Improved(store, options, rules, name)
    return found


class _FollowUps(Selection):
    """A log of what becomes of alerts. None is told before its alert.

    Args:
        name: of the channel.
    """

    def __init__(
        self, store: Store, options: ChannelOptions, rules: Sequence[Rule], name: str
    ) -> None:
        super().__init__(store, options, rules)
        self._name = name
        self._alerts = Alerts(store, options, rules)

    def _wait(self, entry: Entry, now: datetime) -> float:
        channel = self._store.channel(self._name)
        if channel.paused:
            return HELD_SECONDS
        if channel.cursor >= entry.alert.seq:
            return 0
        found = self._alerts.first(channel.cursor, now)
        reached = found.entries[0].number - 1 if found.entries else found.cursor
        return 0 if reached >= entry.alert.seq else HELD_SECONDS

    def _is_left_out(self, entry: Entry, now: datetime) -> bool:
        return self._was_never_told(entry.alert) or super()._is_left_out(entry, now)

    def _was_never_told(self, alert: Alert) -> bool:
        """Whether someone reviewed it before the channel would have been told."""
        if not self.options.unreviewed_for:
            return False
        due = alert.received_at + timedelta(seconds=self.options.unreviewed_for)
        said = self._store.judgements([alert.id])
        return any(one.kind == "review" and one.made_at < due for one in said)

    def _chosen(self, alert_id: str) -> Alert | None:
        """An alert without its face, if it is still there and a rule chooses it."""
        try:
            alert = replace(self._store.alert(alert_id), face=None)
        except NotFoundError:
            return None
        return alert if self._is_chosen(alert) else None


class Reviews(_FollowUps):
    """The log of judgements: the reviews in it.

    Args:
        only_if_asked: whether those are left out that no rule asks for.
    """

    def __init__(
        self,
        store: Store,
        options: ChannelOptions,
        rules: Sequence[Rule],
        name: str,
        only_if_asked: bool,
    ) -> None:
        super().__init__(store, options, rules, name)
        self._only_if_asked = only_if_asked

    def last(self) -> int:
        return self._store.last_judgement_seq()

    def message(self, entry: Entry, now: datetime, with_face: bool) -> Message:
        """A review without its words where no rule asks for them."""
        if entry.review is None:
            raise ValueError("an entry of the log of judgements has a review")
        is_asked = self._is_asked(entry.alert)
        return Message(
            f"{entry.review.id}-review",
            "reviewed" if is_asked else "updated",
            (entry.alert,),
            self.is_stale(entry, now),
            entry.review if is_asked else None,
        )

    def is_stale(self, entry: Entry, now: datetime) -> bool:
        """Whether it was made too long ago to be news."""
        made_at = entry.review.made_at if entry.review else entry.alert.occurred_at
        return now - made_at > timedelta(seconds=self.options.stale_after)

    def _read(self, after: int) -> Iterator[tuple[int, Entry | None]]:
        for review in paged(self._store.judgements_after, after, lambda one: one.seq):
            alert = self._chosen(review.alert_id) if review.kind == "review" else None
            is_wanted = alert and (not self._only_if_asked or self._is_asked(alert))
            yield review.seq, Entry(review.seq, alert, review) if alert and is_wanted else None

    def _is_asked(self, alert: Alert) -> bool:
        return any(one.reviews and one.matches(alert, self._threat_of) for one in self._rules)


class Improved(_FollowUps):
    """The log of better evidence: an alert as it is now."""

    def last(self) -> int:
        return self._store.last_improvement()

    def message(self, entry: Entry, now: datetime, with_face: bool) -> Message:
        stale = self.is_stale(entry, now)
        return Message(f"{entry.alert.id}-better-{entry.number}", "updated", (entry.alert,), stale)

    def is_stale(self, entry: Entry, now: datetime) -> bool:
        """Whether the alert occurred too long ago to be news."""
        return self._alerts.is_stale(entry, now)

    def _read(self, after: int) -> Iterator[tuple[int, Entry | None]]:
        for one in paged(self._store.improvements_after, after, lambda one: one.number):
            alert = self._chosen(one.alert_id)
            yield one.number, Entry(one.number, alert) if alert else None
