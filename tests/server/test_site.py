"""The plan of the site over HTTP."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from susracker import open_tracker
from susracker.models import Place, Plan
from susracker.plugins import open_store
from susracker.stores.transfer import copy_store
from tests.server.apps import running_app


@pytest.fixture
def tracker(tmp_path: Any) -> Any:
    with open_tracker(store=f"sqlite:///{tmp_path / 'site.db'}") as opened:
        yield opened


@pytest.fixture
def client(tracker: Any) -> Any:
    with running_app(tracker) as app:
        yield app.test_client()


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 20), "white").save(buffer, "PNG")
    return buffer.getvalue()


def put_plan(client: Any, content: bytes) -> Any:
    return client.put("/api/site/plan", data={"file": (io.BytesIO(content), "plan.png")})


def test_a_plan_is_stored_shown_and_removed(client, tracker):
    assert client.get("/api/site").get_json() == {"plan": None, "places": []}
    assert client.get("/api/site/plan").status_code == 404
    assert put_plan(client, picture()).status_code == 204
    assert client.get("/api/site").get_json()["plan"]["media_type"] == "image/png"
    shown = client.get("/api/site/plan")
    assert (shown.data, shown.content_type) == (picture(), "image/png")
    assert client.delete("/api/site/plan").status_code == 204
    assert client.get("/api/site").get_json()["plan"] is None
    noted = [one.action for one in tracker.store.audit()]
    assert noted == ["site.plan", "site.plan"]


@pytest.mark.parametrize("content", [b"", b"<svg onload=alert(1)>", b"x" * 8_000_001])
def test_what_is_no_picture_or_too_large_is_no_plan(client, content):
    answer = put_plan(client, content)
    assert answer.status_code == 400
    assert answer.get_json()["error"]
    assert client.put("/api/site/plan").status_code == 400


def test_cameras_are_placed_moved_and_taken_off(client):
    for x in (0, 0.5):
        place = {"camera_id": "hall/1 é", "x": x, "y": 1}
        assert client.put("/api/site/places", json=place).status_code == 204
    assert client.get("/api/site").get_json()["places"] == [place]
    gone = client.delete("/api/site/places", query_string={"camera_id": "hall/1 é"})
    assert gone.status_code == 204
    assert client.get("/api/site").get_json()["places"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"camera_id": "gate", "x": 1.1, "y": 0},
        {"camera_id": "gate", "x": -0.1, "y": 0},
        {"camera_id": "gate", "x": "left", "y": 0},
        {"camera_id": "", "x": 0, "y": 0},
        {"camera_id": "gate", "x": 0},
        {"camera_id": "gate", "x": 0, "y": 0, "z": 0},
    ],
)
def test_a_place_outside_the_plan_is_refused(client, wrong):
    assert client.put("/api/site/places", json=wrong).status_code == 400
    assert client.get("/api/site").get_json()["places"] == []


def test_a_copy_of_the_store_has_the_plan(tracker, tmp_path):
    plan, place = Plan("d", "image/png", picture()), Place("gate", 0.25, 0.75)
    tracker.store.put_plan(plan)
    tracker.store.put_place(place)
    with open_store(f"sqlite:///{tmp_path / 'copy.db'}") as target:
        copy_store(tracker.store, target, lambda *step: None)
        assert (target.plan(), target.places()) == (plan, [place])
