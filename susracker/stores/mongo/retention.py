"""Forgetting in time, in MongoDB.

The hold of an alert is a part of the document of its outcome, as the alert is: whoever forgets
alerts does so only if no other hold was added since they read the document.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from susracker.errors import NotFoundError
from susracker.oversight import Hold, RecordKind
from susracker.runtime.clock import to_microseconds
from susracker.stores.mongo.database import LAST_ALERT, Database
from susracker.stores.mongo.documents import (
    Document,
    cooldown_keys,
    named_in,
    to_document,
    to_record,
)
from susracker.stores.mongo.forgetting import (
    alerts_naming,
    forget_removed,
    rewrite_outcome,
    strike,
)
from susracker.stores.mongo.holds import count_hold
from susracker.stores.mongo.judgements import drop_judgements
from susracker.stores.refusals import no_alert, not_held
from susracker.stores.retention import Retention

FORGOTTEN = "forgotten"
"""Counts how often something was forgotten."""

FORGETTING = "forgetting"
"""What is being forgotten: ids of alerts or sightings, in batches that each have a name. Whoever
starts does what follows from those that were interrupted."""

LEAVING = "leaving_judgements"
"""Of an outcome: judgements that are about to be removed, or are."""


class MongoRetention(Retention):
    """See `Retention`."""

    _db: Database

    def forget(self, kind: RecordKind, before: datetime, limit: int) -> int:
        with self._db.turn, self._db.errors_mapped():
            if kind == "judgements":
                return self._forget_judgements(before, limit)
            part = _PARTS[kind]
            # Outcomes with a held alert may have nothing to forget, and are met each time.
            held = self._db.outcomes.count_documents({"is_held": True})
            found = list(self._db.outcomes.find(part.query(before)).limit(limit + held))
            old = [one for outcome in found for one in part.old(outcome, before)][:limit]
            batch = self._begin_batch(old)
            forgotten = 0
            for outcome in found:
                if forgotten < limit:
                    forgotten += self._forget_in(outcome, part, before, limit - forgotten)
            self._end_batch(batch)
            return forgotten

    def count_older(self, kind: RecordKind, before: datetime) -> int:
        with self._db.errors_mapped():
            if kind == "judgements":
                return len(self._old_judgements(before))
            part = _PARTS[kind]
            found = self._db.outcomes.find(part.query(before))
            return sum(len(part.old(one, before)) for one in found)

    def forgotten(self) -> int:
        with self._db.errors_mapped():
            return self._db.floor(FORGOTTEN)

    def scrub(self) -> None:
        pass  # the server's journal and oplog are out of reach

    def hold_alert(self, hold: Hold) -> None:
        def add(outcome: Document) -> Document:
            if all(one["id"] != hold.alert_id for one in outcome["alerts"]):
                raise no_alert(hold.alert_id)  # it was forgotten meanwhile
            return _holds([*_other_holds(outcome, hold.alert_id), to_document(hold)])

        with self._db.turn, self._db.errors_mapped():
            outcome = self._change_holds({"alerts.id": hold.alert_id}, hold.alert_id, add)
            drop_judgements(self._db, {"_id": {"$in": outcome.get(LEAVING, [])}})
            count_hold(self._db, outcome)
            forget_removed(self._db, outcome)

    def release_alert(self, alert_id: str) -> None:
        def release(outcome: Document) -> Document:
            if alert_id not in outcome.get("held", ()):
                raise not_held(alert_id)
            return _holds(_other_holds(outcome, alert_id))

        try:
            with self._db.turn, self._db.errors_mapped():
                # By the hold: earlier versions left some of alerts that are gone.
                self._change_holds({"is_held": True, "held": alert_id}, alert_id, release)
        except NotFoundError as error:
            raise not_held(alert_id) from error

    def holds(self) -> list[Hold]:
        found = self._db.read(self._db.outcomes, {"is_held": True}, {"holds": 1})
        holds = [to_record(Hold, one) for outcome in found for one in outcome["holds"]]
        return sorted(holds, key=lambda one: (one.made_at, one.alert_id))

    def alerts_naming(self, criminal_id: str) -> list[str]:
        return alerts_naming(self._db, criminal_id)

    def strike_judgements(self, alert_ids: Collection[str], name: str) -> int:
        with self._db.turn, self._db.errors_mapped():
            return strike(self._db, alert_ids, name)

    # -- parts of a write --------------------------------------------------------------------

    def _begin_batch(self, old: Sequence[str]) -> str | None:
        """Write down what is about to be forgotten; the name of that batch."""
        if not old:
            return None
        batch = uuid.uuid4().hex
        self._db.meta.update_one({"_id": FORGETTING}, {"$set": {batch: old}}, upsert=True)
        return batch

    def _end_batch(self, batch: str | None) -> None:
        """Say that a batch is forgotten."""
        if batch:
            self._db.next_number(FORGOTTEN)
            self._db.meta.update_one({"_id": FORGETTING}, {"$unset": {batch: ""}})

    def _finish_forgetting(self) -> None:
        """Do what follows from batches that were interrupted."""
        batches = self._db.meta.find_one({"_id": FORGETTING}, {"_id": 0}) or {}
        for batch, ids in batches.items():
            left = self._db.outcomes.find({"alerts.id": {"$in": ids}}, {"alerts.id": 1})
            there = {alert["id"] for outcome in left for alert in outcome["alerts"]}
            gone = [one for one in ids if one not in there]
            drop_judgements(self._db, {"alert_id": {"$in": gone}})
            self._end_batch(batch)

    def _change_holds(
        self, where: Document, alert_id: str, change: Callable[[Document], Document]
    ) -> Document:
        """The outcome of an alert, with other holds; `where` finds it."""
        found: Document | None = self._db.outcomes.find_one(where)
        if found is None or not rewrite_outcome(self._db, found, change):
            raise no_alert(alert_id)
        return found

    def _forget_in(self, outcome: Document, part: Part, before: datetime, limit: int) -> int:
        """Forget what is old of one outcome; how many records that was."""
        gone: list[str] = []

        def change(found: Document) -> Document:
            gone[:] = part.old(found, before)[:limit]
            if part.is_whole_alert:
                self._db.raise_floor(LAST_ALERT, found["last_seq"])
            return part.without(found, gone)

        if not rewrite_outcome(self._db, outcome, change):
            return 0
        if part.is_whole_alert:
            drop_judgements(self._db, {"alert_id": {"$in": gone}})
        nothing = {"alerts": [], "sightings": [], "is_event": False}
        self._db.outcomes.delete_one({"_id": outcome["_id"]} | nothing)
        return len(gone)

    def _forget_judgements(self, before: datetime, limit: int) -> int:
        old: dict[str, list[int]] = {}
        for seq, alert_id in self._old_judgements(before)[:limit]:
            old.setdefault(alert_id, []).append(seq)
        gone = [
            seq for alert_id, seqs in old.items() if self._leave(alert_id, seqs) for seq in seqs
        ]
        drop_judgements(self._db, {"_id": {"$in": gone}})
        return len(gone)

    def _old_judgements(self, before: datetime) -> list[tuple[int, str]]:
        """The `seq` of each, and of which alert it is."""
        held = {one.alert_id for one in self.holds()}
        old = {"made_at": {"$lt": to_microseconds(before)}}
        found = self._db.judgements.find(old, {"alert_id": 1})
        return sorted(
            (int(one["_id"]), one["alert_id"]) for one in found if one["alert_id"] not in held
        )

    def _leave(self, alert_id: str, seqs: list[int]) -> bool:
        """Take judgements from an alert that is not held, before they are removed; whether they are
        nobody's now. Whoever holds it from here on removes them first."""
        free = {"alerts.id": alert_id, "held": {"$ne": alert_id}}
        change = {"$addToSet": {LEAVING: {"$each": seqs}}, "$inc": {"judgements": 1}}
        if self._db.outcomes.update_one(free, change).matched_count:
            return True
        return self._db.outcomes.find_one({"alerts.id": alert_id}, {"_id": 1}) is None


