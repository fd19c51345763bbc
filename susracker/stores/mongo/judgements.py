"""What people say about alerts, in MongoDB.

An alert is a part of the document of its outcome, and a judgement is a document of its own, which
holds the status that follows from it. Inserting it is the moment at which both are stored: the
status is copied to the alert afterwards, and until then readers take it from the judgement.

Numbers of judgements are given out by inserting the next one.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import replace

from pymongo import errors

from susracker.errors import StoreUnavailableError
from susracker.models import Alert
from susracker.oversight import CONFIRMED, Judgement
from susracker.runtime.clock import to_microseconds
from susracker.stores.judgements import Judgements
from susracker.stores.mongo.database import LAST_JUDGEMENT, Database, again_while_taken
from susracker.stores.mongo.documents import (
    OWN,
    Document,
    key_is,
    to_alert,
    to_document,
    to_record,
)
from susracker.stores.refusals import judged_meanwhile, judgement_is_stored, no_alert

log = logging.getLogger(__name__)


class MongoJudgements(Judgements):
    """See `Judgements`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add_judgement(self, judgement: Judgement, status: str, seen: int) -> Judgement:
        with self._db.turn, self._db.errors_mapped():
            if not self._db.outcomes.find_one({"alerts.id": judgement.alert_id}, {"_id": 1}):
                raise no_alert(judgement.alert_id)
            stored = self._insert_judgement(judgement, status, seen)
        if stored.seq in self._settle_judgements():
            raise no_alert(judgement.alert_id)
        return stored

    def put_judgement(self, judgement: Judgement) -> None:
        document = _judgement_document(judgement) | {"seen": -judgement.seq, "settled": True}
        with self._db.turn, self._db.errors_mapped():
            try:
                self._db.judgements.insert_one(document)
            except errors.DuplicateKeyError as error:
                raise judgement_is_stored(judgement) from error

    def judgements(self, alert_ids: Collection[str]) -> list[Judgement]:
        found = self._db.read(self._db.judgements, {"alert_id": {"$in": list(alert_ids)}})
        return sorted((to_record(Judgement, one) for one in found), key=lambda one: one.seq)

    def judgements_after(self, seq: int = 0, limit: int = 100) -> list[Judgement]:
        if limit <= 0:
            return []
        with self._db.errors_mapped():
            found = self._db.judgements.find({"_id": {"$gt": seq}}).sort("_id", 1).limit(limit)
            return [to_record(Judgement, one) for one in found]

    def last_judgement_seq(self) -> int:
        with self._db.errors_mapped():
            newest = self._db.judgements.find_one({}, {"_id": 1}, sort=[("_id", -1)])
            return max(int(newest["_id"]) if newest else 0, self._db.floor(LAST_JUDGEMENT))

    def _unsettled_statuses(self) -> dict[str, str]:
        """Statuses by alert that are not copied to the alerts yet. Read before the alerts, so that
        each has the status of this moment or of a later one."""
        found = self._db.read(self._db.judgements, {"settled": False})
        return {one["alert_id"]: one["status"] for one in sorted(found, key=lambda one: one["_id"])}

    # -- parts of a write --------------------------------------------------------------------

    def _insert_judgement(self, judgement: Judgement, status: str, seen: int) -> Judgement:
        def insert_next() -> Judgement:
            # A unique index on the alert and `seen` lets only one of those who race through.
            if self._newest_of(judgement.alert_id) != seen:
                raise judged_meanwhile(judgement.alert_id)
            stored = replace(judgement, seq=self.last_judgement_seq() + 1)
            values = {"status": status, "seen": seen, "settled": False}
            self._db.judgements.insert_one(_judgement_document(stored) | values)
            return stored

        return again_while_taken(insert_next)

    def _newest_of(self, alert_id: str) -> int:
        found = self._db.read(self._db.judgements, {"alert_id": alert_id}, {"_id": 1})
        return max((int(one["_id"]) for one in found), default=0)

    def _settle_judgements(self) -> set[int]:
        """Do what follows from judgements that are stored, also from those of a process that died.

        They are stored, whatever happens here: what cannot be done now is done with the next.

        Returns:
            `seq` of those that were removed, as their alert was forgotten meanwhile.
        """
        gone: set[int] = set()
        try:
            found = self._db.read(self._db.judgements, {"settled": False})
            with self._db.errors_mapped():
                for one in sorted(found, key=lambda one: one["_id"]):
                    if not self._settle_judgement(one):
                        drop_judgements(self._db, {"_id": one["_id"]})
                        gone.add(one["_id"])
        except StoreUnavailableError as error:
            log.warning(
                "cannot finish the work after a stored judgement; trying again with the next: %s",
                error,
            )
        return gone

    def _settle_judgement(self, judgement: Document) -> bool:
        """Whether its alert is still there."""
        alert = self._copy_status(judgement)
        if alert is None:
            return False
        if alert.kind == "face" and judgement["status"] == CONFIRMED:
            move_last_seen(self._db, alert)
        self._db.judgements.update_one({"_id": judgement["_id"]}, {"$set": {"settled": True}})
        return True

    def _copy_status(self, judgement: Document) -> Alert | None:
        """Give an alert the status that follows from a judgement, unless it has that of a later
        one. Returns the alert; None if there is no such alert any more."""
        alert_id, seq = judgement["alert_id"], judgement["_id"]
        while found := self._db.outcomes.find_one({"alerts.id": alert_id}, {"alerts.face": 0}):
            place = [one["id"] for one in found["alerts"]].index(alert_id)
            path = f"alerts.{place}"
            alert = found["alerts"][place]
            as_it_was = {"_id": found["_id"], f"{path}.id": alert_id}
            as_it_was |= {f"{path}.judged": alert.get("judged")}
            changed = {f"{path}.status": judgement["status"], f"{path}.judged": seq}
            if alert.get("judged", 0) >= seq or self._update_outcome(as_it_was, changed):
                return to_alert({**alert, "face": None}, self._db.sealer)
        return None

    def _update_outcome(self, as_it_was: Document, changed: Document) -> bool:
        # Whoever takes people out of an outcome reads it again if `judgements` has grown.
        update = {"$set": changed, "$inc": {"judgements": 1}}
        return bool(self._db.outcomes.update_one(as_it_was, update).matched_count)


