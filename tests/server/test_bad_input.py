"""Bad input gets a clear answer, loses nothing, and the server goes on."""

from __future__ import annotations

import base64

import pytest

from tests.pictures import bomb

GOOD = {
    "camera_id": "bad-1",
    "camera_location": "Main gate",
    "event_type": "face",
    "timestamp": "2026-05-01T10:00:00Z",
}


@pytest.fixture(autouse=True)
def _still_well(site):
    yield
    assert site.get("/readyz").status_code == 200


def test_pictures_that_are_none(site, faces):
    small_bomb = bomb(30_000, 30_000)
    assert len(small_bomb) < 150_000
    truncated = faces["hopper"][: len(faces["hopper"]) // 2]
    for content in (b"", b"text named .jpg", truncated, small_bomb):
        answer = site.upload(content, "bad-0")
        assert answer.status_code == 400
        assert answer.json()["error"] == "Invalid image"
        assert answer.json()["detail"]


def test_a_body_over_the_limit(site):
    answer = site.upload(bytes(17_000_000), "bad-0")
    assert answer.status_code == 413
    said = "the body is too large: the limit is 16 MB; it is the setting max_body_mb"
    assert answer.json() == {"error": said}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"image": "%%% no base64 %%%"}, "base64"),
        ({"image": 5}, "base64"),
        ({"image": None}, "image"),
        ({"camera_id": None}, "camera_id"),
        ({"camera_id": ""}, "camera_id"),
        ({"camera_id": "x" * 10_000}, "camera_id"),
        ({"camera_id": "a\x00b"}, "camera_id"),
        ({"camera_id": "a\nb"}, "camera_id"),
        ({"camera_location": "a\x1bb"}, "camera_location"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"timestamp": 1714557600}, "timestamp"),
        ({"timestamp": "2026-02-30T10:00:00Z"}, "timestamp"),
        ({"timestamp": "9999-12-31T23:59:59-14:00"}, "timestamp"),
        ({"event_type": ""}, "event_type"),
        ({"event_id": "x" * 10_000}, "event_id"),
    ],
)
def test_fields_that_are_wrong(site, faces, changes, said):
    body = GOOD | {"image": base64.b64encode(faces["hopper"]).decode()} | changes
    answer = site.post("/api/detections", json=body)
    assert answer.status_code == 400
    assert said in answer.json()["error"]
    assert "\n" not in answer.json()["error"]


@pytest.mark.parametrize("missing", ["camera_id", "camera_location", "event_type", "timestamp"])
def test_fields_that_are_missing(site, missing):
    body = {name: value for name, value in GOOD.items() if name != missing}
    answer = site.post("/api/detections", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(missing)


@pytest.mark.parametrize("path", ["/activity_alert", "/api/detections", "/api/criminals"])
@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'"x"', b"null", b"\xff\xfe"])
def test_bodies_that_are_no_json_object(site, path, body):
    answer = site.post(path, data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_face_is_no_activity(site):
    body = {name: GOOD[name] for name in ("camera_id", "camera_location", "event_type")}
    assert site.post("/activity_alert", json=body).status_code == 400


def test_no_such_page_or_method(site):
    for answer in (site.get("/nothing"), site.get("/face_upload")):
        assert answer.status_code in (404, 405)
        assert answer.json()["error"]


def test_nothing_of_it_was_stored(site):
    assert all(alert["camera_id"] != "bad-1" for alert in site.all_alerts())
