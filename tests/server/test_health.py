"""What the server does without shows in /readyz, and does not keep it from its work."""

from __future__ import annotations

import errno
import io
import math
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from unittest.mock import Mock, patch

import gevent
import pytest

from susracker import open_tracker
from susracker.errors import StoreFormatError, StoreUnavailableError
from susracker.models import Outcome
from susracker.recording import writer
from susracker.recording.reader import Recording
from susracker.recording.writer import Recorder
from susracker.server.service import EXTENSION
from susracker.testing.records import activity, criminal, face_alert, photo, template
from tests.pictures import HOPPER
from tests.server.apps import running_app
from tests.waiting import wait_until

BODY = {"camera_id": "gate", "camera_location": "Main gate", "event_type": "violence"}


@dataclass
class Part:
    problem: str | None = None


@pytest.fixture
def tracker(tmp_path):
    with open_tracker(store=f"sqlite:///{tmp_path / 'site.db'}", cooldown_seconds=0) as opened:
        yield opened


@pytest.fixture
def start(tracker):
    with ExitStack() as stack:

        def start(*args, **kwargs):
            return stack.enter_context(running_app(tracker, *args, **kwargs)).test_client()

        yield start


def readiness(client) -> tuple[int, str, str | None, str | None]:
    answer = client.get("/readyz")
    body = answer.get_json()
    return answer.status_code, body["status"], body["problem"], body["warning"]


def test_parts_that_are_done_without_are_warnings(start):
    panel, other = Part(), Part()
    client = start(optional={"following the panel": panel, "other": other})
    assert readiness(client) == (200, "ready", None, None)
    panel.problem = "MongoDB refuses"
    assert readiness(client) == (200, "ready", None, "following the panel: MongoDB refuses")
    other.problem = "stopped"
    warning = "following the panel: MongoDB refuses; other: stopped"
    assert readiness(client) == (200, "ready", None, warning)
    panel.problem = other.problem = None
    assert readiness(client) == (200, "ready", None, None)


def test_detections_are_answered_while_the_disk_is_full(start, tmp_path, monkeypatch):
    recorder = Recorder(tmp_path / "night", max_mb=100, max_days=1)
    client = start(recorder)

    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(writer, "_write_whole", full)
        for _ in range(3):
            assert client.post("/activity_alert", json=BODY).get_json() == {"message": "Alert sent"}
        status, _, problem, warning = readiness(client)
        assert (status, problem) == (200, None)
        assert warning.startswith("recording: cannot record to ")
        assert "No space left on device" in warning
    assert client.post("/activity_alert", json=BODY).status_code == 200
    assert readiness(client) == (200, "ready", None, None)
    recorder.close()
    assert len(list(Recording(tmp_path / "night"))) == 1
    assert len(client.get("/api/alerts").get_json()["alerts"]) == 4


def test_what_was_stored_is_answered_though_it_cannot_be_followed_now(start, tracker):
    """Whoever is told to try again enrols the same person twice."""
    client = start()
    with patch.object(tracker.watchlist, "refresh", side_effect=StoreUnavailableError("gone")):
        added = client.post("/api/criminals", json={"name": "Ada"})
        where = added.headers["Location"]
        assert added.status_code == 201
        assert client.put(where, json={"age": 30}).get_json()["age"] == 30
        assert client.delete(where).status_code == 204


def test_a_mistake_that_ends_the_broadcast_is_a_problem(start, tracker, caplog):
    client = start()
    parts = client.application.extensions[EXTENSION]
    with patch.object(parts.thumbnails, "beside", side_effect=ValueError("a mistake")):
        tracker.store.record([], [activity()])
        parts.live.look_now()
        assert wait_until(lambda: readiness(client)[0] == 503, sleep=gevent.sleep)
    assert readiness(client) == (503, "problem", "broadcasting stopped", None)
    assert caplog.text.count("Traceback") == caplog.text.count("ValueError: a mistake") == 1


def test_a_mistake_that_ends_the_following_of_keys_is_a_problem(start, caplog):
    client = start()
    admission = client.application.extensions[EXTENSION].admission
    admission.start(after=Mock(side_effect=ValueError("a mistake")))
    assert wait_until(lambda: readiness(client)[0] == 503, sleep=gevent.sleep)
    assert readiness(client) == (503, "problem", "following the keys stopped", None)
    assert caplog.text.count("Traceback") == caplog.text.count("ValueError: a mistake") == 1


def test_a_threshold_that_nobody_reaches_is_no_number(start, tracker):
    client = start()
    with (
        patch.object(type(tracker.watchlist), "__len__", lambda _: 1),
        patch.object(type(tracker.watchlist), "threshold", math.inf),
    ):
        assert client.get("/readyz").get_json()["threshold"] is None


def test_an_alert_that_was_stored_is_answered_though_its_photo_cannot_be_read(start, tracker):
    """A camera that is told to try again is held back by its own alert."""
    tracker.store.put_criminal(criminal())
    alerts = tracker.store.record([], [face_alert()])
    client = start()
    parts = client.application.extensions[EXTENSION]
    upload = {"file": (io.BytesIO(HOPPER.read_bytes()), "face.jpg")}
    upload |= {"camera_id": "gate", "camera_location": "Main gate"}
    with (
        patch.object(tracker, "handle", return_value=Outcome("alert", alerts)),
        patch.object(parts.thumbnails, "beside", side_effect=StoreUnavailableError("gone")),
    ):
        answer = client.post("/face_upload", data=upload)
    assert answer.get_json()["message"] == "Match found"
    assert answer.get_json()["match"]["criminal_image"] is None


def test_a_damaged_store_is_no_fault_of_the_request(start, tracker):
    client = start()
    damaged = StoreFormatError("site.db is damaged")
    with patch.object(type(tracker), "handle", side_effect=damaged):
        answer = client.post("/activity_alert", json=BODY)
    assert answer.status_code == 503
    assert "damaged" in answer.get_json()["error"]
    assert int(answer.headers["Retry-After"]) > 0


def test_operating_points_follow_the_watch_list(start, tracker):
    client = start()

    def add_people(count: int) -> None:
        for _ in range(count):
            taken = photo(uuid.uuid4().hex)
            made = template(taken, tracker.encoder.id)
            tracker.store.put_criminal(criminal(taken.criminal_id), [taken], [made])
        tracker.refresh()

    def thresholds() -> list[float | None]:
        points = client.get("/readyz").get_json()["operating_points"]
        assert [one["target_fpir"] for one in points] == [0.01, 0.001, 0.000167]
        return [one["thresholds"][0] for one in points]

    assert thresholds() == [None] * 3
    add_people(1)
    few = thresholds()
    assert few == sorted(few)
    add_people(20)
    assert all(one < other for one, other in zip(few, thresholds(), strict=True))
