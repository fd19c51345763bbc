"""`ETag`, `If-Match` and `Idempotency-Key`: nothing is sent, changed or stored twice by mistake."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import Any

import pytest
import requests

from susracker import open_tracker
from tests.pictures import HOPPER
from tests.server.apps import running_app


@pytest.fixture
def client(tmp_path):
    url = f"sqlite:///{tmp_path / 'site.db'}"
    with open_tracker(store=url, cooldown_seconds=0) as tracker, running_app(tracker) as app:
        yield app.test_client()


def photo() -> str:
    return base64.b64encode(HOPPER.read_bytes()).decode()


def add(client: Any, name: str = "Ada", key: str | None = None, **more: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post("/api/criminals", json={"name": name} | more, headers=headers)


def people(client: Any) -> list[Any]:
    return client.get("/api/criminals").get_json()["criminals"]


def alert(client: Any) -> str:
    client.post("/activity_alert", json={"event_type": "fire"})
    return client.get("/api/alerts").get_json()["alerts"][0]["id"]


# -- what a client has already ---------------------------------------------------------------------

LISTS = ("/api/alerts", "/api/criminals", "/api/cameras", "/api/alerts/stats", "/healthz")


@pytest.mark.parametrize("path", LISTS)
def test_what_has_not_changed_is_not_sent_again(client, path):
    tag = client.get(path).headers["ETag"]
    again = client.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    assert client.get(path, headers={"If-None-Match": f"W/{tag}"}).status_code == 304
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_list_that_changed_is_sent(client):
    tag = client.get("/api/criminals").headers["ETag"]
    add(client)
    again = client.get("/api/criminals", headers={"If-None-Match": tag})
    assert again.status_code == 200
    assert again.get_json()["criminals"]


def test_an_error_has_no_tag(client):
    assert "ETag" not in client.get("/api/criminals/nobody").headers
    assert "ETag" not in client.get("/api/criminals?limit=0").headers


# -- edits -----------------------------------------------------------------------------------------


def test_an_edit_of_what_changed_meanwhile_is_refused(client):
    added = add(client)
    where, first = added.headers["Location"], added.headers["ETag"]
    assert client.get(where).headers["ETag"] == first
    edited = client.put(where, json={"age": 36}, headers={"If-Match": first})
    assert edited.status_code == 200
    refused = client.put(where, json={"age": 63}, headers={"If-Match": first})
    assert (refused.status_code, refused.mimetype) == (412, "application/problem+json")
    assert client.get(where).get_json()["age"] == 36
    second = edited.headers["ETag"]
    assert client.put(where, json={"age": 63}, headers={"If-Match": second}).status_code == 200


def test_a_sighting_in_between_is_no_edit(client):
    """The tag covers all that is answered; the edit depends on the revision alone."""
    added = add(client, images=[photo()])
    where, tag = added.headers["Location"], added.headers["ETag"]
    now = datetime.now(timezone.utc).isoformat()
    seen = {"camera_id": "a", "camera_location": "b", "event_type": "face", "timestamp": now}
    client.post("/api/detections", json=seen | {"image": photo()})
    shown = client.get(where, headers={"If-None-Match": tag})
    assert shown.status_code == 200
    assert shown.get_json()["last_seen_camera"] == "a"
    assert client.put(where, json={"age": 36}, headers={"If-Match": tag}).status_code == 200


@pytest.mark.parametrize("tag", ['"made-up"', '""', "x", '"1-a", "2-b"', 'W/"1-a"'])
def test_a_tag_that_is_none_of_ours_fits_nothing(client, tag):
    where = add(client).headers["Location"]
    assert client.put(where, json={"age": 36}, headers={"If-Match": tag}).status_code == 412
    assert client.get(where).get_json()["age"] is None


def test_any_tag_will_do_for_a_star_if_the_person_is_there(client):
    where = add(client).headers["Location"]
    assert client.put(where, json={"age": 36}, headers={"If-Match": "*"}).status_code == 200
    gone = client.put("/api/criminals/nobody", json={"age": 1}, headers={"If-Match": "*"})
    assert gone.status_code == 404


def test_a_revision_is_still_answered_with_409_and_may_not_contradict_the_tag(client):
    added = add(client)
    where, tag = added.headers["Location"], added.headers["ETag"]
    client.put(where, json={"age": 36})
    stale = added.get_json()["revision"]
    assert client.put(where, json={"age": 1, "revision": stale}).status_code == 409
    both = client.put(where, json={"revision": stale + 1}, headers={"If-Match": tag})
    assert both.status_code == 400


def test_a_photo_is_removed_only_from_who_was_seen(client):
    added = add(client, images=[photo()])
    where, tag = added.headers["Location"], added.headers["ETag"]
    theirs = f"{where}/photos/{added.get_json()['photos'][0]}"
    client.put(where, json={"age": 36})
    assert client.delete(theirs, headers={"If-Match": tag}).status_code == 412
    now = client.get(where).headers["ETag"]
    assert client.delete(theirs, headers={"If-Match": now}).status_code == 204


def test_a_condition_that_would_have_no_effect_is_refused(client):
    answer = client.delete("/api/site/plan", headers={"If-Match": '"1-a"'})
    assert answer.status_code == 400


# -- repeats ---------------------------------------------------------------------------------------


def test_someone_who_is_added_twice_with_one_key_is_one_person(client):
    first, second = (add(client, "Ada", "k1", images=[photo()]) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.get_json() == second.get_json()
    assert first.headers["Location"] == second.headers["Location"]
    assert len(people(client)) == 1


def test_another_key_is_another_person(client):
    add(client, "Ada", "k1")
    add(client, "Ada", "k2")
    add(client, "Ada")
    assert len(people(client)) == 3


def test_one_key_for_two_people_is_refused(client):
    add(client, "Ada", "k1")
    other = add(client, "Eve", "k1")
    assert (other.status_code, other.mimetype) == (422, "application/problem+json")
    assert [one["name"] for one in people(client)] == ["Ada"]


def test_a_repeat_after_an_edit_shows_the_person_as_they_are(client):
    where = add(client, "Ada", "k1").headers["Location"]
    client.put(where, json={"age": 36})
    assert add(client, "Ada", "k1").get_json()["age"] == 36


def test_a_refused_post_may_be_repeated_until_it_works(client):
    bad = {"images": ["bm8gcGljdHVyZQ=="]}
    assert [add(client, "Ada", "k1", **bad).status_code for _ in range(2)] == [400, 400]
    assert people(client) == []


@pytest.mark.parametrize("key", ["", "two words", "x" * 201, "\xe4"])
def test_a_key_that_is_none_is_refused(client, key):
    headers = {"Idempotency-Key": key}
    answer = client.post("/api/criminals", json={"name": "Ada"}, headers=headers)
    assert answer.status_code == 400
    assert people(client) == []


@pytest.mark.parametrize(
    ("what", "first", "second"),
    [
        ("review", {"verdict": "unsure", "reason": "dark"}, {"verdict": "unsure", "reason": "x"}),
        ("outcome", {"outcome": "lost"}, {"outcome": "not stopped"}),
    ],
)
def test_a_judgement_that_is_sent_twice_is_made_once(client, what, first, second):
    where = f"/api/alerts/{alert(client)}"
    headers = {"Idempotency-Key": "k1"}

    def say(body: Any) -> Any:
        return client.post(f"{where}/{what}", json=body, headers=headers)

    assert say(first).get_json() == say(first).get_json()
    assert say(second).status_code == 422
    assert len(client.get(where).get_json()[f"{what}s"]) == 1
    assert client.post(f"{where}/{what}", json=first).status_code == 409


def test_a_key_of_a_camera_is_the_id_of_its_event(client):
    headers = {"Idempotency-Key": "k1"}
    for _ in range(2):
        answer = client.post("/activity_alert", json={"event_type": "fire"}, headers=headers)
        assert answer.get_json() == {"message": "Alert sent"}
    assert len(client.get("/api/alerts").get_json()["alerts"]) == 1


def test_the_same_sent_many_times_at_once_is_stored_once(own_site):
    url = own_site(enrolled=False).url
    body = {"name": "Grace Hopper", "images": [photo()]}

    def post(_: int) -> requests.Response:
        headers = {"Idempotency-Key": "k1"}
        return requests.post(f"{url}/api/criminals", json=body, headers=headers, timeout=60)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(post, range(8)))
    assert {one.status_code for one in answers} == {201}
    assert len({one.json()["id"] for one in answers}) == 1
    assert len(requests.get(f"{url}/api/criminals", timeout=60).json()["criminals"]) == 1
