"""Lists come whole, as they always have, or in pages that leave nothing out; filters narrow."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from susracker import open_tracker
from susracker.access.issuing import issue
from susracker.testing.records import activity, criminal, photo, sighting
from tests.server.apps import running_app

NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


@pytest.fixture
def client(tmp_path):
    url = f"sqlite:///{tmp_path / 'site.db'}"
    with open_tracker(store=url, cooldown_seconds=0) as tracker, running_app(tracker) as app:
        store, now = tracker.store, datetime.now(timezone.utc)
        store.put_criminal(criminal("c1"), [photo("c1") for _ in range(5)])
        for number in range(5):
            at = NOON + timedelta(minutes=number)
            seen = sighting("c1", camera_id=f"cam-{number % 2}", occurred_at=at)
            store.record([seen], [activity(camera_id=f"cam-{number}")])
            app.test_client().post(
                "/activity_alert", json={"event_type": "fire", "camera_id": f"cam-{number}"}
            )
        _, text = issue(store, "admin", "Jo", None, None, now)
        for number in range(4):
            issue(store, "viewer", f"desk {number}", None, None, now + timedelta(seconds=number))
        shown = app.test_client()
        shown.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {text}"
        yield shown


LISTS = {
    "/api/cameras": ("cameras", "camera_id"),
    "/api/keys": ("keys", "id"),
    "/api/criminals/c1/photos": ("photos", "id"),
    "/api/criminals/c1/track": ("sightings", "id"),
}


def get(client: Any, path: str, **asked: Any) -> Any:
    answer = client.get(path, query_string=asked)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


@pytest.mark.parametrize("path", LISTS)
def test_without_a_limit_a_list_is_whole_and_has_the_fields_that_it_always_had(client, path):
    name, _ = LISTS[path]
    body = get(client, path)
    assert len(body[name]) == 5
    assert "next" not in body


@pytest.mark.parametrize("limit", [1, 2, 5, 6])
@pytest.mark.parametrize("path", LISTS)
def test_pages_together_are_the_whole_list(client, path, limit):
    name, by = LISTS[path]
    whole = [one[by] for one in get(client, path)[name]]
    found: list[str] = []
    after: dict[str, str] = {}
    for _ in range(6):
        body = get(client, path, limit=limit, **after)
        found += [one[by] for one in body[name]]
        if body["next"] is None:
            break
        after = {"after": body["next"]}
    assert found == whole


@pytest.mark.parametrize("path", LISTS)
def test_what_to_go_on_after_must_be_there(client, path):
    answer = client.get(path, query_string={"after": "nobody", "limit": 2})
    assert answer.status_code == 404
    assert "begin again" in answer.get_json()["error"]
    assert client.get(path, query_string={"limit": 0}).status_code == 400


@pytest.mark.parametrize(
    "path", sorted(LISTS.keys() - {"/api/keys"})
)  # it says when a key was used
def test_a_page_that_has_not_changed_is_not_sent_again(client, path):
    asked = {"limit": 2}
    tag = client.get(path, query_string=asked).headers["ETag"]
    again = client.get(path, query_string=asked, headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 200


def test_filters_narrow_lists_down(client):
    track = "/api/criminals/c1/track"
    seen = get(client, track, camera_id="cam-1")["sightings"]
    assert {one["camera_id"] for one in seen} == {"cam-1"}
    assert len(seen) == 2
    since, until = (NOON + timedelta(minutes=one) for one in (1, 3))
    times = {"since": since.isoformat(), "until": until.isoformat()}
    assert len(get(client, track, **times)["sightings"]) == 3
    assert len(get(client, track, **times, camera_id="cam-0")["sightings"]) == 1
    assert len(get(client, "/api/keys", role="viewer")["keys"]) == 4
    assert get(client, "/api/keys", role="viewer", state="revoked")["keys"] == []
    later = datetime.now(timezone.utc) + timedelta(hours=1)
    assert get(client, "/api/cameras", since=later.isoformat())["cameras"] == []
    assert len(get(client, "/api/cameras", since=NOON.isoformat())["cameras"]) == 5
    assert len(get(client, "/api/cameras/days", camera_id="cam-3")["days"]) == 1
    assert get(client, "/api/cameras/days", until="2020-01-01")["days"] == []


def test_a_filter_that_is_mistyped_is_refused(client):
    assert client.get("/api/cameras", query_string={"sinc": "x"}).status_code == 400
    assert client.get("/api/keys", query_string={"role": "king"}).status_code == 400


def test_someone_is_removed_only_as_they_were_seen(client):
    tag = client.get("/api/criminals/c1").headers["ETag"]
    assert client.put("/api/criminals/c1", json={"age": 40}).status_code == 200
    refused = client.delete("/api/criminals/c1", headers={"If-Match": tag})
    assert refused.status_code == 412
    tag = client.get("/api/criminals/c1").headers["ETag"]
    assert client.delete("/api/criminals/c1", headers={"If-Match": tag}).status_code == 204
    assert client.delete("/api/criminals/c1").status_code == 404
