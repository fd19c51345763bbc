"""What the log says of alerts and of refused posts, and what it never says."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from susracker.access.issuing import issue
from susracker.enrolment.enroller import Enroller
from susracker.models import Criminal
from susracker.server.app import create_app
from susracker.server.post_log import SPAN, Rationed
from susracker.tracking.tracker import Tracker
from tests.pictures import HOPPER
from tests.server.apps import running_app, site_tracker

NAME = "Grace Hopper"


@pytest.fixture
def tracker(tmp_path: Path) -> Iterator[Tracker]:
    with site_tracker(tmp_path, cooldown_seconds=0) as opened:
        yield opened


@pytest.fixture
def client(tracker: Tracker, caplog: pytest.LogCaptureFixture) -> Iterator[Any]:
    caplog.set_level(logging.DEBUG, logger="susracker")
    with running_app(tracker) as app:
        yield app.test_client()


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [
        (one.levelname, one.getMessage())
        for one in caplog.records
        if one.name == "susracker.server.post_log"
    ]


def upload(client: Any, content: bytes, **fields: str) -> Any:
    return client.post("/face_upload", data={"file": (io.BytesIO(content), "a.jpg"), **fields})


def test_an_alert_is_a_line_without_face_or_name(
    client: Any, tracker: Tracker, caplog: pytest.LogCaptureFixture
) -> None:
    enroller = Enroller(tracker.store, tracker.encoder)
    enroller.enroll(Criminal("c1", NAME), [enroller.prepare(HOPPER.read_bytes())])
    tracker.refresh()
    assert upload(client, HOPPER.read_bytes(), camera_id="gate").get_json()["match"]
    client.post("/activity_alert", json={"event_type": "violence", "camera_id": "hall"})
    assert lines(caplog) == [
        ("INFO", "alert 1 (face) of camera 'gate' by /face_upload"),
        ("INFO", "alert 2 (violence) of camera 'hall' by /activity_alert"),
    ]
    assert NAME not in caplog.text
    assert base64.b64encode(HOPPER.read_bytes()).decode()[:40] not in caplog.text


@pytest.mark.parametrize(
    ("path", "body", "line"),
    [
        (
            "/activity_alert",
            {"camera_id": "hall", "event_type": "face"},
            "/activity_alert of camera 'hall' from 127.0.0.1: 400, event_type: post faces",
        ),
        (
            "/api/detections",
            {"camera_id": "hall\nalert 7", "camera_location": "", "event_type": "x"},
            "/api/detections of camera 'hall\\nalert 7' from 127.0.0.1: 400, camera_id: must not",
        ),
        ("/activity_alert", [1], "/activity_alert from 127.0.0.1: 400, the body must be"),
        ("/activity_alert?x=\n", None, "/activity_alert from 127.0.0.1: 400, the body must be"),
        ("/face%0Aupload", {"camera_id": "hall"}, "'/face\\nupload' from 127.0.0.1: 404, "),
    ],
)
def test_a_refused_post_is_a_line(
    client: Any, caplog: pytest.LogCaptureFixture, path: str, body: Any, line: str
) -> None:
    assert client.post(path, json=body).status_code >= 400
    ((level, said),) = lines(caplog)
    assert level == "WARNING"
    assert said.startswith(f"refused a post to {line}")
    assert "\n" not in said


def test_a_picture_that_cannot_be_read_is_a_line_with_the_reason(
    client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        assert upload(client, b"no picture", camera_id="gate").status_code == 400
    ((_, said),) = lines(caplog)
    start = "refused a post to /face_upload of camera 'gate' from 127.0.0.1: 400, Invalid image: "
    assert said.startswith(start)
    assert len(said) > len(start)


def test_a_wrong_key_is_not_in_the_line(
    client: Any, tracker: Tracker, caplog: pytest.LogCaptureFixture
) -> None:
    issue(tracker.store, "admin", "Jo Secret", None, None, datetime.now(timezone.utc))
    headers = {"X-API-Key": "sus_wrong_0123456789"}
    answer = client.post("/activity_alert", json={"camera_id": "hall"}, headers=headers)
    assert answer.status_code == 401
    ((_, said),) = lines(caplog)
    assert said.startswith("refused a post to /activity_alert from 127.0.0.1: 401, ")
    assert "0123456789" not in caplog.text
    assert "Secret" not in caplog.text


def test_what_a_person_posts_and_what_nobody_matched_is_no_line(
    client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.post("/api/criminals", json={"name": ""}).status_code == 400
    assert upload(client, HOPPER.read_bytes(), camera_id="gate").status_code == 200
    assert lines(caplog) == []


def test_lines_are_rationed(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    rationed = Rationed("refused posts", logging.WARNING, 2, lambda: now[0])
    for line in ("a", "a", "b", "c", "a"):
        rationed.say(line)
    assert [one for _, one in lines(caplog)] == ["a", "b"]
    now[0] += SPAN
    rationed.say("a")
    assert [one for _, one in lines(caplog)][2:] == ["refused posts left out of the log: 3", "a"]


def test_a_page_of_another_origin_is_told_the_setting_in_the_log(
    tracker: Tracker, caplog: pytest.LogCaptureFixture
) -> None:
    app: Flask = create_app(tracker)
    origin = {"Origin": "https://panel.example:3000"}
    assert app.test_client().post("/face_upload", headers=origin).status_code == 403
    assert "--allowed-origins https://panel.example:3000" in caplog.text
