"""Finding: whom a photo resembles, and whether it could be enrolled."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from PIL import Image

from susracker import open_tracker
from susracker.enrolment.enroller import Enroller
from susracker.enrolment.fields import criminal_from_fields
from susracker.errors import StoreUnavailableError
from susracker.stores.sqlite.access import SqliteAccess
from tests.pictures import COLLINS, HOPPER
from tests.server.apps import running_app


@pytest.fixture(scope="module")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("find")
    with open_tracker(store=f"sqlite:///{folder / 'site.db'}") as opened:
        enroller = Enroller(opened.store, opened.encoder)
        hopper = criminal_from_fields({"name": "Grace"})
        enroller.add(hopper, [enroller.prepare(HOPPER.read_bytes())])
        opened.refresh()
        yield opened


@pytest.fixture(scope="module")
def client(tracker: Any) -> Any:
    with running_app(tracker) as app:
        yield app.test_client()


def search(client: Any, content: bytes, where: str = "/api/find") -> Any:
    return client.post(where, data={"file": (io.BytesIO(content), "photo.jpg")})


def smaller(path: Path) -> bytes:
    buffer = io.BytesIO()
    picture = Image.open(path).convert("RGB")
    picture.resize((picture.width * 3 // 4, picture.height * 3 // 4)).save(buffer, "JPEG")
    return buffer.getvalue()


def test_another_copy_of_a_photo_is_found_and_says_where_the_face_is(client):
    found = search(client, smaller(HOPPER)).get_json()
    (face,) = found["faces"]
    assert face["is_match"]
    assert face["candidates"][0]["name"] == "Grace"
    assert face["candidates"][0]["fpir"] < 0.001
    box = face["box"]
    assert 0 <= box["left"] < box["right"] <= found["width"] < found["height"]
    photo = face["candidates"][0]["photo"]
    where = f"/api/criminals/{face['candidates'][0]['criminal_id']}/photos/{photo}"
    assert client.get(where).data == HOPPER.read_bytes()
    assert found["enrolment"]["refused"] is None
    assert found["enrolment"]["quality"]["eye_distance"] > 18
    assert found["enrolment"]["enrolled_as"] is None


def test_a_stranger_resembles_someone_and_matches_nobody(client):
    face = search(client, smaller(COLLINS)).get_json()["faces"][0]
    assert [one["name"] for one in face["candidates"]] == ["Grace"]
    assert not face["is_match"]


def test_the_very_photo_is_told_to_be_enrolled_and_json_does_as_well(client):
    image = base64.b64encode(HOPPER.read_bytes()).decode()
    found = client.post("/api/find", json={"image": image}).get_json()
    assert found["enrolment"]["enrolled_as"]["name"] == "Grace"


def test_whose_photo_it_is_is_noted_even_if_nobody_looks_for_them(client, tracker):
    (person,) = tracker.store.criminals()
    where = f"/api/criminals/{person.id}"
    assert client.put(where, json={"status": "apprehended"}).status_code == 200
    found = search(client, HOPPER.read_bytes()).get_json()
    assert client.put(where, json={"status": "wanted"}).status_code == 200
    assert [face["candidates"] for face in found["faces"]] == [[]]
    assert found["enrolment"]["enrolled_as"]["id"] == person.id
    (entry,) = [one for one in tracker.store.audit(limit=1000) if one.action == "criminal.find"][
        -1:
    ]
    assert person.id in entry.detail


def test_a_search_that_cannot_be_noted_is_not_answered(client):
    broken = patch.object(SqliteAccess, "append_audit", side_effect=StoreUnavailableError("no"))
    with broken:
        answer = search(client, HOPPER.read_bytes())
    assert answer.status_code == 503
    assert "Grace" not in answer.text


def test_what_cannot_be_enrolled_says_why(client):
    buffer = io.BytesIO()
    Image.fromarray(np.full((200, 200, 3), 130, np.uint8)).save(buffer, "PNG")
    found = search(client, buffer.getvalue()).get_json()
    assert found["faces"] == []
    assert "no face" in found["enrolment"]["refused"]


def test_nothing_is_kept_but_that_someone_looked(client, tracker):
    before = tracker.store.last_seq(), tracker.store.revision(), tracker.cameras()
    (face,) = search(client, smaller(HOPPER), "/api/find?reason=visit").get_json()["faces"]
    assert (tracker.store.last_seq(), tracker.store.revision(), tracker.cameras()) == before
    (person,) = tracker.store.criminals()
    assert tracker.store.sightings(person.id) == []
    entry = tracker.store.audit(limit=1000)[-1]
    assert (entry.action, entry.reason) == ("criminal.find", "visit")
    assert face["candidates"][0]["criminal_id"] in entry.detail


@pytest.mark.parametrize("body", [{}, {"image": 5}, {"image": "%%"}, [], {"image": "aGVsbG8="}])
def test_without_a_picture_the_answer_says_what_to_do(client, body):
    answer = client.post("/api/find", json=body)
    assert answer.status_code == 400
    assert answer.get_json()["error"]


def test_one_photo_at_a_time(client):
    two = [(io.BytesIO(HOPPER.read_bytes()), f"{n}.jpg") for n in range(2)]
    assert client.post("/api/find", data={"file": two}).status_code == 400
