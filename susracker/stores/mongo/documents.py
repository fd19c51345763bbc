"""Between records and MongoDB's documents."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import date, datetime
from typing import Any, TypeVar, cast, get_args

import numpy as np
from bson import ObjectId

from susracker.models import (
    EDITABLE,
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
    Threat,
)
from susracker.runtime.clock import from_microseconds, to_microseconds, utc_now
from susracker.stores.sealing import Sealer
from susracker.stores.times import TIMES

OWN = "susracker"
"""The sub-document of a criminal that is susracker's; the other fields are those of the panel."""

Document = dict[str, Any]
Record = TypeVar("Record")

DAY_COUNTS = ("detections", "searches", "alerts")
"""What is counted of a camera's day."""

_DETAILS = "details"
_PANEL = ("name", "age", "crimes", "threat", "status")
_PRIVATE = ("case_reference", "expires_at", "created_at", "last_seen_at", "last_seen_camera")
_NOT_IN_A_NAME = {".": "\uff0e", "$": "\uff04"}
"""What the name of a field may not hold, and what stands for it there."""


def field_name(text: str) -> str:
    """An id as the name of a field."""
    for character, stand_in in _NOT_IN_A_NAME.items():
        text = text.replace(character, stand_in)
    return text


def plain_name(name: str) -> str:
    """What `field_name` was given."""
    for character, stand_in in _NOT_IN_A_NAME.items():
        name = name.replace(stand_in, character)
    return name


def nested(fields: Mapping[str, Any]) -> Document:
    """A document, of fields that are named by their paths, as an update names them."""
    document: Document = {}
    for path, value in fields.items():
        *parents, name = path.split(".")
        place = document
        for parent in parents:
            place = place.setdefault(parent, {})
        place[name] = value
    return document


REMOVING = f"{OWN}.removing"
"""Set while a person is being removed; from then on they are as good as gone."""

PRESENT: Document = {REMOVING: {"$ne": True}}


def key_is(criminal_id: str) -> Document:
    """The query for a person, whose `_id` is one that we gave them, or one that a panel did."""
    return key_among([criminal_id])


def key_among(criminal_ids: Collection[str] | None) -> Document:
    """The query for some people, or for everyone."""
    if criminal_ids is None:
        return PRESENT
    keys: list[Any] = list(criminal_ids)
    keys += [ObjectId(one) for one in criminal_ids if ObjectId.is_valid(one)]
    return {"_id": {"$in": keys}} | PRESENT


def based_on(revision: int | None) -> Document:
    """What a document is like whose person was not changed since a revision."""
    # A document that we never changed has no revision, which counts as 0.
    return {} if revision is None else {f"{OWN}.revision": revision or None}


# -- criminals -----------------------------------------------------------------------------------


def edit_fields(edit: Mapping[str, object]) -> Document:
    """What an edit sets."""
    values = dict(edit)
    if "crimes" in values:
        values["crimes"] = list(cast(Sequence[str], values["crimes"]))
    expires_at = values.get("expires_at")
    if isinstance(expires_at, datetime):
        values["expires_at"] = to_microseconds(expires_at)
    return {name if name in _PANEL else f"{OWN}.{name}": one for name, one in values.items()}


def new_fields(criminal: Criminal) -> Document:
    """What is set of a new person: `created_at` and `last_seen_*`, too."""
    created_at = criminal.created_at or utc_now()
    return edit_fields({name: getattr(criminal, name) for name in EDITABLE}) | {
        f"{OWN}.created_at": to_microseconds(created_at),
        f"{OWN}.last_seen_at": criminal.last_seen_at and to_microseconds(criminal.last_seen_at),
        f"{OWN}.last_seen_camera": criminal.last_seen_camera,
        f"{OWN}.last_seen_location": criminal.last_seen_location,
    }


