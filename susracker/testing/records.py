"""Sample records, each different from the last, for the tests of stores."""

from __future__ import annotations

import hashlib
import itertools
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np

from susracker.models import (
    Alert,
    Camera,
    CameraDay,
    Candidate,
    Criminal,
    Event,
    Photo,
    Quality,
    Sighting,
    Template,
)
from susracker.oversight import Judgement
from susracker.stores.base import Gallery

NOON = datetime(2026, 5, 4, 12, 0, 0, 123_457, tzinfo=timezone.utc)
MICROSECOND = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)
ENCODER = "dlib/1"
QUALITY = Quality(eye_distance=61.5, sharpness=210.25, brightness=127.5, detector_score=0.75)

_numbers = itertools.count(1)


def criminal(criminal_id: str = "c1", **fields: Any) -> Criminal:
    return Criminal(**{"id": criminal_id, "name": "Ada Nowak", "created_at": NOON} | fields)


def full_criminal(criminal_id: str = "c1", **fields: Any) -> Criminal:
    """A criminal without an empty field."""
    values: dict[str, Any] = {
        "name": "Zoë O'Brien 王",
        "age": 41,
        "crimes": ("fraud", "arson, twice"),
        "threat": "high",
        "status": "apprehended",
        "case_reference": "K-17/2026",
        "expires_at": NOON + 90 * MINUTE,
        "last_seen_at": NOON - MINUTE,
        "last_seen_camera": "cam-0",
        "last_seen_location": "Gate 0",
    }
    return criminal(criminal_id, **values | fields)


def photo(criminal_id: str = "c1", **fields: Any) -> Photo:
    content = fields.pop("content", None) or f"picture {next(_numbers)}\0\xff".encode("latin-1")
    values = {
        "id": f"p{next(_numbers):06}",
        "criminal_id": criminal_id,
        "digest": hashlib.sha256(content).hexdigest(),
        "media_type": "image/png",
        "content": content,
    }
    return Photo(**values | fields)


def vector(seed: int, dimension: int = 128) -> Any:
    values = np.random.default_rng(seed).standard_normal(dimension).astype(np.float32)
    return values / np.linalg.norm(values)


def template(of: Photo, encoder_id: str = ENCODER, seed: int | None = None) -> Template:
    made = vector(next(_numbers) if seed is None else seed)
    return Template(of.id, of.criminal_id, encoder_id, made, QUALITY)


def sighting(criminal_id: str = "c1", **fields: Any) -> Sighting:
    values = {
        "id": f"s{next(_numbers):06}",
        "criminal_id": criminal_id,
        "camera_id": "cam-1",
        "camera_location": "Main gate",
        "occurred_at": NOON,
        "received_at": NOON + MICROSECOND,
        "distance": 0.1 + 0.2,
        "score": 1 / 3,
        "suppressed": False,
    }
    return Sighting(**values | fields)


def candidate(criminal_id: str = "c1", **fields: Any) -> Candidate:
    return Candidate(
        **{
            "criminal_id": criminal_id,
            "name": "Ada Nowak",
            "distance": 0.3,
            "score": 0.7,
            "fpir": 0.01,
        }
        | fields
    )


def activity(**fields: Any) -> Alert:
    """An activity's alert, not stored yet."""
    values = {
        "id": f"a{next(_numbers):06}",
        "kind": "activity",
        "event_type": "violence",
        "camera_id": "cam-1",
        "camera_location": "Main gate",
        "occurred_at": NOON,
        "received_at": NOON + MICROSECOND,
    }
    return Alert(**values | fields)


def face_alert(criminal_id: str = "c1", *others: str, **fields: Any) -> Alert:
    """A face's alert, not stored yet, with `others` as the next best candidates."""
    values = {
        "kind": "face",
        "event_type": "face",
        "criminal_id": criminal_id,
        "name": "Ada Nowak",
        "distance": 0.1 + 0.2,
        "score": 1 / 3,
        "candidates": tuple(candidate(one) for one in (criminal_id, *others)),
        "face": b"a face\0\xff",
        "photo_id": "p1",
    }
    return activity(**values | fields)


def event(event_id: str = "e1", **fields: Any) -> Event:
    values = {"camera_id": "cam-1", "kind": "alert", "received_at": NOON}
    return Event(event_id=event_id, **values | fields)


def camera(camera_id: str = "cam-1", **fields: Any) -> Camera:
    values = {"location": "Main gate", "last_heard_at": NOON, "detections": 1, "alerts": 0}
    return Camera(id=camera_id, **values | fields)


def camera_day(camera_id: str = "cam-1", **fields: Any) -> CameraDay:
    values = {"day": NOON.date(), "detections": 1, "searches": 0, "alerts": 0}
    return CameraDay(camera_id, **values | fields)


def judgement(alert_id: str, **fields: Any) -> Judgement:
    values = {
        "id": f"j{next(_numbers):06}",
        "kind": "review",
        "verdict": "confirmed",
        "reason": "same scar",
        "note": "",
        "made_by": "Jo (k1)",
        "made_at": NOON,
    }
    return Judgement(alert_id=alert_id, **values | fields)


def enroll(gallery: Gallery, criminal_id: str, photos: int = 1, **fields: Any) -> list[Any]:
    """Store a criminal with photos and a template of each; returns the templates."""
    taken = [photo(criminal_id) for _ in range(photos)]
    made = [template(one) for one in taken]
    gallery.put_criminal(criminal(criminal_id, **fields), taken, made)
    return made
