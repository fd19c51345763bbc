"""Programs that ask CompreFace: its documented requests, and the answers that they read."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import requests
from PIL import Image

from susracker import open_tracker
from susracker.enrolment.fields import criminal_from_fields
from susracker.errors import StoreUnavailableError
from susracker.models import Candidate
from susracker.server.compreface import LOWEST_MATCH, UNKNOWN, similarity
from tests.pictures import COLLINS, HOPPER
from tests.server.apps import running_app, site_tracker
from tests.server.conftest import Site

API = "/api/v1/recognition"


@pytest.fixture
def tracker(tmp_path: Any) -> Iterator[Any]:
    with open_tracker(store=f"sqlite:///{tmp_path / 'site.db'}") as opened:
        yield opened


@pytest.fixture
def client(tracker: Any) -> Iterator[Any]:
    with running_app(tracker) as app:
        yield app.test_client()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    running = Site(tmp_path_factory.mktemp("site"), enrolled=False)
    yield running
    running.server.stop()


def file_of(content: bytes) -> dict[str, Any]:
    return {"file": (io.BytesIO(content), "photo.jpg")}


def train(client: Any, subject: str, content: bytes) -> Any:
    return client.post(f"{API}/faces?subject={subject}", data=file_of(content))


def recognize(client: Any, content: bytes, query: str = "") -> Any:
    return client.post(f"{API}/recognize{query}", data=file_of(content))


def smaller(content: bytes) -> bytes:
    buffer = io.BytesIO()
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    picture.resize((picture.width * 3 // 4, picture.height * 3 // 4)).save(buffer, "JPEG")
    return buffer.getvalue()


def wall() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (200, 200), (130, 130, 130)).save(buffer, "PNG")
    return buffer.getvalue()


# -- what Double Take asks, and reads --------------------------------------------------------------


def test_a_trained_face_is_recognised_and_a_stranger_is_not(client):
    made = train(client, "grace", HOPPER.read_bytes())
    assert made.status_code == 201
    assert made.get_json().keys() == {"image_id", "subject"}
    query = "?face_plugins=mask,gender,age,pose&det_prob_threshold=0.8"
    found = recognize(client, smaller(HOPPER.read_bytes()), query).get_json()
    (face,) = found["result"]
    (subject,) = face["subjects"]
    assert subject["subject"] == "grace"
    assert LOWEST_MATCH <= subject["similarity"] <= 1
    box = face["box"]
    assert {type(value) for value in box.values()} == {int}
    assert 0 <= box["x_min"] < box["x_max"]
    assert 0 <= box["y_min"] < box["y_max"]
    (other,) = recognize(client, COLLINS.read_bytes()).get_json()["result"]
    assert all(one["similarity"] < UNKNOWN for one in other["subjects"])


def test_a_picture_without_a_face_is_error_28(client):
    for answer in (recognize(client, wall()), train(client, "wall", wall())):
        assert answer.status_code == 400
        body = answer.get_json()
        assert body["code"] == 28
        assert body["message"] == body["detail"] == body["error"]
    assert client.get(f"{API}/subjects").get_json() == {"subjects": []}


def test_the_photos_of_a_name_are_removed_and_trained_again(client):
    train(client, "grace", HOPPER.read_bytes())
    assert client.delete(f"{API}/faces?subject=grace").get_json() == {"deleted": 1}
    assert recognize(client, HOPPER.read_bytes()).get_json()["result"][0]["subjects"] == []
    assert client.get(f"{API}/subjects/").get_json() == {"subjects": ["grace"]}
    assert train(client, "grace", HOPPER.read_bytes()).status_code == 201
    assert len(client.get("/api/criminals").get_json()["criminals"]) == 1


def test_photos_that_someone_else_removes_at_the_same_time_are_no_error(
    client, tracker, monkeypatch
):
    for content in (HOPPER.read_bytes(), smaller(HOPPER.read_bytes())):
        assert train(client, "grace", content).status_code == 201
    read = tracker.store.photo_ids

    def read_and_lose_one(criminal_id: str) -> list[str]:
        found = read(criminal_id)
        tracker.store.remove_photo(criminal_id, found[0])
        return found

    with monkeypatch.context() as at_that_moment:
        at_that_moment.setattr(tracker.store, "photo_ids", read_and_lose_one)
        assert client.delete(f"{API}/faces?subject=grace").get_json() == {"deleted": 1}
    assert client.get(f"{API}/faces?subject=grace").get_json()["faces"] == []


def test_photos_that_are_gone_match_nobody_even_if_a_later_one_cannot_be_removed(
    tmp_path, monkeypatch
):
    # Nothing else follows the store meanwhile.
    with site_tracker(tmp_path, follow_seconds=60) as tracker, running_app(tracker) as app:
        client = app.test_client()
        for content in (HOPPER.read_bytes(), smaller(HOPPER.read_bytes())):
            train(client, "grace", content)
        (person,) = tracker.store.criminals()
        _, later = tracker.store.photo_ids(person.id)
        remove = tracker.store.remove_photo

        def remove_only_the_first(criminal_id: str, photo_id: str) -> None:
            if photo_id == later:
                raise StoreUnavailableError("unplugged")
            remove(criminal_id, photo_id)

        monkeypatch.setattr(tracker.store, "remove_photo", remove_only_the_first)
        assert tracker.watchlist.counts == {2: 1}
        assert client.delete(f"{API}/faces?subject=grace").status_code == 503
        assert tracker.watchlist.counts == {1: 1}
        assert tracker.store.photo_ids(person.id) == [later]
        noted = [one.action for one in tracker.store.audit(limit=10)]
        assert noted[-1] == "criminal.remove_photo"


def test_a_training_that_is_refused_says_why(client):
    train(client, "grace", HOPPER.read_bytes())
    again = train(client, "grace", HOPPER.read_bytes())
    assert again.status_code == 409
    assert "enrolled already" in again.get_json()["message"]
    unlike = train(client, "grace", COLLINS.read_bytes())
    assert unlike.status_code == 400
    assert unlike.get_json()["message"]


def test_two_photos_of_a_new_name_at_once_make_one_person(client, tracker, monkeypatch):
    train(client, "grace", HOPPER.read_bytes())
    known, before = tracker.store.criminals_named, [[]]
    monkeypatch.setattr(
        tracker.store, "criminals_named", lambda name: before.pop() if before else known(name)
    )
    made = train(client, "grace", smaller(HOPPER.read_bytes()))
    assert made.status_code == 201
    monkeypatch.undo()
    (person,) = tracker.store.criminals()
    assert tracker.store.photo_ids(person.id)[-1] == made.get_json()["image_id"]
    assert len(tracker.store.photo_ids(person.id)) == 2


# -- the rest of what is documented ----------------------------------------------------------------


def test_subjects_are_added_renamed_listed_and_removed(client):
    added = client.post(f"{API}/subjects", json={"subject": "Ada Nowak"})
    assert (added.status_code, added.get_json()) == (201, {"subject": "Ada Nowak"})
    assert client.post(f"{API}/subjects", json={"subject": "Ada Nowak"}).status_code == 409
    renamed = client.put(f"{API}/subjects/Ada%20Nowak", json={"subject": "Ada Nowak-Lis"})
    assert renamed.get_json() == {"updated": True}
    client.post(f"{API}/subjects", json={"subject": "Bo"})
    assert client.get(f"{API}/subjects").get_json() == {"subjects": ["Ada Nowak-Lis", "Bo"]}
    assert client.put(f"{API}/subjects/Bo", json={"subject": "Ada Nowak-Lis"}).status_code == 409
    assert client.delete(f"{API}/subjects/Bo").get_json() == {"subject": "Bo"}
    assert client.delete(f"{API}/subjects/Bo").status_code == 404


@pytest.mark.parametrize(
    "name",
    ["Ada/Bo", "/Ada", "Ada/", "Ada//Bo", "a/../b", "a%2Fb", "Zoë Müller/1 ?#;=&+", "subjects/"],
)
def test_a_name_with_a_slash_is_renamed_and_removed_as_clients_send_it(site, name):
    people = f"{site.url}{API}/subjects"
    other = f"{name}/2"

    def of(subject: str) -> str:
        return f"{people}/{quote(subject, safe='')}"

    assert site.post(f"{API}/subjects", json={"subject": name}).status_code == 201
    renamed = requests.put(of(name), json={"subject": other}, timeout=60)
    assert renamed.json() == {"updated": True}
    assert site.get(f"{API}/subjects").json() == {"subjects": [other]}
    assert requests.delete(of(name), timeout=60).status_code == 404
    assert requests.delete(of(other), timeout=60).json() == {"subject": other}
    assert site.get(f"{API}/subjects").json() == {"subjects": []}


def test_all_subjects_are_not_removed_at_once(client):
    client.post(f"{API}/subjects", json={"subject": "Bo"})
    assert client.delete(f"{API}/subjects").status_code == 405
    assert client.delete(f"{API}/faces").status_code == 400
    assert client.get(f"{API}/subjects").get_json() == {"subjects": ["Bo"]}


def test_faces_are_listed_page_by_page(client):
    train(client, "grace", HOPPER.read_bytes())
    train(client, "grace", smaller(HOPPER.read_bytes()))
    train(client, "eileen", COLLINS.read_bytes())
    pages = [client.get(f"{API}/faces?page={n}&size=2").get_json() for n in range(3)]
    assert [[one["subject"] for one in page["faces"]] for page in pages] == [
        ["eileen", "grace"],
        ["grace"],
        [],
    ]
    first = pages[0]
    assert (first["page_number"], first["page_size"]) == (0, 2)
    assert (first["total_pages"], first["total_elements"]) == (2, 3)
    of_one = client.get(f"{API}/faces?subject=grace").get_json()
    assert (len(of_one["faces"]), of_one["page_size"], of_one["total_pages"]) == (2, 20, 1)
    assert client.get(f"{API}/faces?subject=nobody").status_code == 404


def test_a_face_is_shown_and_removed_by_its_id(client):
    made = train(client, "grace", HOPPER.read_bytes()).get_json()
    where = f"{API}/faces/{made['image_id']}"
    assert client.get(f"{where}/img").data == HOPPER.read_bytes()
    assert client.delete(where).get_json() == made
    assert client.delete(where).status_code == 404
    assert client.get(f"{where}/img").status_code == 404


def test_photos_may_come_as_base64(client):
    image = base64.b64encode(HOPPER.read_bytes()).decode()
    assert client.post(f"{API}/faces?subject=grace", json={"file": image}).status_code == 201
    found = client.post(f"{API}/recognize", json={"file": image}).get_json()
    assert found["result"][0]["subjects"][0]["subject"] == "grace"
    assert client.post(f"{API}/recognize", json={"image": image}).status_code == 400


def test_faces_and_predictions_are_limited(client, tracker):
    train(client, "grace", HOPPER.read_bytes())
    train(client, "eileen", COLLINS.read_bytes())
    both = Image.new("RGB", (1100, 700))
    for place, path in enumerate((HOPPER, COLLINS)):
        both.paste(Image.open(path).convert("RGB").resize((512, 600)), (place * 550, 50))
    buffer = io.BytesIO()
    both.save(buffer, "PNG")
    everyone = recognize(client, buffer.getvalue(), "?prediction_count=2").get_json()["result"]
    assert [len(face["subjects"]) for face in everyone] == [2, 2]
    for face in everyone:
        best, other = (one["similarity"] for one in face["subjects"])
        assert best >= LOWEST_MATCH
        assert other < UNKNOWN
    (largest,) = recognize(client, buffer.getvalue(), "?limit=1").get_json()["result"]
    assert largest["box"] == everyone[0]["box"]
    assert len(largest["subjects"]) == 1


@pytest.mark.parametrize(
    "query", ["?limit=-1", "?det_prob_threshold=2", "?prediction_count=0", "?threshold=0.5"]
)
def test_a_wrong_parameter_is_refused(client, query):
    answer = recognize(client, HOPPER.read_bytes(), query)
    assert answer.status_code == 400
    assert answer.get_json()["message"]


def test_a_name_that_several_people_have_is_refused(client, tracker):
    for _ in range(2):
        tracker.store.add_criminal(criminal_from_fields({"name": "Jo"}))
    for answer in (
        train(client, "Jo", HOPPER.read_bytes()),
        client.delete(f"{API}/subjects/Jo"),
        client.get(f"{API}/faces?subject=Jo"),
    ):
        assert answer.status_code == 409
        assert "/api/criminals" in answer.get_json()["message"]
    assert client.get(f"{API}/subjects").get_json() == {"subjects": ["Jo"]}


# -- what is ours ----------------------------------------------------------------------------------


def test_nothing_is_kept_of_a_stranger_and_no_alert_is_raised(client, tracker):
    train(client, "grace", HOPPER.read_bytes())
    before = tracker.store.last_seq(), tracker.store.revision(), tracker.cameras()
    recognize(client, COLLINS.read_bytes())
    recognize(client, smaller(HOPPER.read_bytes()))
    assert (tracker.store.last_seq(), tracker.store.revision(), tracker.cameras()) == before
    (person,) = tracker.store.criminals()
    assert tracker.store.sightings(person.id) == []


def test_each_look_and_each_change_is_noted_by_id(client, tracker):
    made = train(client, "grace", HOPPER.read_bytes()).get_json()
    train(client, "grace", smaller(HOPPER.read_bytes()))
    (person,) = tracker.store.criminals()
    recognize(client, smaller(HOPPER.read_bytes()), "?reason=visit")
    client.get(f"{API}/subjects")
    client.get(f"{API}/faces/{made['image_id']}/img")
    client.delete(f"{API}/faces/{made['image_id']}")
    client.put(f"{API}/subjects/grace", json={"subject": "amy"})
    client.delete(f"{API}/subjects/amy")
    entries = tracker.store.audit(limit=1000)
    assert [(one.action, one.subject) for one in entries] == [
        ("criminal.add", person.id),
        ("criminal.edit", person.id),
        ("criminal.find", ""),
        ("criminal.list", ""),
        ("criminal.photo", person.id),
        ("criminal.remove_photo", person.id),
        ("criminal.edit", person.id),
        ("criminal.remove", person.id),
    ]
    assert json.loads(entries[2].detail) == {"faces": 1, "shown": [person.id]}
    assert entries[2].reason == "visit"
    assert not any("grace" in f"{one.detail}{one.subject}" for one in entries)


def test_similarity_follows_the_decision_and_then_the_score():
    def told(fpir: float, *, is_match: bool) -> float:
        return similarity(Candidate("1", "Jo", 0.3, 5.0, fpir), is_match=is_match)

    falling = [
        told(0, is_match=True),
        told(0.001, is_match=True),
        told(0.5, is_match=True),
        told(0.01, is_match=False),
        told(0.5, is_match=False),
        told(1, is_match=False),
    ]
    assert falling == sorted(falling, reverse=True)
    assert falling[2] >= LOWEST_MATCH > UNKNOWN > falling[3]
    assert (falling[0], falling[-1]) == (1, 0)
