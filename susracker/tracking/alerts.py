"""What a detection turns into: alerts, sightings, and what the cooldown knows them by."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime

from susracker.models import Alert, Detection, Sighting
from susracker.stores.base import Store
from susracker.tracking.recogniser import Match


def new_alert(detection: Detection, received_at: datetime) -> Alert:
    """An activity's alert: the part that a face's alert has in common with it."""
    return Alert(
        id=uuid.uuid4().hex,
        kind="activity",
        event_type=detection.event_type,
        camera_id=detection.camera_id,
        camera_location=detection.camera_location,
        occurred_at=detection.occurred_at,
        received_at=received_at,
        details=detection.details,
    )


def face_alert(detection: Detection, match: Match, received_at: datetime, store: Store) -> Alert:
    """The alert for a face that was recognised in a detection, with the criminal's first photo.

    Raises:
        StoreUnavailableError: the store cannot be read.
    """
    first = match.candidates[0]
    photo_ids = store.photo_ids(first.criminal_id)
    return replace(
        new_alert(detection, received_at),
        kind="face",
        criminal_id=first.criminal_id,
        name=first.name,
        distance=first.distance,
        score=first.score,
        candidates=match.candidates,
        face=match.face,
        photo_id=photo_ids[0] if photo_ids else None,
    )


def new_sighting(alert: Alert, *, suppressed: bool) -> Sighting:
    """The sighting that goes with a face's alert.

    Args:
        suppressed: whether the cooldown held the alert back.
    """
    match = alert.candidates[0]
    return Sighting(
        id=uuid.uuid4().hex,
        criminal_id=match.criminal_id,
        camera_id=alert.camera_id,
        camera_location=alert.camera_location,
        occurred_at=alert.occurred_at,
        received_at=alert.received_at,
        distance=match.distance,
        score=match.score,
        suppressed=suppressed,
    )


def token_of(detection: Detection) -> str:
    """What the cooldown knows a detection by: the same for each repeat of an event, if the camera
    sends an id. Ids hold no control characters."""
    if detection.event_id is None:
        return uuid.uuid4().hex
    return "\x1f".join((detection.camera_id, detection.event_id))
