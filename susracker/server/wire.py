"""The wire formats: checks of what comes in, and the shape of what goes out."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
)

from susracker.errors import InputError
from susracker.judgement.judging import Judged
from susracker.models import Alert, Camera, CameraDay, Criminal, Sighting
from susracker.oversight import Judgement
from susracker.runtime.data_uri import decode_base64
from susracker.tracking.tracker import FACE
from susracker.watchlist.scoring import plain_confidence

FACE_ALERT, ACTIVITY_ALERT = 1, 2
"""`alert_type` of an event."""

EVIDENCE = ("confidence", "distance", "score", "fpir", "candidates", "detected_face")
"""The fields of a face's `new_alert` event that better evidence changes."""

CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
ISO_8601 = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")


UNKNOWN_CAMERA, UNKNOWN_LOCATION = "unknown_camera", "unknown_location"
UNKNOWN_ACTIVITY = "unknown_activity"

MAX_DETAIL, MAX_DETAILS = 500, 8000
"""Characters, as JSON, of one detail of an activity and of all. A picture has more; it is not kept,
for it shows people who are not wanted."""

PICTURE = "data:image/"


def _printable(text: str) -> str:
    if CONTROL_CHARACTERS.search(text):
        raise ValueError("must not contain control characters")
    return text


def _text_of_number(value: object) -> object:
    """Accept a number where a text is expected: some cameras number themselves."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else value


def _plain_if_face(kind: str) -> str:
    """Some cameras write "Face"."""
    return FACE if kind.casefold() == FACE else kind


def _unset_if_empty(default: str | None) -> BeforeValidator:
    """Take an empty text, which some cameras send, for one that was left out."""
    return BeforeValidator(lambda value: default if value in ("", None) else value)


def _iso_8601(value: object) -> object:
    """Pydantic alone would also accept numbers, and dates without a time."""
    if not isinstance(value, str) or not ISO_8601.match(value):
        raise ValueError("must be ISO 8601, such as 2026-01-31T23:59:59Z")
    return value


def _in_utc(moment: datetime) -> datetime:
    """Convert to UTC. A time without an offset is the server's local time, as in ISO 8601."""
    try:
        return moment.astimezone(timezone.utc)
    except (OverflowError, OSError) as error:
        raise ValueError("is outside the calendar") from error


Name = Annotated[
    str,
    Field(min_length=1, max_length=200),
    AfterValidator(_printable),
    BeforeValidator(_text_of_number),
]
Kind = Annotated[Name, AfterValidator(_plain_if_face)]
Location = Annotated[
    str, Field(max_length=500), AfterValidator(_printable), BeforeValidator(_text_of_number)
]
Moment = Annotated[datetime, BeforeValidator(_iso_8601), AfterValidator(_in_utc)]
Image = Annotated[
    bytes,
    BeforeValidator(decode_base64),
    WithJsonSchema({"type": "string", "contentEncoding": "base64"}),
]


class CameraFields(BaseModel):
    """What every camera says about itself. Unknown fields are ignored."""

    camera_id: Name
    camera_location: Location


class OldCameraFields(CameraFields):
    """The same on the routes of old cameras, which leave fields out."""

    camera_id: Annotated[Name, _unset_if_empty(UNKNOWN_CAMERA)] = UNKNOWN_CAMERA
    camera_location: Annotated[Location, _unset_if_empty(UNKNOWN_LOCATION)] = UNKNOWN_LOCATION


class UploadFields(OldCameraFields):
    """`POST /face_upload`."""

    track_id: Annotated[Name | None, _unset_if_empty(None)] = None


class ActivityFields(OldCameraFields):
    """`POST /activity_alert`; other fields are details."""

    model_config = ConfigDict(extra="allow")

    event_type: Annotated[Kind, _unset_if_empty(UNKNOWN_ACTIVITY)] = UNKNOWN_ACTIVITY


class DetectionFields(CameraFields):
    """`POST /api/detections`; other fields of an activity are details."""

    model_config = ConfigDict(extra="allow")

    event_type: Kind
    timestamp: Moment
    image: Image | None = None
    event_id: Name | None = None
    track_id: Annotated[Name | None, _unset_if_empty(None)] = None


class LogPage(BaseModel):
    """The part of a log that a client asks for."""

    after: int = Field(0, ge=0, lt=2**63)
    limit: int = Field(100, ge=1, le=1000)


Fields = TypeVar("Fields", bound=BaseModel)


def parse(model: type[Fields], values: object) -> Fields:
    """Check values against a model.

    Raises:
        InputError: the first thing that is wrong, in one line.
    """
    if not isinstance(values, Mapping):
        raise InputError("the body must be a JSON object")
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        problem = error.errors()[0]
        name = ".".join(map(str, problem["loc"]))
        if problem["type"] == "missing":
            raise InputError(f"{name} is missing") from error
        raise InputError(f"{name}: {problem['msg'].removeprefix('Value error, ')}") from error


def details_of(fields: CameraFields) -> dict[str, Any]:
    """The fields that we do not know, without those that are too long, or are pictures."""
    kept: dict[str, Any] = {}
    room: float = MAX_DETAILS
    for name, value in (fields.model_extra or {}).items():
        length = _detail_length(name, value)
        if length <= min(room, MAX_DETAIL):
            kept[name] = value
            room -= length
    return kept


def left_out(fields: CameraFields, details: Mapping[str, Any]) -> list[str]:
    """The fields that `details_of` did not keep."""
    return [name for name in fields.model_extra or {} if name not in details]


