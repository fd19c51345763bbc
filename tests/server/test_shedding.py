"""What is beyond the queue is refused before it is parsed, and as the route would refuse it."""

from __future__ import annotations

import base64
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent
import pytest
import requests
from flask import Flask
from werkzeug.exceptions import RequestTimeout
from werkzeug.test import create_environ, run_wsgi_app

from susracker import open_tracker
from susracker.server.service import EXTENSION
from susracker.server.shedding import camera_in
from tests.pictures import HOPPER
from tests.server.apps import running_app
from tests.waiting import PATIENCE

ESCAPED = "g\\u0061te"
"""The id of the camera "gate" in JSON, so that only a parser finds it."""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    settings = {"store": f"sqlite:///{tmp_path / 'site.db'}", "queue_size": 20, "workers": 1}
    with open_tracker(**settings) as tracker, running_app(tracker) as opened:
        yield opened


@contextmanager
def full_for(app: Flask, camera: str) -> Iterator[None]:
    """So many detections of a camera wait as may."""
    gate, work = threading.Event(), app.extensions[EXTENSION].work
    waiting = []
    while not work.is_full_for(camera):
        waiting.append(gevent.spawn(work.call, camera, gate.wait, PATIENCE))
        gevent.sleep(0.01)
    yield
    gate.set()
    gevent.joinall(waiting, timeout=60)


def post(app: Flask, camera: str, **headers: str) -> Any:
    image = base64.b64encode(HOPPER.read_bytes()).decode()
    known = '"event_type": "face", "timestamp": "2026-11-01T12:00:00Z"'
    place = f'"camera_id": "{camera}", "camera_location": "door"'
    body = f'{{{known}, "image": "{image}", {place}}}'
    found = {"content_type": "application/json", **headers}
    return app.test_client().post("/api/detections", data=body, **found)


def test_the_surplus_is_refused_as_the_route_refuses_it(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="susracker.server.post_log")
    with full_for(app, "gate"):
        early, late = post(app, "gate"), post(app, ESCAPED)
        assert early.status_code == late.status_code == 503
        assert early.data == late.data
        for header in ("Content-Type", "Retry-After", "Content-Length"):
            assert early.headers[header] == late.headers[header]
        metrics = app.test_client().get("/metrics").text
    assert 'method="POST",route="/api/detections",status="503"} 2.0' in metrics
    assert [one.getMessage() for one in caplog.records] == [
        "refused a post to /api/detections of camera 'gate' from 127.0.0.1: 503, "
        "too many detections are waiting; try again"
    ]
    assert post(app, "gate").status_code == 200


def test_another_camera_is_let_in_meanwhile(app: Flask) -> None:
    with full_for(app, "gate"):
        sent = gevent.spawn(post, app, "door")
        gevent.sleep(0.1)
        assert not sent.ready()
    assert sent.get(timeout=60).status_code == 200


def test_a_web_page_is_answered_by_the_route(app: Flask) -> None:
    with full_for(app, "gate"):
        answer = post(app, "gate", headers={"Origin": "http://localhost"})
    assert (answer.status_code, answer.json["error"][:8]) == (503, "too many")


def test_a_body_that_does_not_arrive_is_told_so_by_the_route(app: Flask) -> None:
    class Late:
        def read(self, length: int = -1) -> bytes:
            raise RequestTimeout("the body did not arrive in time")

    environ = create_environ("/api/detections", method="POST", content_type="application/json")
    environ |= {"wsgi.input": Late(), "CONTENT_LENGTH": "100", "REMOTE_ADDR": "127.0.0.1"}
    with full_for(app, "gate"):
        _, status, _ = run_wsgi_app(app, environ)
    assert status.startswith("408 ")


@pytest.mark.parametrize(
    ("body", "camera"),
    [
        (b'{"camera_id":"gate"}', "gate"),
        (b'{"image": "YWJj", "camera_id" : "north gate", "x": 1}', "north gate"),
        (b'{"camera_id": 7}', "7"),
        ('{"camera_id": "Tür"}'.encode(), "Tür"),
        (b'{"camera_id": "g\\u0061te"}', None),
        (b'{"camera": "gate"}', None),
        (b"", None),
        (b'"camera_id":' + b" " * 100_000, None),
        (b'name="camera_id"\r\n' * 10_000, None),
    ],
)
def test_the_camera_is_found_without_parsing(body: bytes, camera: str | None) -> None:
    assert camera_in(body) == camera


def test_the_camera_is_found_in_a_form() -> None:
    form = {"file": ("a.jpg", HOPPER.read_bytes()), "camera_id": (None, "gate 7")}
    sent = requests.Request("POST", "http://localhost", files=form).prepare()
    assert isinstance(sent.body, bytes)
    assert camera_in(sent.body) == "gate 7"