def to_criminal(document: Mapping[str, Any]) -> Criminal:
    """A criminal, of a document of ours or of a panel, whose fields may be of any kind."""
    own = document.get(OWN, {})
    location = own.get("last_seen_location", document.get("last_seen_location"))
    return Criminal(
        id=str(document["_id"]),
        name=str(document.get("name") or "unnamed"),
        age=_age(document.get("age")),
        crimes=_texts(document.get("crimes")),
        threat=_threat(document.get("threat")),
        status="wanted" if _says_wanted(document) else "apprehended",
        last_seen_location=location,
        revision=own.get("revision", 0),
        **{name: _from(name, own.get(name)) for name in _PRIVATE},
    )


def is_wanted(document: Mapping[str, Any], moment: datetime) -> bool:
    """`Criminal.is_wanted`, without a criminal."""
    expires_at = document.get(OWN, {}).get("expires_at")
    return _says_wanted(document) and (expires_at is None or to_microseconds(moment) < expires_at)


def _says_wanted(document: Mapping[str, Any]) -> bool:
    """Whoever has a status that we do not know is not wanted: it is for the panel to say so."""
    return str(document.get("status", "wanted")).lower() == "wanted"


def _age(value: object) -> int | None:
    text = str(value)
    return int(text) if text.isdecimal() and len(text) <= 3 else None


def _threat(value: object) -> Threat:
    text = str(value).lower()
    return cast(Threat, text) if text in get_args(Threat) else "medium"


def _texts(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),)


# -- photos and templates ------------------------------------------------------------------------


def photo_document(photo: Photo, criminal_id: str, number: int, sealer: Sealer) -> Document:
    """A photo; `number` is its place in the order of enrolment."""
    values = to_document(sealer.seal_photo(photo, criminal_id))
    values |= {"criminal_id": criminal_id, "number": number}
    return values | {"_id": values.pop("id")}


def to_photo(document: Mapping[str, Any], sealer: Sealer) -> Photo:
    """What `photo_document` stored."""
    return sealer.open_photo(to_record(Photo, {**document, "id": document["_id"]}))


def template_fields(template: Template, owner: str, sealer: Sealer) -> Document:
    """What is set of a person to add a template; `made` counts templates without reading them."""
    photo, encoder = field_name(template.photo_id), field_name(template.encoder_id)
    vector = sealer.seal_vector(template, owner)
    return {
        f"{OWN}.templates.{photo}.{encoder}": {
            "vector": vector,
            "quality": asdict(template.quality),
        },
        f"{OWN}.made.{encoder}.{photo}": 1,
    }


def photos_of(document: Mapping[str, Any] | None) -> dict[str, int]:
    """Ids of a person's photos, with their places in the order of enrolment."""
    photos: dict[str, int] = document.get(OWN, {}).get("photos", {}) if document else {}
    return {plain_name(name): number for name, number in photos.items()}