# -- what is old of an outcome, and the outcome without it ---------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """Something that is kept in outcomes.

    Attributes:
        place: the list that it is in.
        more: what else is true of an outcome that has it.
        without: what changes in an outcome without those of some ids.
    """

    place: str
    more: Document
    without: Callable[[Document, Collection[str]], Document]
    is_whole_alert: bool = False

    def query(self, before: datetime) -> Document:
        """The query for outcomes that may have something older than a moment."""
        return {f"{self.place}.received_at": {"$lt": to_microseconds(before)}} | self.more

    def old(self, outcome: Document, before: datetime) -> list[str]:
        """Ids of those that are older than a moment, and not held."""
        moment, held = to_microseconds(before), outcome.get("held", ())
        return [
            one["id"]
            for one in outcome[self.place]
            if one["received_at"] < moment
            and one["id"] not in held
            and (not self.more or one["face"] is not None)
        ]


def _without_sightings(outcome: Document, ids: Collection[str]) -> Document:
    left = [one for one in outcome["sightings"] if one["id"] not in ids]
    return {"sightings": left, "sighted": sorted({one["criminal_id"] for one in left})}


def _without_faces(outcome: Document, ids: Collection[str]) -> Document:
    return {
        "alerts": [one | {"face": None} if one["id"] in ids else one for one in outcome["alerts"]]
    }


def _without_alerts(outcome: Document, ids: Collection[str]) -> Document:
    left = [one for one in outcome["alerts"] if one["id"] not in ids]
    return {
        "alerts": left,
        "cooldown_keys": cooldown_keys(left),
        "named": named_in(left),
        "newest_alert_at": max((one["occurred_at"] for one in left), default=None),
    }


_PARTS: dict[RecordKind, Part] = {
    "alerts": Part("alerts", {}, _without_alerts, is_whole_alert=True),
    "faces": Part("alerts", {"alerts.face": {"$type": "binData"}}, _without_faces),
    "sightings": Part("sightings", {}, _without_sightings),
}


def _holds(holds: list[Document]) -> Document:
    """What an outcome holds of the holds of its alerts."""
    held = [one["alert_id"] for one in holds]
    return {"holds": holds, "held": held, "is_held": bool(held)}


def _other_holds(outcome: Document, alert_id: str) -> list[Document]:
    return [one for one in outcome.get("holds", ()) if one["alert_id"] != alert_id]
