"""People, their photos and tracks, and cameras, as routes take and answer them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AwareDatetime, ConfigDict, Field, WithJsonSchema

from susracker.enrolment.fields import CriminalFields
from susracker.models import Status, Threat
from susracker.server.contract.alerts import Shown

Base64 = Annotated[str, WithJsonSchema({"type": "string", "contentEncoding": "base64"})]
File = Annotated[bytes, WithJsonSchema({"type": "string", "format": "binary"})]


class CriminalShown(Shown):
    """A person on the watch-list."""

    id: str
    name: str
    age: int | None
    crimes: list[str]
    threat: Threat
    status: Status
    case_reference: str | None
    expires_at: AwareDatetime | None
    """From this moment on the person is not matched any more."""
    last_seen_at: AwareDatetime | None
    last_seen_camera: str | None
    last_seen_location: str | None
    created_at: AwareDatetime | None
    revision: int
    """Grows with every change: an edit may name the one that it is based on."""
    photos: list[str]
    """Ids, in the order of enrolment."""
    templates: int
    """By how many of the photos the person can be recognised."""


class CriminalStored(Shown):
    """A person who was stored, but could not be read back just then. Do not send them again."""

    id: str


class CriminalPage(Shown):
    """People by name."""

    criminals: list[CriminalShown]
    next: str | None
    """What to send as `after` for the next page; null on the last one."""


class Terms(CriminalFields):
    """A person's fields, and on what terms to store them."""

    allow_unlike: bool = False
    """Whether to enrol photos even if their faces are unlike."""


class NewCriminal(Terms):
    """A person to be enrolled."""

    images: list[Base64] = Field(default_factory=list)
    """Photos, with or without a data-URI prefix."""
    image: Base64 | None = None
    """One more photo, which comes first."""


class NewCriminalForm(Terms):
    """A person to be enrolled, as a form. All of its files are photos."""

    images: list[File] = Field(default_factory=list)


def _nothing_required(schema: dict[str, Any]) -> None:
    """An edit changes the fields that it names: none is required, and none has a default."""
    schema.pop("required", None)
    for field in schema["properties"].values():
        field.pop("default", None)


class CriminalEdit(NewCriminal):
    """The fields of a person to change, and photos to add."""

    model_config = ConfigDict(json_schema_extra=_nothing_required)

    revision: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    """The edit is made only if the person still has this revision."""


class CriminalEditForm(NewCriminalForm):
    """The same as a form. All of its files are photos to add."""

    model_config = ConfigDict(json_schema_extra=_nothing_required)

    revision: Annotated[int, Field(ge=0, lt=2**63)] | None = None


class Erasure(Shown):
    """What was erased of a person, and what is out of reach."""

    photos: int
    templates: int
    sightings: int
    alerts: int
    """That name nobody now."""
    judgements: int
    """Whose note, or a reason with the person's name, was emptied."""
    holds: int
    """That were ended."""
    not_reached: list[str]
    """What you have to look after, a sentence each."""


class QualityShown(Shown):
    """How well a face can be recognised."""

    eye_distance: float
    """Pixels."""
    sharpness: float
    """Variance of the Laplacian."""
    brightness: float
    """0 to 255."""
    detector_score: float


class PhotoShown(Shown):
    """An enrolment photo."""

    id: str
    quality: QualityShown | None
    """Null while the photo has no template."""


class Photos(Shown):
    """A person's photos, in the order of enrolment."""

    criminal_id: str
    photos: list[PhotoShown]
    next: str | None = None
    """With `limit`: what to send as `after` for the next page; null on the last one."""


class SightingShown(Shown):
    """A point of a track."""

    id: str
    camera_id: str
    camera_location: str
    occurred_at: AwareDatetime
    received_at: AwareDatetime
    distance: float
    score: float
    suppressed: bool
    """Whether its alert was held back, by the cooldown or because the passage had one."""


class Track(Shown):
    """A person's sightings across cameras, in the order in which they occurred."""

    criminal_id: str
    name: str
    sightings: list[SightingShown]
    next: str | None = None
    """With `limit`: what to send as `after` for the next page; null on the last one."""


class CameraShown(Shown):
    """What is known of a camera."""

    camera_id: str
    camera_location: str
    last_heard_at: AwareDatetime
    detections: int
    alerts: int
    """How many of the detections became alerts."""


class Cameras(Shown):
    """All cameras, by id."""

    cameras: list[CameraShown]
    next: str | None = None
    """With `limit`: what to send as `after` for the next page; null on the last one."""
