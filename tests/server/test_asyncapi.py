"""The description of the Socket.IO events leaves none out, and they are as it says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timezone
from functools import cache
from typing import Any

import jsonschema_rs
import pytest

from susracker.access.links import PictureLinks
from susracker.delivery.base import Message, Taken
from susracker.delivery.channels import face_link_of
from susracker.delivery.messages import TYPES
from susracker.delivery.rules import MqttOptions, WebhookOptions
from susracker.delivery.topics import Publication, availability_topic, publications
from susracker.delivery.webhook import Webhook
from susracker.judgement.judging import Judged
from susracker.models import Alert
from susracker.oversight import Judgement
from susracker.server.contract.asyncapi import EVENTS, asyncapi
from susracker.server.contract.mqtt import TOPICS, parameters_of
from susracker.server.wire import alert_event, alert_updated_event, new_alert_event
from susracker.testing.records import activity, face_alert, judgement
from tests.delivery.web import WebServer
from tests.test_docs import emitted_events

NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


@cache
def validator(event: str) -> jsonschema_rs.Draft202012Validator:
    """What checks the payload of an event."""
    document = asyncapi()
    message = document["components"]["messages"][event]
    schema = message["payload"] | {"components": document["components"]}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def check(event: str, payload: Any) -> list[str]:
    """What is wrong with the payload of an event."""
    return [one.message for one in validator(event).iter_errors(payload)]


def test_every_event_is_in_it():
    assert emitted_events() == EVENTS.keys()
    document = asyncapi()
    assert document["asyncapi"].startswith("3.")
    assert document["channels"]["live"]["messages"].keys() == EVENTS.keys()
    sent = {one["messages"][0]["$ref"] for one in document["operations"].values()}
    live = {f"#/channels/live/messages/{name}" for name in EVENTS}
    assert sent == live | {f"#/channels/mqtt_{one}/messages/{one}" for one in TOPICS}


ALERTS = {
    "face": face_alert(status="dismissed"),
    "face without its picture": face_alert(face=None),
    "person who was removed": face_alert(criminal_id=None, name=None, face=None, candidates=()),
    "activity": activity(),
    "activity with details": activity(details={"zone": {"name": "east"}, "severity": 3}),
}


@pytest.mark.parametrize("alert", ALERTS.values(), ids=ALERTS.keys())
@pytest.mark.parametrize("thumbnail", [b"\xff\xd8", None])
def test_alerts_are_as_it_says(alert, thumbnail):
    assert check("alert", alert_event(alert, thumbnail)) == []
    assert check("new_alert", new_alert_event(alert, thumbnail)) == []
    assert check("new_alert", new_alert_event(alert, thumbnail) | {"seq": "one"})


def test_updates_are_as_it_says():
    said = {"alert_id": "a", "note": "", "made_by": "Jo", "made_at": NOON}
    review = Judgement(id="r", kind="review", verdict="unsure", reason="dark", **said)
    outcome = Judgement(id="o", kind="outcome", verdict="lost", reason="", **said)
    judged = Judged(face_alert(status="unsure"), (review,), (outcome,))
    assert check("alert_updated", alert_updated_event(judged)) == []
    assert check("alert_updated", alert_updated_event(judged) | {"name": "Jo"})


# -- MQTT ------------------------------------------------------------------------------------------

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
OPTIONS = MqttOptions(kind="mqtt", url="mqtt://broker", prefix="site/alerts", discovery="ha")


def published() -> Iterator[Publication]:
    """All kinds of messages with all kinds of alerts, as they are published: those of people who
    were removed are not."""
    known = [one for one in ALERTS.values() if one.kind == "activity" or one.criminal_id]
    alerts = [replace(one, seq=number) for number, one in enumerate(known, 1)]
    for alert in [*alerts, face_alert(face=b"\xff\xd8", name="Jo/Doe")]:
        for kind in ("alert", "unreviewed"):
            message = Message(f"{alert.id}-{kind}", kind, (alert,), is_stale=kind == "alert")
            yield from publications(message, OPTIONS, NOON)
        for message in updates_of(alert):
            yield from publications(message, OPTIONS, NOON)
    yield from publications(Message("g", "gathered", tuple(alerts)), OPTIONS, NOON)
    yield from publications(Message("t", "test"), OPTIONS, NOON)


def updates_of(alert: Alert) -> list[Message]:
    """What follows an alert: a review with and without its words."""
    review = judgement(alert.id, note="not him")
    return [
        Message("r", "reviewed", (alert,), review=review),
        Message("u", "updated", (alert,)),
    ]


def topic_of(address: str) -> str:
    """A pattern of the topics that an address stands for."""
    known = {"prefix": OPTIONS.prefix, "discovery": OPTIONS.discovery}
    return re.sub(r"\{(\w+)\}", lambda found: known.get(found[1], "[^/+#]+"), address)


def names_of(topic: str) -> list[str]:
    return [name for name, one in TOPICS.items() if re.fullmatch(topic_of(one.address), topic)]


def test_whatever_is_published_has_a_channel_and_is_as_it_says():
    seen = set()
    for one in published():
        (name,) = names_of(one.topic)
        seen.add(name)
        if TOPICS[name].media == "application/json":
            assert check(f"mqtt_{name}", json.loads(one.payload)) == [], one.topic
            assert check(f"mqtt_{name}", json.loads(one.payload) | {"more": 1}), one.topic
        assert one.retain <= (TOPICS[name].retained or name == "sensor")
    assert names_of(availability_topic(OPTIONS)) == ["available"]
    assert seen | {"available"} == TOPICS.keys(), "what is described is published"


@pytest.mark.parametrize("pictures", ["inline", "link", "none"])
def test_what_webhooks_are_sent_is_as_it_says(pictures):
    web = WebServer()
    fields = {"kind": "webhook", "url": web.url, "secrets": SECRET, "allow_private": True}
    at = {"pictures": pictures, "pictures_at": "https://x.example"}
    links = face_link_of("hook", "https://x.example", PictureLinks(b"key"))
    alerts = (face_alert(face=b"\xff\xd8", seq=1), activity(seq=2))
    with closing(Webhook(WebhookOptions.model_validate(fields | at), face_link=links)) as channel:
        for alert in alerts:
            for message in (Message("a", "alert", (alert,)), *updates_of(alert)[:1]):
                assert channel.send(message) == Taken()
        assert channel.send(Message("g", "gathered", alerts)) == Taken()
        assert channel.send(Message("t", "test")) == Taken()
    web.close()
    assert len(web.events()) == 6
    assert ("face_url" in web.events()[0]["data"]) == (pictures == "link")
    for event in web.events():
        assert check("mqtt_alerts", event) == [], event["type"]
        assert check("mqtt_alerts", event | {"data": event["data"] | {"more": 1}})


def test_the_channels_of_mqtt_are_whole():
    document = asyncapi()
    for name, topic in TOPICS.items():
        channel = document["channels"][f"mqtt_{name}"]
        assert set(channel["parameters"]) == set(parameters_of(topic.address))
        message = document["components"]["messages"][f"mqtt_{name}"]
        assert message["contentType"] == topic.media
    assert check("mqtt_available", "online") == check("mqtt_available", "offline") == []
    assert check("mqtt_available", "away")


def test_every_type_of_message_is_in_it():
    schema = asyncapi()["components"]["schemas"]["CloudEvent"]
    assert set(schema["properties"]["type"]["enum"]) == set(TYPES.values())
