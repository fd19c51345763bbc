"""What is published over MQTT, and posted to webhooks: `susracker.delivery` makes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, RootModel

from susracker.models import AlertKind, AlertStatus
from susracker.server.contract.alerts import ReviewShown, Shown
from susracker.server.contract.schemas import Schema, Schemas


class AlertFields(Shown):
    """An alert, by the names that it has over HTTP."""

    id: str
    seq: int
    """Position in the log of alerts."""
    kind: AlertKind
    event_type: str
    camera_id: str
    camera_location: str
    occurred_at: AwareDatetime
    received_at: AwareDatetime
    criminal_id: str | None
    name: str | None
    score: float | None
    distance: float | None
    fpir: float | None
    """How often a stranger would score as high."""
    status: AlertStatus
    details: dict[str, Any] | None


class AlertWithFace(AlertFields):
    """An alert, with its face if a rule says so."""

    detected_face: str | None = None
    """JPEG in base64."""
    face_url: str | None = None
    """Where the face is instead, if a webhook has links to pictures."""
    face_url_until: AwareDatetime | None = None
    """When that link ends."""


class DeliveredAlert(AlertWithFace):
    """One alert."""

    stale: bool
    """Whether it occurred too long ago to be news."""


class ReviewedAlert(AlertFields):
    """An alert that someone has reviewed, as it is now."""

    review: ReviewShown
    stale: bool
    """Whether the review was made too long ago to be news."""


class GatheredAlerts(Shown):
    """Alerts beyond what a channel is sent in a minute."""

    count: int
    first_seq: int
    last_seq: int
    cameras: dict[str, int]
    people: dict[str, int]
    activities: dict[str, int]
    alerts: list[AlertWithFace]
    stale: bool


class TestData(Shown):
    """What `susracker deliveries test` sends."""

    message: str


class CloudEvent(Shown):
    """A message as CloudEvents 1.0 in JSON, as webhooks get it, too."""

    specversion: Literal["1.0"]
    id: str
    """The same if the message is repeated."""
    source: str
    type: Literal[
        "susracker.alert",
        "susracker.alert.unreviewed",
        "susracker.alert.reviewed",
        "susracker.alerts.gathered",
        "susracker.test",
    ]
    time: AwareDatetime
    datacontenttype: Literal["application/json"]
    subject: str | None = None
    """The camera, if the message is of one alert."""
    data: DeliveredAlert | ReviewedAlert | GatheredAlerts | TestData


class FrigateEvent(Shown):
    """An alert in the shape of Frigate's events."""

    id: str
    camera: str
    frame_time: float
    label: str
    """`person`, or the activity."""
    sub_label: tuple[str, float] | None
    """Name and confidence, 0 to 1."""
    top_score: float | None
    score: float | None
    false_positive: bool
    start_time: float
    end_time: float | None
    active: bool
    stationary: bool
    current_zones: list[str]
    entered_zones: list[str]
    has_snapshot: bool
    has_clip: bool
    status: AlertStatus
    """What operators say about the alert."""


class FrigateChange(Shown):
    """What became of an event. An update follows its end: someone has reviewed the alert, or there
    is better evidence."""

    type: Literal["new", "update", "end"]
    before: FrigateEvent
    """What was published last; of an update after a restart, the same as `after`."""
    after: FrigateEvent


class DoubleTakeMatch(Shown):
    """A match as Double Take publishes it."""

    name: str
    confidence: float
    match: bool
    type: str
    detector: str
    base64: str | None


class DoubleTakeEvent(Shown):
    """What both of Double Take's messages have."""

    id: str
    timestamp: AwareDatetime
    attempts: int
    camera: str
    zones: list[str]


class DoubleTakePerson(DoubleTakeEvent):
    """A match, under the person's name."""

    match: DoubleTakeMatch


class DoubleTakeCamera(DoubleTakeEvent):
    """A match, under the camera's id."""

    matches: list[DoubleTakeMatch]
    misses: list[DoubleTakeMatch]
    unknowns: list[DoubleTakeMatch]
    counts: dict[Literal["person", "match", "miss", "unknown"], int]


