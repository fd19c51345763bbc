"""Forgetting in time, in memory, for a replay's journal."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from susracker.models import Alert, Sighting
from susracker.oversight import Hold, Judgement, RecordKind
from susracker.stores.refusals import no_alert, not_held
from susracker.stores.retention import Retention

Record = TypeVar("Record", Alert, Sighting, Judgement)


class ReplayRetention(Retention):
    """Forgets what one replay saw."""

    _alerts: list[Alert]
    _sightings: list[Sighting]
    _judgements: list[Judgement]
    _lock: threading.Lock

    def __init__(self) -> None:
        super().__init__()
        self._holds: dict[str, Hold] = {}
        self._times = 0

    def forget(self, kind: RecordKind, before: datetime, limit: int) -> int:
        with self._lock:
            self._times += 1
            if kind == "sightings":
                old = self._old_sightings(before)[:limit]
                self._sightings = _without(self._sightings, old)
                return len(old)
            if kind == "judgements":
                said = self._old_judgements(before)[:limit]
                self._judgements = _without(self._judgements, said)
                return len(said)
            alerts = self._old_alerts(kind, before)[:limit]
            if kind == "faces":
                self._rewrite(alerts, lambda one: replace(one, face=None))
                return len(alerts)
            gone = {one.id for one in alerts}
            self._alerts = _without(self._alerts, alerts)
            self._judgements = [one for one in self._judgements if one.alert_id not in gone]
            return len(alerts)

    def count_older(self, kind: RecordKind, before: datetime) -> int:
        if kind == "sightings":
            return len(self._old_sightings(before))
        if kind == "judgements":
            return len(self._old_judgements(before))
        return len(self._old_alerts(kind, before))

    def forgotten(self) -> int:
        return self._times

    def scrub(self) -> None:
        pass  # in memory there is no log

    def hold_alert(self, hold: Hold) -> None:
        with self._lock:
            if all(one.id != hold.alert_id for one in self._alerts):
                raise no_alert(hold.alert_id)
            self._holds[hold.alert_id] = hold

    def release_alert(self, alert_id: str) -> None:
        with self._lock:
            if self._holds.pop(alert_id, None) is None:
                raise not_held(alert_id)

    def holds(self) -> list[Hold]:
        return sorted(self._holds.values(), key=lambda one: (one.made_at, one.alert_id))

    def alerts_naming(self, criminal_id: str) -> list[str]:
        return [
            one.id
            for one in self._alerts
            if criminal_id in {one.criminal_id, *(c.criminal_id for c in one.candidates)}
        ]

    def strike_judgements(self, alert_ids: Collection[str], name: str) -> int:
        with self._lock:
            struck = [
                replace(one, note="", reason="" if _contains(one.reason, name) else one.reason)
                if one.alert_id in alert_ids
                else one
                for one in self._judgements
            ]
            changed = sum(one != other for one, other in zip(struck, self._judgements, strict=True))
            self._judgements = struck
            return changed

    def _old_alerts(self, kind: RecordKind, before: datetime) -> list[Alert]:
        return [
            one
            for one in self._alerts
            if one.received_at < before
            and one.id not in self._holds
            and (kind == "alerts" or one.face is not None)
        ]

    def _old_sightings(self, before: datetime) -> list[Sighting]:
        return [one for one in self._sightings if one.received_at < before]

    def _old_judgements(self, before: datetime) -> list[Judgement]:
        return [
            one
            for one in self._judgements
            if one.made_at < before and one.alert_id not in self._holds
        ]

    def _rewrite(self, alerts: list[Alert], change: Callable[[Alert], Alert]) -> None:
        ids = {one.id for one in alerts}
        self._alerts = [change(one) if one.id in ids else one for one in self._alerts]


def _without(records: list[Record], gone: list[Record]) -> list[Record]:
    ids = {one.id for one in gone}
    return [one for one in records if one.id not in ids]


def _contains(text: str, name: str) -> bool:
    return name.casefold() in text.casefold()
