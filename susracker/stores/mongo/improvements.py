"""Better evidence for alerts, in MongoDB.

An alert is a part of the document of its outcome: changing that is the moment at which its evidence
is stored. The log says so afterwards. A process that dies in between leaves better evidence that
nobody is told of until they read the alert.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from susracker.errors import NotFoundError
from susracker.models import Alert
from susracker.stores.improvements import KEPT, Improvement, Improvements, improved
from susracker.stores.mongo.database import again_while_taken
from susracker.stores.mongo.documents import Document, alert_document, named_in, to_alert
from susracker.stores.mongo.forgetting import forget_removed, known_among, rewrite_outcome
from susracker.stores.mongo.holds import count_hold
from susracker.stores.mongo.judgements import MongoJudgements, with_statuses
from susracker.stores.refusals import no_alert


class MongoImprovements(MongoJudgements, Improvements):
    """See `Improvements`."""

    def improve_alert(self, alert: Alert) -> Alert | None:
        with self._db.turn, self._db.errors_mapped():
            self._db.guard.check()
            found = self._db.outcomes.find_one({"alerts.id": alert.id})
            try:
                if not found or not rewrite_outcome(self._db, found, self._change_to(alert)):
                    return None
            except NotFoundError:
                return None
            if found.get("is_held"):
                count_hold(self._db, found)  # of candidates whom it did not name before, too
            forget_removed(self._db, found)
            self._log_improvement(alert.id)
            return self._alert_in(found, alert.id)

    def improvements_after(self, number: int = 0, limit: int = 100) -> list[Improvement]:
        if limit <= 0:
            return []
        with self._db.errors_mapped():
            found = self._db.improvements.find({"_id": {"$gt": number}}).sort("_id", 1)
            return [Improvement(one["_id"], one["alert_id"]) for one in found.limit(limit)]

    def last_improvement(self) -> int:
        with self._db.errors_mapped():
            newest = self._db.improvements.find_one({}, {"_id": 1}, sort=[("_id", -1)])
            return int(newest["_id"]) if newest else 0

    # -- parts of a write --------------------------------------------------------------------

    def _change_to(self, alert: Alert) -> Callable[[Document], Document]:
        """What changes in an outcome if its alert gets better evidence; it raises `NotFoundError`
        if that is not to be."""

        def change(outcome: Document) -> Document:
            stored = self._alert_in(outcome, alert.id)
            known = known_among(self._db, {one.criminal_id for one in alert.candidates})
            kept = tuple(one for one in alert.candidates if one.criminal_id in known)
            better = improved(stored, replace(alert, candidates=kept))
            if better is None:
                raise no_alert(alert.id)
            new = alert_document(better, self._db.sealer)
            alerts = [one | new if one["id"] == alert.id else one for one in outcome["alerts"]]
            return {"alerts": alerts, "named": named_in(alerts)}

        return change

    def _alert_in(self, outcome: Document, alert_id: str) -> Alert:
        statuses = self._unsettled_statuses()
        for one in outcome["alerts"]:
            if one["id"] == alert_id:
                return with_statuses([to_alert(one, self._db.sealer)], statuses)[0]
        raise no_alert(alert_id)

    def _log_improvement(self, alert_id: str) -> None:
        def insert_next() -> int:
            number = self.last_improvement() + 1
            self._db.improvements.insert_one({"_id": number, "alert_id": alert_id})
            return number

        # The newest stays, so no number is used again.
        oldest = again_while_taken(insert_next) - KEPT
        self._db.improvements.delete_many({"_id": {"$lte": oldest}})
