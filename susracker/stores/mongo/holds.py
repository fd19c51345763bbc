"""What is held is not removed, although a hold and a removal change different documents.

A hold is a part of its outcome; a removal begins at the person. So each hold is counted at the
people whom it is about once it is stored, and a removal reads that count, looks for holds, and goes
on only if the count is still the same. Either it finds the hold, or the count has grown, or it came
first: then whoever holds the alert finds the person removed, and takes them out of it.
"""

from __future__ import annotations

from collections.abc import Callable

from susracker.oversight import Hold
from susracker.stores.mongo.database import Database
from susracker.stores.mongo.documents import OWN, Document, key_among, named_in, to_record
from susracker.stores.refusals import named_while_held, shown_while_held

TIMES_HELD = f"{OWN}.times_held"
"""How often an alert that names a person was held."""


def times_held(criminal: Document) -> int | None:
    """The count of a document; None where no alert that names the person was ever held."""
    found: int | None = criminal.get(OWN, {}).get("times_held")
    return found


def count_hold(db: Database, outcome: Document) -> None:
    """Stop removals that have not seen that an alert of an outcome is held."""
    db.criminals.update_many(key_among(outcome["named"]), {"$inc": {TIMES_HELD: 1}})


def refuse_if_held(db: Database, criminal_id: str) -> None:
    """Refuse to remove someone whom a held alert names; read `times_held` before."""
    holds = _holds(db, {"named": criminal_id}, lambda alert: criminal_id in named_in([alert]))
    if holds:
        raise named_while_held(criminal_id, holds)


def refuse_if_shown(db: Database, photo_id: str) -> None:
    """Refuse to remove a photo that a held alert shows; read `times_held` before."""
    shown = {"alerts.photo_id": photo_id}
    for hold in _holds(db, shown, lambda alert: bool(alert["photo_id"] == photo_id)):
        raise shown_while_held(hold)


def _holds(db: Database, where: Document, is_meant: Callable[[Document], bool]) -> list[Hold]:
    """The holds of some alerts, in order."""
    holds = []
    for outcome in db.unconfirmed_outcomes.find({"is_held": True} | where, {"alerts.face": 0}):
        meant = {one["id"] for one in outcome["alerts"] if is_meant(one)}
        holds += [to_record(Hold, one) for one in outcome["holds"] if one["alert_id"] in meant]
    return sorted(holds, key=lambda one: (one.made_at, one.alert_id))
