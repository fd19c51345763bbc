"""Takes a person out of what cameras saw."""

from __future__ import annotations

from collections.abc import Collection

from susracker.stores.mongo.database import Database
from susracker.stores.mongo.documents import Document, unique_key, without


def forget_in_outcomes(db: Database, criminal_id: str) -> None:
    """Take someone out of everything that was seen of them."""
    naming = {"$or": [{"sighted": criminal_id}, {"named": criminal_id}]}
    for outcome in db.read(db.outcomes, naming):
        forget_in_outcome(db, outcome, [criminal_id])


def forget_in_outcome(db: Database, outcome: Document, criminal_ids: Collection[str]) -> None:
    """Take people out of one outcome, here and in the database: their sightings go, their alerts
    stay without them."""
    alerts = outcome["alerts"]
    for criminal_id in criminal_ids:
        alerts = [without(alert, criminal_id) for alert in alerts]
    sightings = [one for one in outcome["sightings"] if one["criminal_id"] not in criminal_ids]
    changed = {"sightings": sightings, "alerts": alerts} | {
        name: [one for one in outcome[name] if one not in criminal_ids]
        for name in ("sighted", "named")
    }
    db.outcomes.update_one({"_id": outcome["_id"]}, {"$set": changed})
    outcome.update(changed)


def take_back(db: Database, outcome: Document) -> None:
    """Make an outcome one in which nothing happened. It stays, for its `seq` is used up."""
    nothing = {
        "event": unique_key(),
        "is_event": False,
        "newest_alert_at": None,
        "alerts": [],
        "sightings": [],
        "sighted": [],
        "named": [],
    }
    db.outcomes.update_one({"_id": outcome["_id"]}, {"$set": nothing})
    outcome.update(nothing)