class CameraState(AlertFields):
    """The last alert at a camera."""

    state: str
    """Who, or what."""


class PersonState(AlertFields):
    """The last alert about a person."""

    state: str
    """Where."""


class Discovered(Shown):
    """What every configuration for Home Assistant has."""

    name: str | None
    unique_id: str
    device: dict[str, Any]
    availability_topic: str


class DiscoveredSensor(Discovered):
    """A sensor that Home Assistant adds by itself."""

    state_topic: str
    value_template: str
    json_attributes_topic: str


class DiscoveredImage(Discovered):
    """An image that Home Assistant adds by itself."""

    image_topic: str
    content_type: Literal["image/jpeg"]


class Availability(RootModel[Literal["online", "offline"]]):
    """Whether susracker is there; the broker says `offline` when it hears nothing of it."""


class FaceJpeg(RootModel[bytes]):
    """The face of the last alert at a camera, if a rule says so."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What is published under a topic.

    Attributes:
        address: with parameters in braces.
        retained: whether the broker keeps the last message.
        media: type of the payload.
    """

    address: str
    payload: type[BaseModel]
    retained: bool = False
    media: str = "application/json"


TOPICS = {
    "alerts": Topic("{prefix}/alerts", CloudEvent),
    "events": Topic("{prefix}/events", FrigateChange),
    "camera": Topic("{prefix}/cameras/{camera}", CameraState),
    "camera_face": Topic("{prefix}/cameras/{camera}/face", FaceJpeg, media="image/jpeg"),
    "person": Topic("{prefix}/people/{person}", PersonState),
    "available": Topic("{prefix}/available", Availability, retained=True, media="text/plain"),
    "double_take_match": Topic("double-take/matches/{name}", DoubleTakePerson),
    "double_take_camera": Topic("double-take/cameras/{camera}", DoubleTakeCamera),
    "sensor": Topic("{discovery}/sensor/{object}/config", DiscoveredSensor),
    "image": Topic("{discovery}/image/{object}/config", DiscoveredImage, retained=True),
}
"""By the names that they have in the description; sensors of cameras are retained, too."""

PARAMETERS: dict[str, Schema] = {
    "prefix": {"default": "susracker", "description": "The channel's option `prefix`."},
    "discovery": {"default": "homeassistant", "description": "The channel's option `discovery`."},
    "camera": {"description": "The camera's id; `_` in place of `+`, `#` and `/`."},
    "person": {"description": "The criminal's id."},
    "name": {"description": "The person's name; `_` in place of `+`, `#` and `/`."},
    "object": {"description": "`susracker_camera_…` or `susracker_person_…`."},
}


def parameters_of(address: str) -> Iterator[str]:
    """The parameters of an address."""
    for part in address.split("/"):
        if part.startswith("{"):
            yield part[1:-1]


def mqtt_channels() -> Schema:
    """The channels of the description."""
    return {
        f"mqtt_{name}": {
            "address": topic.address,
            "messages": {name: {"$ref": f"#/components/messages/mqtt_{name}"}},
            "parameters": {one: PARAMETERS[one] for one in parameters_of(topic.address)},
        }
        for name, topic in TOPICS.items()
    }


def mqtt_operations() -> Schema:
    """The operations of the description."""
    return {
        f"publish_{name}": {
            "action": "send",
            "channel": {"$ref": f"#/channels/mqtt_{name}"},
            "messages": [{"$ref": f"#/channels/mqtt_{name}/messages/{name}"}],
            "bindings": {"mqtt": {"qos": 1, "retain": topic.retained, "bindingVersion": "0.2.0"}},
        }
        for name, topic in TOPICS.items()
    }


def mqtt_messages(schemas: Schemas) -> Schema:
    """The messages of the description."""
    return {
        f"mqtt_{name}": {
            "name": name,
            "summary": " ".join((topic.payload.__doc__ or "").split()),
            "contentType": topic.media,
            "payload": schemas.reference(topic.payload),
        }
        for name, topic in TOPICS.items()
    }
