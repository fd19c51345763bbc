"""The last look at a passage that has ended: real faces, at a target that only it reaches."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import cv2
import numpy as np
import pytest

from susracker.enrolment.enroller import Enroller
from susracker.enrolment.fields import criminal_from_fields
from susracker.errors import StoreUnavailableError
from susracker.faces.images import crop
from susracker.faces.photos import decode_photo
from susracker.loading import make_settings
from susracker.models import Alert, Detection
from susracker.plugins import open_cooldown, open_detector, open_encoder, open_matcher, open_store
from susracker.tracking.tracker import Tracker
from tests.pictures import COLLINS, HOPPER, encoded, portrait
from tests.tracking.light import NOON, Clock

encoder = open_encoder("dlib")


def pictures() -> dict[str, bytes]:
    whole = portrait(HOPPER)
    cut = np.ascontiguousarray(crop(whole, open_detector().find(whole)[0].box, 0.2))
    return {"sharp": encoded(cut), "blurred": encoded(cv2.GaussianBlur(cut, (0, 0), SIGMA))}


SIGMA = 7
PICTURES = pictures()


@pytest.fixture
def open_tracker(tmp_path):
    opened = []

    def open_one(target: float = 0.01, **settings) -> Tracker:
        url = f"sqlite:///{tmp_path / 'people.db'}"
        one = Tracker(
            store=open_store(url),
            encoder=encoder,
            matcher=open_matcher("exact", encoder.dimension),
            cooldown=open_cooldown("memory", settings.get("cooldown_seconds", 5)),
            settings=make_settings(
                {"store": url, "follow_seconds": 60, "target_fpir": target} | settings
            ),
            clock=Clock(),
        )
        opened.append(one)
        if not one.store.criminals():
            enroller = Enroller(one.store, encoder)
            for name, photo in (("Grace Hopper", HOPPER), ("Eileen Collins", COLLINS)):
                enroller.enroll(
                    criminal_from_fields({"name": name}), [enroller.prepare(photo.read_bytes())]
                )
        one.recogniser.load()
        one.watchlist.refresh(NOON)
        return one

    yield open_one
    for one in opened:
        one.close()


@pytest.fixture
def near(open_tracker) -> Tracker:
    """A tracker whose target is between what the first look at the blurred face spends and what
    the passage may."""
    return open_tracker(1.5 * fpir_of(open_tracker(), "blurred"))


def fpir_of(tracker: Tracker, picture: str) -> float:
    (search,) = tracker.recogniser.search_picture(decode_photo(PICTURES[picture], 10**8), NOON)
    return search.candidates[0].fpir


def see(tracker: Tracker, seconds: float, picture: str = "blurred", **changes):
    at = NOON + timedelta(seconds=seconds)
    tracker._clock.now = at
    detection = Detection("gate", "Main gate", "face", at, PICTURES[picture], track_id="t1")
    return tracker.handle(replace(detection, **changes))


def later(tracker: Tracker, seconds: float) -> list[Alert]:
    """The alerts that there are once it has been looked for passages that have ended."""
    tracker._clock.now = NOON + timedelta(seconds=seconds)
    tracker.look_last()
    return tracker.store.alerts()


def test_a_passage_that_ends_gets_a_last_look_with_what_is_left_of_the_target(near):
    assert see(near, 1).kind == "no match"
    assert later(near, 4.9) == []
    told = []
    near.last_looks.listener = lambda outcome, received_at: told.append((outcome, received_at))
    (alert,) = later(near, 5.1)
    target = near.settings.target_fpir
    assert (alert.name, alert.camera_location) == ("Grace Hopper", "Main gate")
    assert alert.occurred_at == alert.received_at == NOON + timedelta(seconds=1)
    assert target / 2 < alert.candidates[0].fpir <= target
    assert alert.face.startswith(b"\xff\xd8")
    (sighting,) = near.store.sightings(alert.criminal_id)
    assert (sighting.occurred_at, sighting.suppressed) == (alert.occurred_at, False)
    ((outcome, received_at),) = told
    assert (outcome.alerts, received_at) == ((alert,), alert.received_at)
    (camera,) = near.cameras()
    assert (camera.detections, camera.alerts) == (1, 1)
    assert later(near, 60) == [alert]


def test_the_same_frame_again_and_again_changes_nothing(near):
    for _ in range(10):
        assert see(near, 1).kind == "no match"
    (alert,) = later(near, 5.1)
    assert alert.candidates[0].fpir <= near.settings.target_fpir


def test_who_comes_after_it_ends_it_too(near):
    see(near, 0)
    see(near, 5, track_id="t2")
    assert len(later(near, 5)) == 1


def test_all_that_is_open_is_looked_at_when_the_tracker_closes(near, open_tracker):
    see(near, 0)
    near.close()
    again = open_tracker()
    assert len(again.store.alerts()) == 1


def test_the_cooldown_holds_it_back(near):
    sharp = see(near, 0, "sharp")
    assert sharp.kind == "alert"
    see(near, 1, track_id="t2")
    (alert,) = later(near, 6)
    assert alert == sharp.alerts[0]
    assert [one.suppressed for one in near.store.sightings(alert.criminal_id)].count(True) == 1


def test_an_alert_of_another_server_during_the_passage_holds_it_back(near, open_tracker):
    """Of one passage, longer than the cooldown, whose faces a balancer has scattered."""
    here, there = (open_tracker(near.settings.target_fpir, cooldown_seconds=0.2) for _ in range(2))
    see(here, 0)
    assert see(here, 0.25).passage == see(here, 0.28).passage
    assert see(there, 0.25, "sharp").kind == "alert"
    assert len(later(here, 5)) == 1


def test_of_a_stranger_nothing_is_left(open_tracker):
    """Near enough to somebody for a last look, and not near enough for an alert."""
    tracker = open_tracker(fpir_of(open_tracker(), "blurred") / 2)
    assert see(tracker, 0).kind == "no match"
    (passage,) = tracker.passages._cameras["gate"]
    assert passage.best is not None
    assert passage.best.detection.picture is None
    assert later(tracker, 5) == []
    assert passage.best is None
    assert len(tracker.passages) == len(tracker.last_looks._waiting) == 0


def test_of_a_stranger_who_is_far_from_everybody_no_picture_is_kept(open_tracker):
    tracker = open_tracker(fpir_of(open_tracker(), "blurred") / 1e6)
    assert see(tracker, 0).kind == "no match"
    (passage,) = tracker.passages._cameras["gate"]
    assert passage.settled
    assert passage.best is None


def test_a_passage_that_is_settled_holds_no_picture(near):
    see(near, 0, "sharp")
    (passage,) = near.passages._cameras["gate"]
    assert passage.candidates
    assert passage.best is None
    assert len(later(near, 5)) == 1


def test_a_store_that_fails_loses_no_alert(near, monkeypatch):
    see(near, 0)

    def fail(*_, **__):
        raise StoreUnavailableError("the disk is full")

    for method in ("criminals", "photo_ids", "record"):
        with monkeypatch.context() as patch:
            patch.setattr(near.store, method, fail)
            with pytest.raises(StoreUnavailableError):
                near.look_last() if len(near.last_looks._waiting) else later(near, 5)
    assert len(later(near, 6)) == 1


@pytest.fixture
def searches(near, monkeypatch) -> list[int]:
    """How many faces each search by fast embeddings is for."""
    made: list[int] = []
    search = near.watchlist.best_scores

    def counted(probes):
        made.append(len(probes))
        return search(probes)

    monkeypatch.setattr(near.watchlist, "best_scores", counted)
    return made


def test_faces_that_were_searched_for_are_not_searched_for_again(near, searches):
    see(near, 0)
    assert len(later(near, 5)) == 1
    assert searches == [1]


def test_faces_that_came_since_the_newest_look_are_searched_for(near, searches):
    for seconds in (0, 0.4, 0.8):
        see(near, seconds)
    assert searches == [1, 1]
    later(near, 5)
    assert searches == [1, 1, 1]


def test_the_last_look_is_at_the_list_of_then(near, searches):
    see(near, 0)
    (hopper,) = (one for one in near.store.criminals() if one.name == "Grace Hopper")
    near.store.remove_criminal(hopper.id)
    near.watchlist.refresh(NOON)
    assert later(near, 5) == []
    assert searches == [1, 1]


def test_who_was_removed_meanwhile_is_not_alerted(near):
    see(near, 0)
    for criminal in near.store.criminals():
        near.store.remove_criminal(criminal.id)
    assert later(near, 5) == []