def made_of(document: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """By encoder, the photos that it made a template of."""
    made: dict[str, dict[str, int]] = document.get(OWN, {}).get("made", {})
    return made


def to_templates(document: Mapping[str, Any], sealer: Sealer) -> list[Template]:
    """A criminal's templates."""
    owner, made = str(document["_id"]), document.get(OWN, {}).get("templates", {})
    return [
        _to_template(owner, plain_name(photo), plain_name(encoder), one, sealer)
        for photo, by_encoder in made.items()
        for encoder, one in by_encoder.items()
    ]


def _to_template(
    owner: str, photo_id: str, encoder_id: str, one: Mapping[str, Any], sealer: Sealer
) -> Template:
    vector = sealer.open_vectors(encoder_id, [(owner, photo_id, one["vector"])])
    array = np.frombuffer(vector, "<f4")
    return Template(photo_id, owner, encoder_id, array, Quality(**one["quality"]))


# -- what cameras saw ----------------------------------------------------------------------------


def cooldown_keys(alerts: Iterable[Document]) -> list[str]:
    """`Alert.cooldown_key` of each, once."""
    return sorted({to_record(Alert, one).cooldown_key for one in alerts})


def alert_document(alert: Alert, sealer: Sealer) -> Document:
    """An alert."""
    candidates = {"candidates": [asdict(one) for one in alert.candidates]}
    return to_document(sealer.seal_alert(alert)) | candidates


def to_alert(document: Mapping[str, Any], sealer: Sealer) -> Alert:
    """What `alert_document` stored."""
    candidates = tuple(Candidate(**values) for values in document["candidates"])
    return sealer.open_alert(to_record(Alert, {**document, "candidates": candidates}))


def to_sighting(document: Mapping[str, Any]) -> Sighting:
    """What `to_document` stored of a sighting."""
    return to_record(Sighting, document)


def event_key(camera_id: str, event_id: str) -> str:
    """Ids hold no control characters."""
    return f"{camera_id}\x1f{event_id}"


def unique_key() -> str:
    """In place of an event's key, which is unique, too."""
    return f"\x1f{uuid.uuid4().hex}"


def outcome_document(
    key: str,
    alerts: Sequence[Alert],
    sightings: Sequence[Sighting],
    event: Event | None,
    sealer: Sealer,
) -> Document:
    """What became of a detection."""
    documents = [alert_document(one, sealer) for one in alerts]
    return {
        "event": key,
        "is_event": event is not None,
        "kind": event.kind if event else None,
        "received_at": to_microseconds(event.received_at) if event else None,
        # Unique, and never met by who looks for alerts.
        "first_seq": alerts[0].seq if alerts else -(uuid.uuid4().int >> 66),
        "last_seq": alerts[-1].seq if alerts else 0,
        "newest_alert_at": max((to_microseconds(one.occurred_at) for one in alerts), default=None),
        "cooldown_keys": sorted({one.cooldown_key for one in alerts}),
        "alerts": documents,
        "sightings": [to_document(one) for one in sightings],
        "sighted": sorted({one.criminal_id for one in sightings}),
        "named": named_in(documents),
    }


def named_in(alerts: Sequence[Document]) -> list[str]:
    """Ids of the people whom alerts are about, and of the other candidates."""
    named = {alert["criminal_id"] for alert in alerts} - {None}
    return sorted(named | {one["criminal_id"] for alert in alerts for one in alert["candidates"]})


def without(alert: Document, criminal_id: str) -> Document:
    """An alert without a person: about them, it loses the face and the link to them."""
    others = [one for one in alert["candidates"] if one["criminal_id"] != criminal_id]
    cleared = alert | {"candidates": others}
    if alert["criminal_id"] == criminal_id:
        cleared |= dict.fromkeys(("criminal_id", "name", "photo_id", "face"))
    return cleared


def to_camera(document: Mapping[str, Any]) -> Camera:
    """A camera."""
    return to_record(Camera, {**document, "id": document["_id"]})


def camera_day_key(day: CameraDay) -> str:
    """Ids hold no control characters."""
    return f"{day.camera_id}\x1f{day.day}"


def to_camera_day(document: Mapping[str, Any]) -> CameraDay:
    """A camera's day, of its key and counts."""
    camera_id, day = document["_id"].rsplit("\x1f", 1)
    counts = {name: document[name] for name in DAY_COUNTS}
    return CameraDay(camera_id, date.fromisoformat(day), **counts)


def to_document(record: Any) -> Document:
    """The fields of a record by name, times as numbers."""
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    return {name: _to(name, value) for name, value in values.items()}


def to_record(kind: type[Record], document: Mapping[str, Any]) -> Record:
    """What `to_document` was given."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: _from(name, document.get(name)) for name in names})


def _to(name: str, value: Any) -> Any:
    if name in TIMES and value is not None:
        return to_microseconds(value)
    # As text: names of fields may hold what MongoDB does not take.
    return json.dumps(value) if name == _DETAILS and value is not None else value


def _from(name: str, value: Any) -> Any:
    if name in TIMES and value is not None:
        return from_microseconds(value)
    if name == _DETAILS and value is not None:
        return json.loads(value)
    return bytes(value) if isinstance(value, bytes) else value
