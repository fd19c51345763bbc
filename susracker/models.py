"""The records that susracker works on: frozen and typed, without behaviour of their own.

Times are timezone-aware `datetime` in UTC. Vectors are `float32`. Lengths are in pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from susracker.errors import InputError

Vectors = NDArray[np.float32]
"""Embeddings, shape (n, dimension)."""

Picture = NDArray[np.uint8]
"""A picture, shape (height, width, 3), channels in the order R, G, B."""

Threat = Literal["low", "medium", "high"]
Status = Literal["wanted", "apprehended"]
AlertKind = Literal["face", "activity"]
OutcomeKind = Literal["alert", "cooldown", "no match", "no face"]
AlertStatus = Literal["new", "to be confirmed", "confirmed", "dismissed", "unsure"]

NEW: AlertStatus = "new"
TO_BE_CONFIRMED: AlertStatus = "to be confirmed"

EDITABLE = ("name", "age", "crimes", "threat", "status", "case_reference", "expires_at")
"""The fields of a `Criminal` that people set, and edits may change."""


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a face can be recognised.

    Attributes:
        eye_distance: distance between the centres of the eyes, in pixels of the picture.
        sharpness: variance of the Laplacian of the grey aligned chip.
        brightness: mean grey level of the aligned chip, 0 to 255.
        detector_score: the detector's confidence; 0 is dlib's usual threshold.
    """

    eye_distance: float
    sharpness: float
    brightness: float
    detector_score: float


@dataclass(frozen=True, slots=True)
class Criminal:
    """A person on the watch-list.

    Attributes:
        id: opaque, unique, at most 64 characters.
        case_reference: the operator's own number for the case.
        expires_at: from this moment on the person is not matched any more.
        last_seen_at: when the newest sighting occurred.
        revision: grows with every change to the person; 0 before they are stored. An edit can name
            the revision that it was based on.
    """

    id: str
    name: str
    age: int | None = None
    crimes: tuple[str, ...] = ()
    threat: Threat = "medium"
    status: Status = "wanted"
    case_reference: str | None = None
    expires_at: datetime | None = None
    last_seen_at: datetime | None = None
    last_seen_camera: str | None = None
    last_seen_location: str | None = None
    created_at: datetime | None = None
    revision: int = field(default=0, compare=False)

    def is_wanted(self, now: datetime) -> bool:
        """Whether the person is to be matched at `now`."""
        return self.status == "wanted" and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class Photo:
    """An enrolment photo, exactly as it was handed in.

    Attributes:
        digest: SHA-256 of `content`, in hexadecimal; unique within a store.
        media_type: "image/jpeg" or "image/heic", for example.
    """

    id: str
    criminal_id: str
    digest: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class PanelPhoto:
    """A photo that a web panel put into the database, and that is not enrolled yet.

    Attributes:
        key: by which the store knows it.
        text: base64, with or without a data-URI prefix.
    """

    criminal_id: str
    key: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """One embedding of one enrolment photo.

    Attributes:
        encoder_id: the encoder that made it; templates of different encoders are never compared.
        vector: unit length, shape (dimension,).
    """

    photo_id: str
    criminal_id: str
    encoder_id: str
    vector: Vectors
    quality: Quality


