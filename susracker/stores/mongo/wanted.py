"""The query for outcomes that have an alert which is wanted."""

from __future__ import annotations

from collections.abc import Collection

from susracker.runtime.clock import to_microseconds
from susracker.stores.journal import AlertFilter
from susracker.stores.mongo.documents import Document


def outcomes_between(after: int, before: int | None) -> Document:
    """Outcomes that may have an alert whose `seq` is between these."""
    # Those that were taken back have no alerts.
    later: Document = {"last_seq": {"$gt": after}, "alerts": {"$ne": []}}
    return later if before is None else later | {"first_seq": {"$lt": before}}


def outcomes_wanted(wanted: AlertFilter, unsettled: Collection[str]) -> Document:
    """Outcomes that may have an alert which is wanted.

    Args:
        unsettled: ids of alerts whose stored status is not the present one.
    """
    found = {
        f"alerts.{name}": value
        for name in ("kind", "camera_id", "criminal_id")
        if (value := getattr(wanted, name)) is not None
    }
    if wanted.since or wanted.until:
        bounds = (("$gte", wanted.since), ("$lte", wanted.until))
        found["alerts.occurred_at"] = {sign: to_microseconds(at) for sign, at in bounds if at}
    if wanted.status:
        found |= _of_status(wanted.status, unsettled)
    return found


def _of_status(status: str, unsettled: Collection[str]) -> Document:
    has_it = {"alerts.status": status}
    return {"$or": [has_it, {"alerts.id": {"$in": list(unsettled)}}]} if unsettled else has_it
