"""The photos of a person over HTTP: listed, shown, removed."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from susracker.oversight import Hold
from susracker.server.service import EXTENSION
from susracker.testing.records import face_alert
from susracker.tracking.tracker import Tracker
from tests.enrolment import samples
from tests.pictures import HOPPER, encoded, portrait
from tests.server.apps import running_app, site_tracker
from tests.server.conftest import face_crop

NOON = datetime(2026, 5, 4, 12, tzinfo=timezone.utc)


@pytest.fixture
def tracker(tmp_path: Path) -> Iterator[Tracker]:
    with site_tracker(tmp_path, cooldown_seconds=0) as opened:
        yield opened


@pytest.fixture
def client(tracker: Tracker) -> Iterator[Any]:
    with running_app(tracker) as app:
        yield app.test_client()


def enroll(client: Any, *photos: bytes, name: str = "Grace") -> tuple[str, list[str]]:
    """A person's route, and the ids of their photos."""
    files = [("file", (io.BytesIO(one), "photo.jpg")) for one in photos]
    data: dict[str, Any] = {"name": name}
    if files:
        data["file"] = [one for _, one in files]
    made = client.post("/api/criminals", data=data)
    assert made.status_code == 201, made.get_json()
    return f"/api/criminals/{made.get_json()['id']}", made.get_json()["photos"]


def test_photos_are_listed_with_their_quality(client: Any) -> None:
    who, ids = enroll(client, samples.hopper(), samples.hopper(80))
    listed = client.get(f"{who}/photos").get_json()
    assert listed["criminal_id"] == who.rpartition("/")[2]
    assert [one["id"] for one in listed["photos"]] == ids
    for one in listed["photos"]:
        assert one["quality"].keys() == {
            "eye_distance",
            "sharpness",
            "brightness",
            "detector_score",
        }
        assert one["quality"]["eye_distance"] > 20
    assert client.get("/api/criminals/nobody/photos").status_code == 404


def test_a_photo_is_shown_as_it_was_handed_in_and_small(client: Any) -> None:
    content = samples.hopper()
    who, (photo,) = enroll(client, content)
    whole = client.get(f"{who}/photos/{photo}")
    assert (whole.status_code, whole.mimetype, whole.data) == (200, "image/jpeg", content)
    assert whole.headers["Cache-Control"] == "no-store"
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    small = client.get(f"{who}/photos/{photo}?size=64")
    assert (small.status_code, small.mimetype) == (200, "image/jpeg")
    assert max(Image.open(io.BytesIO(small.data)).size) == 64
    for wrong in ("15", "2001", "x", "-1"):
        assert client.get(f"{who}/photos/{photo}?size={wrong}").status_code == 400, wrong


def test_whoever_has_the_photo_already_is_told_so(client: Any) -> None:
    who, (photo,) = enroll(client, samples.hopper())
    tags = {}
    for query in ("", "?size=64", "?size=65"):
        tags[query] = client.get(f"{who}/photos/{photo}{query}").headers["ETag"]
        again = client.get(f"{who}/photos/{photo}{query}", headers={"If-None-Match": tags[query]})
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tags[query])
    assert len(set(tags.values())) == 3
    other = client.get(f"{who}/photos/{photo}", headers={"If-None-Match": tags["?size=64"]})
    assert other.status_code == 200


def test_a_photo_in_another_format_is_shown_small_as_jpeg(client: Any) -> None:
    small = Image.fromarray(portrait(HOPPER)).resize((320, 380))
    content = encoded(small, "TIFF", compression="tiff_lzw")
    who, (photo,) = enroll(client, content)
    whole = client.get(f"{who}/photos/{photo}")
    assert (whole.mimetype, whole.data) == ("image/tiff", content)
    shown = client.get(f"{who}/photos/{photo}?size=100")
    assert Image.open(io.BytesIO(shown.data)).format == "JPEG"


