"""Faces by signed links: for whom a webhook told, for a while, and for nobody else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from susracker import open_tracker
from susracker.access.issuing import issue
from susracker.access.links import Link
from susracker.server.service import EXTENSION
from susracker.testing.records import activity, criminal, face_alert
from tests.server.apps import running_app

FACE = b"\xff\xd8 a face"


@pytest.fixture
def tracker(tmp_path: Any) -> Iterator[Any]:
    with open_tracker(store=f"sqlite:///{tmp_path / 'site.db'}") as opened:
        yield opened


@pytest.fixture
def app(tracker: Any) -> Iterator[Any]:
    issue(tracker.store, "admin", "Jo", None, None, datetime.now(timezone.utc))
    with running_app(tracker) as made:
        yield made


@pytest.fixture
def alert(tracker: Any) -> Any:
    tracker.store.add_criminal(criminal("c1"))
    return tracker.store.record([], [face_alert(face=FACE)])[0]


def address(app: Any, alert: Any, seconds: float = 60, **changed: str) -> str:
    links = app.extensions[EXTENSION].links
    made = links.address("https://x.example", Link(alert.id, "hook", int(time.time() + seconds)))
    parts = urlsplit(made)
    return f"{parts.path}?{urlencode(dict(parse_qsl(parts.query)) | changed)}"


def test_a_link_shows_the_face_without_a_key_and_is_noted(app, alert, tracker):
    answer = app.test_client().get(address(app, alert))
    assert (answer.status_code, answer.mimetype, answer.data) == (200, "image/jpeg", FACE)
    assert answer.headers["Cache-Control"] == "no-store"
    entry = tracker.store.audit(limit=100)[-1]
    assert (entry.actor, entry.role) == ("link for hook", "link")
    assert (entry.action, entry.subject) == ("alert.picture", alert.id)


def test_a_link_that_has_ended_is_gone(app, alert):
    answer = app.test_client().get(address(app, alert, -1))
    assert answer.status_code == 410
    assert "has ended" in answer.get_json()["error"]
    assert FACE not in answer.data


@pytest.mark.parametrize(
    "changed",
    [
        {"until": str(2**40)},
        {"receiver": "other"},
        {"signature": "A" * 43},
        {"signature": "ä"},
    ],
)
def test_a_link_that_was_changed_is_refused(app, alert, changed):
    assert app.test_client().get(address(app, alert, **changed)).status_code == 403


def test_a_link_is_for_one_alert(app, alert, tracker):
    (other,) = tracker.store.record([], [face_alert(face=FACE)])
    where = address(app, alert).replace(alert.id, other.id)
    assert app.test_client().get(where).status_code == 403


def test_a_part_that_is_missing_is_told(app, alert):
    where = address(app, alert).partition("&signature")[0]
    answer = app.test_client().get(where)
    assert answer.status_code == 400
    assert "signature" in answer.get_json()["error"]


def test_a_parameter_that_is_not_of_the_link_is_refused(app, alert):
    answer = app.test_client().get(address(app, alert, size="64"))
    assert answer.status_code == 400
    assert "'size'" in answer.get_json()["error"]


def test_an_alert_without_a_face_is_not_found(app, tracker):
    (made,) = tracker.store.record([], [activity()])
    assert app.test_client().get(address(app, made)).status_code == 404
