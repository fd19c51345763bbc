"""The description of the Socket.IO events leaves none out, and they are as it says."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import jsonschema_rs
import pytest

from susracker.judgement.judging import Judged
from susracker.oversight import Judgement
from susracker.server.contract.asyncapi import EVENTS, asyncapi
from susracker.server.wire import alert_event, alert_updated_event, new_alert_event
from susracker.testing.records import activity, face_alert
from tests.test_docs import emitted_events

NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


def check(event: str, payload: Any) -> list[str]:
    """What is wrong with the payload of an event."""
    document = asyncapi()
    message = document["components"]["messages"][event]
    schema = message["payload"] | {"components": document["components"]}
    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    return [one.message for one in validator.iter_errors(payload)]


def test_every_event_is_in_it():
    assert emitted_events() == EVENTS.keys()
    document = asyncapi()
    assert document["asyncapi"].startswith("3.")
    assert document["channels"]["live"]["messages"].keys() == EVENTS.keys()
    sent = {one["messages"][0]["$ref"] for one in document["operations"].values()}
    assert sent == {f"#/channels/live/messages/{name}" for name in EVENTS}


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
