"""Between records and MongoDB's documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar

import numpy as np
from bson import ObjectId
from bson.errors import InvalidId

from susracker.models import (
    Alert,
    Camera,
    Candidate,
    Criminal,
    Photo,
    Sighting,
    Template,
)

OWN = "susracker"
"""The sub-document of a criminal that is susracker's; the other fields are those of the panel."""

Document = dict[str, Any]
Record = TypeVar("Record")

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)
_TIMES = frozenset(
    {"expires_at", "created_at", "occurred_at", "received_at", "last_seen_at", "last_heard_at"}
)
_PANEL = ("name", "age", "threat", "status")
_PRIVATE = ("case_reference", "expires_at", "created_at", "last_seen_at", "last_seen_camera")
_NOT_IN_A_NAME = {".": "\uff0e", "$": "\uff04"}
"""What the name of a field may not hold, and what stands for it there."""


def to_integer(moment: datetime) -> int:
    """Microseconds since 1970: MongoDB's own dates have milliseconds."""
    return (moment - _EPOCH) // _MICROSECOND


def to_moment(microseconds: int) -> datetime:
    """What `to_integer` was given."""
    return _EPOCH + microseconds * _MICROSECOND


def field_name(text: str) -> str:
    """An id as the name of a field."""
    for character, stand_in in _NOT_IN_A_NAME.items():
        text = text.replace(character, stand_in)
    return text


def key_of(criminal_id: str) -> list[Any]:
    """What may be the `_id` of a criminal: what we gave him, or what a panel did."""
    try:
        return [criminal_id, ObjectId(criminal_id)]
    except InvalidId:
        return [criminal_id]


# -- criminals -----------------------------------------------------------------------------------


def criminal_fields(criminal: Criminal) -> Document:
    """What an edit sets: not `created_at` and `last_seen_*`."""
    return {
        **{name: getattr(criminal, name) for name in _PANEL},
        "crimes": list(criminal.crimes),
        f"{OWN}.case_reference": criminal.case_reference,
        f"{OWN}.expires_at": criminal.expires_at and to_integer(criminal.expires_at),
    }


def first_fields(criminal: Criminal) -> Document:
    """What is set of a new criminal only."""
    created_at = criminal.created_at or datetime.now(timezone.utc)
    return {
        f"{OWN}.created_at": to_integer(created_at),
        f"{OWN}.last_seen_at": criminal.last_seen_at and to_integer(criminal.last_seen_at),
        f"{OWN}.last_seen_camera": criminal.last_seen_camera,
        "last_seen_date": criminal.last_seen_at,
        "last_seen_location": criminal.last_seen_location,
    }


def to_criminal(document: Mapping[str, Any]) -> Criminal:
    """A criminal, of a document of ours or of a panel."""
    own = document.get(OWN, {})
    values = {name: document[name] for name in _PANEL if document.get(name) is not None}
    values |= {name: _from(name, own.get(name)) for name in _PRIVATE}
    return Criminal(
        id=str(document["_id"]),
        crimes=tuple(document.get("crimes") or ()),
        last_seen_location=document.get("last_seen_location"),
        **values,
    )


def is_wanted(document: Mapping[str, Any], moment: datetime) -> bool:
    """`Criminal.is_wanted`, without a criminal."""
    expires_at = document.get(OWN, {}).get("expires_at")
    wanted = document.get("status", "wanted") == "wanted"
    return wanted and (expires_at is None or to_integer(moment) < expires_at)


# -- photos and templates ------------------------------------------------------------------------


def photo_document(photo: Photo, criminal_id: str, number: int) -> Document:
    """A photo; `number` is its place in the order of enrolment."""
    values = to_document(photo) | {"criminal_id": criminal_id, "number": number}
    return values | {"_id": values.pop("id")}


def to_photo(document: Mapping[str, Any]) -> Photo:
    """What `photo_document` stored."""
    return to_record(Photo, {**document, "id": document["_id"]})


def template_document(template: Template) -> Document:
    """A template, without whose it is."""
    vector = np.ascontiguousarray(template.vector, "<f4").tobytes()
    return {"vector": vector, "quality": asdict(template.quality)}


# -- what cameras saw ----------------------------------------------------------------------------


def alert_document(alert: Alert) -> Document:
    """An alert."""
    return to_document(alert) | {"candidates": [asdict(one) for one in alert.candidates]}


def to_alert(document: Mapping[str, Any]) -> Alert:
    """What `alert_document` stored."""
    candidates = tuple(Candidate(**values) for values in document["candidates"])
    return to_record(Alert, {**document, "candidates": candidates})


def to_sighting(document: Mapping[str, Any]) -> Sighting:
    """What `to_document` stored of a sighting."""
    return to_record(Sighting, document)


def to_camera(document: Mapping[str, Any]) -> Camera:
    """A camera."""
    return to_record(Camera, {**document, "id": document["_id"]})


def to_document(record: Any) -> Document:
    """The fields of a record by name, times as numbers."""
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    return {
        name: to_integer(value) if name in _TIMES and value is not None else value
        for name, value in values.items()
    }


def to_record(kind: type[Record], document: Mapping[str, Any]) -> Record:
    """What `to_document` was given."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: _from(name, document.get(name)) for name in names})


def _from(name: str, value: Any) -> Any:
    if name in _TIMES and value is not None:
        return to_moment(value)
    return bytes(value) if isinstance(value, bytes) else value