def move_last_seen(db: Database, alert: Alert) -> None:
    """Move what a panel shows, and `last_seen_*`, forward to an alert; neither moves back."""
    ours = {
        f"{OWN}.last_seen_at": to_microseconds(alert.occurred_at),
        f"{OWN}.last_seen_camera": alert.camera_id,
        f"{OWN}.last_seen_location": alert.camera_location,
    }
    panel = {
        "last_seen_date": alert.occurred_at,
        "last_seen_location": alert.camera_location,
    }
    for name, changed in ((f"{OWN}.last_seen_at", ours), ("last_seen_date", panel)):
        earlier = {"$or": [{name: None}, {name: {"$lt": changed[name]}}]}
        db.criminals.update_one(key_is(alert.criminal_id or "") | earlier, {"$set": changed})


def drop_judgements(db: Database, which: Document) -> None:
    """Remove judgements, whose `seq` are never used again."""
    seqs = [int(one["_id"]) for one in db.judgements.find(which, {"_id": 1})]
    if seqs:
        db.raise_floor(LAST_JUDGEMENT, max(seqs))
        db.judgements.delete_many({"_id": {"$in": seqs}})


def with_statuses(alerts: Sequence[Alert], statuses: dict[str, str]) -> list[Alert]:
    """Alerts with the statuses that were not copied to them yet."""
    return [replace(one, status=statuses.get(one.id, one.status)) for one in alerts]


def _judgement_document(judgement: Judgement) -> Document:
    return {"_id": judgement.seq} | to_document(judgement)
