"""What is published over MQTT for an alert, in the shapes that home automation knows.

Frigate's events: https://docs.frigate.video/integrations/mqtt/. Double Take's matches:
https://github.com/jakowenko/double-take#mqtt-1. Home Assistant's discovery:
https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from susracker.delivery.base import Message
from susracker.delivery.messages import cloud_event
from susracker.delivery.rules import MqttOptions
from susracker.judgement.exporting import alert_fields
from susracker.models import Alert
from susracker.watchlist.scoring import plain_confidence

NOT_IN_A_TOPIC = re.compile(r"[+#/\x00-\x1f\x7f]")
NOT_IN_AN_ID = re.compile(r"[^a-zA-Z0-9_-]")

FrigateEvent = dict[str, Any]
"""An event in Frigate's shape, with the `status` of the alert beside."""

DEVICE = {"identifiers": ["susracker"], "name": "susracker"}
"""To Home Assistant, all of it is one device."""


@dataclass(frozen=True, slots=True)
class Publication:
    """One message of MQTT.

    Attributes:
        retain: whether the broker keeps it for those who come later. Nothing that names or shows a
            person is kept: a broker does not hear of removals.
    """

    topic: str
    payload: bytes
    retain: bool = False


def availability_topic(options: MqttOptions) -> str:
    """Where it says "online", or "offline"."""
    return f"{options.prefix}/available"


def publications(
    message: Message, options: MqttOptions, now: datetime, before: FrigateEvent | None = None
) -> Iterator[Publication]:
    """All that is published for a message.

    Args:
        before: the event of the alert as it was published last; None if that is not known.
    """
    if message.kind != "updated":
        yield _json(f"{options.prefix}/alerts", cloud_event(message, now))
    if message.kind in ("gathered", "test"):
        return
    alert = message.alerts[0]
    if message.kind in ("reviewed", "updated"):
        after = ended_event(alert)
        update = {"type": "update", "before": before or after, "after": after}
        yield _json(f"{options.prefix}/events", update)
        return
    yield from _frigate(alert, options.prefix)
    if options.double_take and alert.kind == "face":
        yield from _double_take(alert)
    if options.discovery:
        yield from _discovery(alert, options)
    yield from _states(alert, options.prefix)


def _json(topic: str, value: object, retain: bool = False) -> Publication:
    return Publication(topic, json.dumps(value).encode(), retain)


def _frigate(alert: Alert, prefix: str) -> Iterator[Publication]:
    """An alert is of one moment, so it ends as soon as it has begun."""
    new = _frigate_event(alert)
    end = ended_event(alert)
    topic = f"{prefix}/events"
    yield _json(topic, {"type": "new", "before": new | {"sub_label": None}, "after": new})
    yield _json(topic, {"type": "end", "before": new, "after": end})


def ended_event(alert: Alert) -> FrigateEvent:
    """An alert as an event of Frigate's that has ended."""
    new = _frigate_event(alert)
    return new | {"end_time": new["start_time"], "active": False}


def _frigate_event(alert: Alert) -> FrigateEvent:
    moment = alert.occurred_at.timestamp()
    is_face = alert.kind == "face"
    score = _share(alert) if is_face else None
    return {
        "id": alert.id,
        "camera": alert.camera_id,
        "frame_time": moment,
        "label": "person" if is_face else alert.event_type,
        "sub_label": [alert.name, score] if is_face else None,
        "top_score": score,
        "score": score,
        "false_positive": alert.status == "dismissed",
        "start_time": moment,
        "end_time": None,
        "active": True,
        "stationary": False,
        "current_zones": [],
        "entered_zones": [],
        "has_snapshot": False,
        "has_clip": False,
        "status": alert.status,
    }


def _share(alert: Alert) -> float:
    """A panel's confidence as a share of 1."""
    return round((plain_confidence(alert.distance or 0.0)) / 100, 4)


def _double_take(alert: Alert) -> Iterator[Publication]:
    match = {
        "name": alert.name,
        "confidence": round(plain_confidence(alert.distance or 0.0), 2),
        "match": True,
        "type": "alert",
        "detector": "susracker",
        "base64": base64.b64encode(alert.face).decode() if alert.face else None,
    }
    common = {
        "id": alert.id,
        "timestamp": alert.occurred_at.isoformat(),
        "attempts": 1,
        "camera": alert.camera_id,
        "zones": [],
    }
    counts = {"person": 1, "match": 1, "miss": 0, "unknown": 0}
    name = _level(alert.name or "")
    yield _json(f"double-take/matches/{name}", common | {"match": match})
    yield _json(
        f"double-take/cameras/{_level(alert.camera_id)}",
        common | {"matches": [match], "misses": [], "unknowns": [], "counts": counts},
    )


def _discovery(alert: Alert, options: MqttOptions) -> Iterator[Publication]:
    """A sensor and an image for the camera, and a sensor for the person."""
    camera = _object_id("camera", alert.camera_id)
    state = _camera_topic(alert, options.prefix)
    place = f"Last alert at {alert.camera_location or alert.camera_id}"
    yield _config(options, "sensor", camera, {"name": place} | _state_of(state), retain=True)
    picture = {"name": f"{place}: face", "image_topic": f"{state}/face"}
    image = picture | {"content_type": "image/jpeg"}
    yield _config(options, "image", f"{camera}_face", image, retain=True)
    if alert.kind == "face" and alert.criminal_id:
        person = {"name": alert.name} | _state_of(_person_topic(alert, options.prefix))
        person_id = _object_id("person", alert.criminal_id)
        yield _config(options, "sensor", person_id, person, retain=False)


def _state_of(topic: str) -> dict[str, str]:
    return {
        "state_topic": topic,
        "value_template": "{{ value_json.state }}",
        "json_attributes_topic": topic,
    }


def _config(
    options: MqttOptions, component: str, object_id: str, config: dict[str, Any], retain: bool
) -> Publication:
    ours = {
        "unique_id": object_id,
        "device": DEVICE,
        "availability_topic": availability_topic(options),
    }
    return _json(f"{options.discovery}/{component}/{object_id}/config", config | ours, retain)


def _states(alert: Alert, prefix: str) -> Iterator[Publication]:
    """Who, or what, was seen last at the camera, and where the person was seen last."""
    fields = alert_fields(alert)
    camera = _camera_topic(alert, prefix)
    yield _json(camera, {"state": alert.name or alert.event_type} | fields)
    if alert.face:
        yield Publication(f"{camera}/face", alert.face)
    if alert.kind == "face" and alert.criminal_id:
        place = alert.camera_location or alert.camera_id
        yield _json(_person_topic(alert, prefix), {"state": place} | fields)


def _camera_topic(alert: Alert, prefix: str) -> str:
    return f"{prefix}/cameras/{_level(alert.camera_id)}"


def _person_topic(alert: Alert, prefix: str) -> str:
    return f"{prefix}/people/{_level(alert.criminal_id or '')}"


def _level(text: str) -> str:
    """A text as one level of a topic."""
    return NOT_IN_A_TOPIC.sub("_", text)


def _object_id(kind: str, text: str) -> str:
    """An id for Home Assistant, which takes few characters; no two texts have the same."""
    plain = NOT_IN_AN_ID.sub("_", text)
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"susracker_{kind}_{plain}" + ("" if plain == text else f"_{digest}")