def _detail_length(name: str, value: object) -> float:
    """Characters of a detail; infinite for what must not be kept."""
    try:
        text = json.dumps({name: value}, allow_nan=False)
    except ValueError:  # a number that JSON has no word for
        return float("inf")
    return float("inf") if PICTURE in text.lower() else len(text)


def jpeg_data_uri(content: bytes) -> str:
    """A JPEG in the form that an HTML page shows."""
    return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"


def alert_event(alert: Alert, thumbnail: bytes | None) -> dict[str, Any]:
    """The `alert` event, as operators' panels have always received it.

    Args:
        thumbnail: of the criminal's photo, as JPEG, to show beside the face; None if the photo was
            removed since.
    """
    common = {
        "camera_id": alert.camera_id,
        "camera_location": alert.camera_location,
        "timestamp": alert.occurred_at.isoformat(),
    }
    if alert.kind == "activity":
        ours = {"event_type": alert.event_type, **common, "alert_type": ACTIVITY_ALERT}
        return {**(alert.details or {}), **ours}
    return {
        "criminal_id": alert.criminal_id,
        "name": alert.name,
        "confidence": confidence(alert.distance),
        **common,
        "detected_face": base64.b64encode(alert.face).decode() if alert.face else None,
        "criminal_image": jpeg_data_uri(thumbnail) if thumbnail else None,
        "alert_type": FACE_ALERT,
    }


def new_alert_event(alert: Alert, thumbnail: bytes | None) -> dict[str, Any]:
    """The `new_alert` event: the fields of `alert`, and more. Where a detail has the name of one of
    these, it is in `details` only."""
    return alert_event(alert, thumbnail) | _additions(alert)


def alert_summary(alert: Alert) -> dict[str, Any]:
    """A `new_alert` event without its pictures, for lists."""
    event = new_alert_event(alert, None)
    return {k: v for k, v in event.items() if k not in ("detected_face", "criminal_image")}


def _additions(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "seq": alert.seq,
        "score": alert.score,
        "distance": alert.distance,
        "fpir": alert.candidates[0].fpir if alert.candidates else None,
        "candidates": [
            {
                "criminal_id": candidate.criminal_id,
                "name": candidate.name,
                "distance": candidate.distance,
                "score": candidate.score,
                "fpir": candidate.fpir,
            }
            for candidate in alert.candidates
        ],
        "status": alert.status,
        "occurred_at": alert.occurred_at.isoformat(),
        "received_at": alert.received_at.isoformat(),
        "details": alert.details,
    }


def alert_updated_event(judged: Judged) -> dict[str, Any]:
    """The `alert_updated` event: what people say about an alert."""
    alert = judged.alert
    return {"id": alert.id, "seq": alert.seq, "status": alert.status} | judgement_lists(judged)


def alert_improved_event(judged: Judged) -> dict[str, Any]:
    """The `alert_updated` event for better evidence: what people say, and the evidence."""
    event = new_alert_event(judged.alert, None)
    return alert_updated_event(judged) | {name: event[name] for name in EVIDENCE}


def judgement_lists(judged: Judged) -> dict[str, Any]:
    """All reviews and outcomes of an alert, oldest first."""
    return {
        "reviews": [
            {"id": one.id, "verdict": one.verdict, "reason": one.reason} | _said(one)
            for one in judged.reviews
        ],
        "outcomes": [
            {"id": one.id, "outcome": one.verdict} | _said(one) for one in judged.outcomes
        ],
    }


def _said(judgement: Judgement) -> dict[str, Any]:
    return {
        "note": judgement.note,
        "made_by": judgement.made_by,
        "made_at": judgement.made_at.isoformat(),
    }


def confidence(distance: float | None) -> str | None:
    """`plain_confidence` as panels have always shown it, and by which they choose colours."""
    return None if distance is None else f"{plain_confidence(distance):.2f}%"


def criminal_fields(criminal: Criminal, photo_ids: list[str], templates: int) -> dict[str, Any]:
    """A criminal, as the API shows them."""
    return {
        "id": criminal.id,
        "name": criminal.name,
        "age": criminal.age,
        "crimes": list(criminal.crimes),
        "threat": criminal.threat,
        "status": criminal.status,
        "case_reference": criminal.case_reference,
        "expires_at": iso(criminal.expires_at),
        "last_seen_at": iso(criminal.last_seen_at),
        "last_seen_camera": criminal.last_seen_camera,
        "last_seen_location": criminal.last_seen_location,
        "created_at": iso(criminal.created_at),
        "revision": criminal.revision,
        "photos": photo_ids,
        "templates": templates,
    }


def sighting_fields(sighting: Sighting) -> dict[str, Any]:
    """A point of a track."""
    return {
        "id": sighting.id,
        "camera_id": sighting.camera_id,
        "camera_location": sighting.camera_location,
        "occurred_at": sighting.occurred_at.isoformat(),
        "received_at": sighting.received_at.isoformat(),
        "distance": sighting.distance,
        "score": sighting.score,
        "suppressed": sighting.suppressed,
    }


def camera_day_fields(day: CameraDay) -> dict[str, Any]:
    """What a camera sent on a day, as the API shows it."""
    return {
        "camera_id": day.camera_id,
        "day": day.day.isoformat(),
        "detections": day.detections,
        "searches": day.searches,
        "alerts": day.alerts,
    }


def camera_fields(camera: Camera) -> dict[str, Any]:
    """A camera, as the API shows it."""
    return {
        "camera_id": camera.id,
        "camera_location": camera.location,
        "last_heard_at": camera.last_heard_at.isoformat(),
        "detections": camera.detections,
        "alerts": camera.alerts,
    }


def iso(moment: datetime | None) -> str | None:
    """A moment as the API shows it."""
    return moment.isoformat() if moment else None
