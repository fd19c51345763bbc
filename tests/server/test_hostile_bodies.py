"""Bodies made to keep the event loop busy: everybody else is answered meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
import requests

from susracker.server.body import MAX_DEPTH, MAX_VALUES
from tests.server.test_any_body import JSON

FORM = "application/x-www-form-urlencoded"
PARTS = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n'


HELD_UP = 2.0
"""Seconds within which `/healthz` must answer, which takes some milliseconds."""

TRIES = 3
"""A machine that stands still for a moment may hold it up once; a body that does, does it again."""


def longest_wait(site, work: Callable[[], object]) -> float:
    """Seconds that `/healthz` takes at most while something else runs."""
    worker = threading.Thread(target=work)
    longest, session = 0.0, requests.Session()
    session.get(f"{site.url}/healthz", timeout=60)
    worker.start()
    while worker.is_alive():
        started = time.monotonic()
        assert session.get(f"{site.url}/healthz", timeout=60).status_code == 200
        longest = max(longest, time.monotonic() - started)
    return longest


@pytest.mark.parametrize(
    ("path", "kind", "body", "status"),
    [
        ("/api/detections", JSON, b'{"image": "' + b" " * 100_000 + b'"}', 400),
        ("/api/detections", JSON, b'{"image": "' + b" " * 15_000_000 + b'"}', 400),
        ("/api/criminals", JSON, b'{"images": [' + b'"",' * 4_000_000 + b'""]}', 400),
        ("/api/criminals", JSON, b"[" * 15_000_000, 400),
        ("/api/criminals", JSON, b'{"images": ' + b"[[]," * 3_000_000 + b"[]]}", 400),
        ("/api/criminals", FORM, b"a&" * 7_500_000, 413),
        ("/face_upload", FORM, b"a&" * 7_500_000, 400),
        ("/face_upload", "multipart/form-data; boundary=x", PARTS * 250_000, 413),
        ("/face_upload", "multipart/form-data; boundary=x", b"\r\n" * 7_500_000, 400),
    ],
)
def test_no_body_holds_up_the_loop(site, path, kind, body, status):
    answers = []

    def post() -> None:
        answers.append(site.post(path, data=body, headers={"Content-Type": kind}))

    assert any(longest_wait(site, post) < HELD_UP for _ in range(TRIES))
    assert {answer.status_code for answer in answers} == {status}
    assert answers[0].json()["error"]


@pytest.mark.parametrize("path", ["/api/detections", "/activity_alert", "/api/criminals"])
def test_json_is_bounded(site, path):
    deep = b'{"a": ' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}"
    many = b'{"a": [' + b"1," * MAX_VALUES + b"1]}"
    for body, said in ((deep, "too deeply"), (many, f"{MAX_VALUES:,} values")):
        answer = site.post(path, data=body, headers={"Content-Type": JSON})
        assert (answer.status_code, said in answer.json()["error"]) == (400, True)


def test_fields_that_nobody_knows_may_be_nested(site):
    body = {"camera_id": "nested", "camera_location": "x", "event_type": "crowd"}
    boxes = [[1, 2, 3, 4]] * 500
    answer = site.post("/activity_alert", json=body | {"boxes": boxes})
    assert answer.json() == {"message": "Alert sent", "left_out": ["boxes"]}


def test_a_large_picture_is_taken_as_ever(site, faces):
    picture = faces["hopper"] + bytes(1_000_000)
    assert "Match found" in site.upload(picture, "large").json()["message"]


def test_a_form_without_files_still_enrols(site):
    answer = site.post("/api/criminals", data={"name": "Ada", "crimes": ["fraud", "arson"]})
    assert answer.status_code == 201
    assert answer.json()["crimes"] == ["fraud", "arson"]