def test_a_removed_photo_is_not_matched_any_more(client: Any, tracker: Tracker) -> None:
    who, (wrong,) = enroll(client, samples.hopper())
    seen = face_crop(HOPPER)

    def message() -> str:
        data = {"file": (io.BytesIO(seen), "face.jpg"), "camera_id": "gate"}
        return client.post("/face_upload", data=data).get_json()["message"]

    assert message() == "Match found"
    assert client.delete(f"{who}/photos/{wrong}?reason=someone+else").status_code == 204
    assert len(tracker.watchlist) == 0
    assert message() == "No match found"
    person = client.get(who).get_json()
    assert (person["photos"], person["templates"], person["name"]) == ([], 0, "Grace")
    for ask in (client.get, client.delete):
        assert ask(f"{who}/photos/{wrong}").status_code == 404
    (alert,) = tracker.store.alerts()
    assert client.get(f"/api/alerts/{alert.id}").get_json()["criminal_image"] is None


def test_a_photo_is_only_found_under_its_person(client: Any) -> None:
    who, (photo,) = enroll(client, samples.hopper())
    other, _ = enroll(client, name="Other")
    for ask in (client.get, client.delete):
        assert ask(f"{other}/photos/{photo}").status_code == 404
        assert ask(f"/api/criminals/nobody/photos/{photo}").status_code == 404
    assert client.get(f"{who}/photos/{photo}").status_code == 200


def test_a_removal_based_on_an_older_revision_is_a_conflict(client: Any) -> None:
    who, (photo,) = enroll(client, samples.hopper())
    old = client.get(who).get_json()["revision"]
    new = client.put(who, json={"age": 40}).get_json()["revision"]
    where = f"{who}/photos/{photo}"
    assert client.delete(f"{where}?revision={old}").status_code == 409
    for wrong in ("revision=x", "revisions=1", "size=64"):
        assert client.delete(f"{where}?{wrong}").status_code == 400
    assert client.get(where).status_code == 200
    assert client.delete(f"{where}?revision={new}").status_code == 204


def test_a_photo_in_a_held_alert_stays(client: Any, tracker: Tracker) -> None:
    who, (photo,) = enroll(client, samples.hopper())
    about = face_alert(who.rpartition("/")[2], photo_id=photo)
    (alert,) = tracker.store.record([], [about])
    tracker.store.hold_alert(Hold(alert.id, "court", "Jo (k1)", NOON))
    for where in (f"{who}/photos/{photo}", who):
        for headers in ({}, {"If-Match": client.get(who).headers["ETag"]}):
            refused = client.delete(where, headers=headers)
            assert (refused.status_code, alert.id in refused.get_json()["error"]) == (409, True)
    tracker.store.release_alert(alert.id)
    assert client.delete(f"{who}/photos/{photo}").status_code == 204


def test_looks_and_removals_are_noted(client: Any, tracker: Tracker) -> None:
    who, (photo,) = enroll(client, samples.hopper())
    criminal_id = who.rpartition("/")[2]
    tag = client.get(f"{who}/photos/{photo}").headers["ETag"]
    client.get(f"{who}/photos/{photo}", headers={"If-None-Match": tag})
    client.get(f"{who}/photos")
    client.delete(f"{who}/photos/{photo}", headers={"X-Reason": "someone else"})
    entries = tracker.store.audit()[1:]
    assert [(one.action, one.subject) for one in entries] == [
        ("criminal.photo", criminal_id),
        ("criminal.show", criminal_id),
        ("criminal.remove_photo", criminal_id),
    ]
    assert json.loads(entries[-1].detail) == {"photo": photo}
    assert entries[-1].reason == "someone else"


def test_operators_lose_the_picture_of_a_removed_photo(client: Any, tracker: Tracker) -> None:
    who, (photo,) = enroll(client, samples.hopper())
    about = face_alert(who.rpartition("/")[2], photo_id=photo)
    thumbnails = client.application.extensions[EXTENSION].thumbnails
    assert thumbnails.beside([about])[0][1] is not None
    client.delete(f"{who}/photos/{photo}")
    assert thumbnails.beside([about])[0][1] is None
