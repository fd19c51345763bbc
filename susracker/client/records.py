"""Records of the library, from what the server answers."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from susracker.models import Alert, Camera, Candidate, Criminal, Sighting
from susracker.oversight import Judgement, JudgementKind

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """An alert with everything that people said about it, oldest first: the last counts."""

    alert: Alert
    reviews: tuple[Judgement, ...]
    outcomes: tuple[Judgement, ...]


def to_alert(shown: Json) -> Alert:
    """An alert; its face only where the answer has pictures."""
    face = shown.get("detected_face")
    is_face = shown["alert_type"] == 1
    return Alert(
        id=shown["id"],
        kind="face" if is_face else "activity",
        event_type="face" if is_face else shown["event_type"],
        camera_id=shown["camera_id"],
        camera_location=shown["camera_location"],
        occurred_at=_moment(shown["occurred_at"]),
        received_at=_moment(shown["received_at"]),
        seq=shown["seq"],
        criminal_id=shown.get("criminal_id"),
        name=shown.get("name"),
        distance=shown["distance"],
        score=shown["score"],
        candidates=tuple(Candidate(**one) for one in shown["candidates"]),
        face=base64.b64decode(face) if face else None,
        status=shown["status"],
        details=shown["details"],
    )


def to_told(shown: Json) -> Told:
    """An alert with its reviews and outcomes."""
    alert = to_alert(shown)
    return Told(
        alert,
        tuple(_judgement("review", alert.id, "verdict", one) for one in shown["reviews"]),
        tuple(_judgement("outcome", alert.id, "outcome", one) for one in shown["outcomes"]),
    )


def to_criminal(shown: Json) -> Criminal:
    """A person on the watch-list."""
    names = {one.name for one in fields(Criminal)}
    values = {name: value for name, value in shown.items() if name in names}
    for name in ("expires_at", "last_seen_at", "created_at"):
        values[name] = _moment(values[name]) if values[name] else None
    return Criminal(**values | {"crimes": tuple(shown["crimes"])})


def to_sighting(criminal_id: str, shown: Json) -> Sighting:
    """A point of a person's track."""
    times = {name: _moment(shown[name]) for name in ("occurred_at", "received_at")}
    return Sighting(**{**shown, **times, "criminal_id": criminal_id})


def to_camera(shown: Json) -> Camera:
    """A camera."""
    return Camera(
        id=shown["camera_id"],
        location=shown["camera_location"],
        last_heard_at=_moment(shown["last_heard_at"]),
        detections=shown["detections"],
        alerts=shown["alerts"],
    )


def _judgement(kind: JudgementKind, alert_id: str, verdict: str, shown: Json) -> Judgement:
    return Judgement(
        id=shown["id"],
        alert_id=alert_id,
        kind=kind,
        verdict=shown[verdict],
        reason=shown.get("reason", ""),
        note=shown["note"],
        made_by=shown["made_by"],
        made_at=_moment(shown["made_at"]),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