@dataclass(frozen=True, slots=True)
class Detection:
    """An event from a camera, before anyone was recognised in it.

    Attributes:
        event_type: "face", or an activity such as "violence".
        occurred_at: when the camera saw it.
        picture: an encoded picture (a face crop or a whole frame); None for an activity.
        event_id: the camera's own id of the event, which makes a repeat harmless.
        details: what else the camera says of an activity, as JSON has it.
        track_id: the camera's own id of the person's pass through its picture, if it has one.

    Raises:
        InputError: `occurred_at` has no time zone.
    """

    camera_id: str
    camera_location: str
    event_type: str
    occurred_at: datetime
    picture: bytes | None = None
    event_id: str | None = None
    details: Mapping[str, Any] | None = field(default=None, hash=False)
    track_id: str | None = None

    def __post_init__(self) -> None:
        if self.occurred_at.tzinfo is None:
            raise InputError(
                "occurred_at has no time zone: use datetime.now(timezone.utc), or .astimezone() "
                "for local time"
            )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A criminal compared with a probe.

    Attributes:
        distance: Euclidean distance between the unit-length templates, 0 to 2.
        score: what the decision is made on, normalised; higher is more alike.
        fpir: how often a stranger would score this high on the watch-list of that moment, with as
            many probes.
    """

    criminal_id: str
    name: str
    distance: float
    score: float
    fpir: float


@dataclass(frozen=True, slots=True)
class Sighting:
    """A probe matched to a criminal.

    Attributes:
        suppressed: whether its alert was held back, by the cooldown or because the passage had one.
    """

    id: str
    criminal_id: str
    camera_id: str
    camera_location: str
    occurred_at: datetime
    received_at: datetime
    distance: float
    score: float
    suppressed: bool


@dataclass(frozen=True, slots=True)
class Alert:
    """What operators are told.

    Attributes:
        seq: position in the store's log of alerts: grows by commit order; 0 before it is stored.
        event_type: "face", or the activity.
        candidates: the best candidates, best first; the first is the match. Empty for an activity.
        face: the face that was matched, as JPEG; None for an activity.
        photo_id: the matched criminal's enrolment photo to show beside it.
        status: the review state, an `AlertStatus`: "new" until an operator judges it.
        details: what else the camera said of an activity; None if nothing.
    """

    id: str
    kind: AlertKind
    event_type: str
    camera_id: str
    camera_location: str
    occurred_at: datetime
    received_at: datetime
    seq: int = 0
    criminal_id: str | None = None
    name: str | None = None
    distance: float | None = None
    score: float | None = None
    candidates: tuple[Candidate, ...] = ()
    face: bytes | None = field(default=None, repr=False)
    photo_id: str | None = None
    status: str = "new"
    details: Mapping[str, Any] | None = field(default=None, hash=False)

    @property
    def cooldown_key(self) -> str:
        """One criminal, or one kind of activity, on one camera. Ids hold no control characters.

        "Violence" and "violence" are one kind of activity.
        """
        who = self.criminal_id if self.kind == "face" else self.event_type.casefold()
        return "\x1f".join((self.kind, who or "", self.camera_id))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a detection.

    Attributes:
        kind: the most telling of its faces' fates: "alert", then "cooldown" (someone was matched
            and all of it was held back), then "no match", then "no face".
        alerts: the alerts that were stored, the best match first.
        sightings: the sightings that were stored, in the order of their faces, largest first.
        passage: id of the passage that the best match, or else the largest face, belongs to; None
            without faces, and where passages are off.
    """

    kind: OutcomeKind
    alerts: tuple[Alert, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    passage: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A detection that carried an `event_id` and was handled: what makes its repeat harmless."""

    camera_id: str
    event_id: str
    kind: OutcomeKind
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Camera:
    """What is known of a camera.

    Attributes:
        detections: how many detections it sent.
        alerts: how many of them became alerts.
    """

    id: str
    location: str
    last_heard_at: datetime
    detections: int
    alerts: int

    def added_to(self, earlier: Camera) -> Camera:
        """Both counts together, with the location of whichever was heard last."""
        newest = max(earlier, self, key=lambda camera: camera.last_heard_at)
        return replace(
            newest,
            detections=earlier.detections + self.detections,
            alerts=earlier.alerts + self.alerts,
        )


@dataclass(frozen=True, slots=True)
class CameraDay:
    """What a camera sent on one day.

    Attributes:
        day: in UTC, by the time of arrival.
        detections: how many detections it sent.
        searches: how many passages that began, or faces if each is decided on alone, were compared
            with the watch-list.
        alerts: how many of its detections became alerts.
    """

    camera_id: str
    day: date
    detections: int
    searches: int
    alerts: int

    def added_to(self, earlier: CameraDay) -> CameraDay:
        """Both counts together."""
        return replace(
            self,
            detections=earlier.detections + self.detections,
            searches=earlier.searches + self.searches,
            alerts=earlier.alerts + self.alerts,
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """A picture of the site.

    Attributes:
        digest: SHA-256 of `content`, in hexadecimal.
        content: an encoded picture.
    """

    digest: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a camera is on the plan of the site.

    Attributes:
        x: from the left, as a share of the plan's width.
        y: from the top, as a share of its height.
    """

    camera_id: str
    x: float
    y: float
