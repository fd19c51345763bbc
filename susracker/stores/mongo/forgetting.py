"""Takes a person out of what cameras saw."""

from __future__ import annotations

from collections.abc import Callable, Collection

from susracker.stores.mongo.database import Database
from susracker.stores.mongo.documents import (
    Document,
    cooldown_keys,
    key_among,
    named_in,
    unique_key,
    without,
)


def forget_in_outcomes(db: Database, criminal_id: str) -> None:
    """Take someone out of everything that was seen of them."""
    naming = {"$or": [{"sighted": criminal_id}, {"named": criminal_id}]}
    for outcome in db.read(db.outcomes, naming):
        forget_in_outcome(db, outcome, [criminal_id])


def forget_in_outcome(db: Database, outcome: Document, criminal_ids: Collection[str]) -> None:
    """Take people out of one outcome, here and in the database: their sightings go, their alerts
    stay without them."""
    if not rewrite_outcome(db, outcome, lambda found: _without_people(found, criminal_ids)):
        # It was removed meanwhile, and whoever has it is to have it without them all the same.
        outcome.update(_without_people(outcome, criminal_ids))


def forget_removed(db: Database, outcome: Document) -> None:
    """Take people out of an outcome who were removed while it was being stored.

    A removal marks the person first, and then takes them out of what was seen. So either it found
    this outcome, or the mark is found here.
    """
    if removed := set(outcome["named"]) - known_among(db, outcome["named"]):
        forget_in_outcome(db, outcome, removed)
        for criminal_id in sorted(removed):
            # Whoever read the outcome meanwhile reads it again.
            db.bump_revision(criminal_id)


def known_among(db: Database, criminal_ids: Collection[str]) -> set[str]:
    """Those of some people who are enrolled."""
    if not criminal_ids:
        return set()
    found = db.read(db.criminals, key_among(criminal_ids), {"_id": 1})
    return {str(one["_id"]) for one in found}


def rewrite_outcome(
    db: Database, outcome: Document, change: Callable[[Document], Document]
) -> bool:
    """Change an outcome, here and in the database; whether it is still there.

    Others may change it at the same time, such as by judging or holding its alerts. What they leave
    is read again, rather than overwritten with what it was before.

    Args:
        change: gives what is to be set, of the outcome as it is; it may be called several times.
    """
    while True:
        changed = change(outcome)
        as_it_was = {name: outcome.get(name) for name in ("_id", "sighted", "named", "judgements")}
        update = {"$set": changed, "$inc": {"judgements": 1}}
        if db.outcomes.update_one(as_it_was, update).matched_count:
            outcome.update(changed)
            return True
        found = db.outcomes.find_one({"_id": outcome["_id"]})
        if found is None:
            outcome.update(changed)
            return False
        outcome.update(found)


def _without_people(outcome: Document, criminal_ids: Collection[str]) -> Document:
    """What changes in an outcome without these people."""
    alerts = outcome["alerts"]
    for criminal_id in criminal_ids:
        alerts = [without(alert, criminal_id) for alert in alerts]
    sightings = [one for one in outcome["sightings"] if one["criminal_id"] not in criminal_ids]
    keys = cooldown_keys(alerts)
    return {"sightings": sightings, "alerts": alerts, "cooldown_keys": keys} | {
        name: [one for one in outcome[name] if one not in criminal_ids]
        for name in ("sighted", "named")
    }


def take_back(db: Database, outcome: Document, removed: Collection[str]) -> bool:
    """Make an outcome one in which nothing happened; whether that was done. It stays, for its `seq`
    is used up.

    Of an outcome whose alerts people hold or have judged, only those who were removed are taken
    out.
    """

    def change(found: Document) -> Document:
        return _without_people(found, removed) if _is_used(found) else _with_nothing()

    rewrite_outcome(db, outcome, change)
    return not outcome["alerts"]


def _is_used(outcome: Document) -> bool:
    return outcome.get("is_held", False) or any("judged" in one for one in outcome["alerts"])


def _with_nothing() -> Document:
    lists = ("alerts", "cooldown_keys", "sightings", "sighted", "named")
    return {"event": unique_key(), "is_event": False, "newest_alert_at": None} | {
        name: [] for name in lists
    }


# -- what people wrote ---------------------------------------------------------------------------


def alerts_naming(db: Database, criminal_id: str) -> list[str]:
    """See `Retention.alerts_naming`."""
    shown = {f"alerts.{name}": 1 for name in ("id", "seq", "criminal_id", "candidates")}
    found = db.read(db.outcomes, {"named": criminal_id}, shown)
    alerts = [one for outcome in found for one in outcome["alerts"]]
    naming = [one for one in alerts if criminal_id in named_in([one])]
    return [one["id"] for one in sorted(naming, key=lambda one: one["seq"])]


def strike(db: Database, alert_ids: Collection[str], name: str) -> int:
    """See `Retention.strike_judgements`."""
    changed = 0
    for one in db.judgements.find({"alert_id": {"$in": list(alert_ids)}}):
        is_named = name.casefold() in one["reason"].casefold()
        if one["note"] or is_named:
            struck = {"note": "", "reason": "" if is_named else one["reason"]}
            db.judgements.update_one({"_id": one["_id"]}, {"$set": struck})
            changed += 1
    return changed
