"""What is stored and answered for a detection whose faces were recognised."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

import susracker
from susracker.errors import ConfigError, InputError
from susracker.matchers.exact import ExactMatcher
from susracker.models import Alert, Criminal, Photo, Sighting
from susracker.tracking.alerts import new_alert, token_of
from susracker.tracking.recogniser import Recognition
from susracker.tracking.tracker import Tracker
from tests.tracking.light import NOON, Clock, activity, candidate, face, open_light

LATER = NOON + timedelta(seconds=3)


@pytest.fixture
def tracker(tmp_path):
    clock = Clock()
    clock.now = LATER
    url = f"sqlite:///{tmp_path / 'people.db'}"
    with closing(open_light(url, clock=clock, max_megapixels=2.5)) as tracker:
        yield tracker


def test_a_face_is_alerted_with_all_that_is_known_of_it(tracker):
    photos = [Photo(f"photo {n}", "zoe", f"digest {n}", "image/jpeg", b"jpeg") for n in range(2)]
    zoe = Criminal(id="zoe", name="Zoe")
    tracker.store.add_criminal(zoe, photos)
    (alert,) = tracker.handle(face(0, who=b"zoe")).alerts
    assert alert == Alert(
        id=alert.id,
        kind="face",
        event_type="face",
        camera_id="gate",
        camera_location="Main gate",
        occurred_at=NOON,
        received_at=LATER,
        seq=1,
        criminal_id="zoe",
        name="Zoe",
        distance=0.5,
        score=4.0,
        candidates=(candidate(zoe),),
        face=b"jpeg",
        photo_id="photo 0",
    )
    assert tracker.journal.alert(alert.id) == alert


def test_a_criminal_may_have_no_photo(tracker):
    assert tracker.handle(face(0)).alerts[0].photo_id is None


def test_an_activity_is_alerted(tracker):
    (alert,) = tracker.handle(activity(0)).alerts
    assert alert == Alert(
        id=alert.id,
        kind="activity",
        event_type="violence",
        camera_id="gate",
        camera_location="Main gate",
        occurred_at=NOON,
        received_at=LATER,
        seq=1,
    )


@pytest.mark.parametrize("suppressed", [False, True])
def test_every_match_is_a_sighting(tracker, suppressed):
    if suppressed:
        tracker.handle(face(-1))
    outcome = tracker.handle(face(0))
    (sighting,) = outcome.sightings
    assert sighting == Sighting(
        id=sighting.id,
        criminal_id="ann",
        camera_id="gate",
        camera_location="Main gate",
        occurred_at=NOON,
        received_at=LATER,
        distance=0.5,
        score=4.0,
        suppressed=suppressed,
    )
    assert tracker.journal.sightings("ann")[-1] == sighting
    assert (outcome.kind, len(outcome.alerts)) == (("cooldown", 0) if suppressed else ("alert", 1))


@pytest.mark.parametrize(("faces", "kind"), [(0, "no face"), (1, "no match"), (2, "no match")])
def test_a_stranger_is_remembered_as_an_event_only(tracker, faces, kind):
    outcome = tracker.conclude(face(0, "e"), Recognition(faces, ()), LATER)
    assert (outcome.kind, outcome.alerts, outcome.sightings) == (kind, (), ())
    assert tracker.journal.event_outcome("gate", "e").kind == kind
    assert tracker.journal.event_outcome("hall", "e") is None


def test_a_stranger_without_an_event_id_costs_no_write(tracker, monkeypatch):
    monkeypatch.setattr(tracker.journal, "record", None)
    assert tracker.handle(face(0, who=b"nobody")).kind == "no match"


def test_of_several_people_one_alert_is_enough_for_an_outcome(tracker):
    tracker.handle(face(-1, who=b"ann"))
    outcome = tracker.handle(face(0, who=b"ann,bob"))
    assert outcome.kind == "alert"
    assert [alert.name for alert in outcome.alerts] == ["Bob"]
    assert [one.suppressed for one in outcome.sightings] == [True, False]


def test_a_face_without_a_picture_is_an_error(tracker):
    with pytest.raises(InputError, match=r"^a face detection needs a picture$"):
        tracker.handle(replace(face(0), picture=None))
    assert tracker.cameras() == []


def test_the_picture_of_an_activity_is_not_looked_at(tracker):
    assert tracker.handle(replace(activity(0), picture=b"ann")).sightings == ()


def test_what_is_recognised_depends_on_the_time_of_arrival(tracker):
    tracker.store.edit_criminal("ann", {"expires_at": LATER})
    assert tracker.handle(face(0)).kind == "no match"


def test_a_camera_is_counted_once_for_an_event(tracker):
    tracker.handle(face(0, "e", who=b"ann,bob"))
    tracker.handle(face(0, "e", who=b"ann,bob"))
    (camera,) = tracker.cameras()
    assert (camera.detections, camera.alerts, camera.last_heard_at) == (1, 2, LATER)


def test_a_token_tells_events_of_all_cameras_apart():
    named = [activity(0, "e"), activity(0, "f"), activity(0, "e", "hall"), activity(0, "", "gat")]
    assert len({token_of(one) for one in named}) == len(named)
    assert token_of(activity(0, "e")) == token_of(activity(9, "e"))
    assert token_of(activity(0)) != token_of(activity(0))


def test_a_key_tells_people_activities_and_cameras_apart():
    gate, hall = (new_alert(activity(0, camera=one), NOON) for one in ("gate", "hall"))
    alerts = [gate, hall, replace(gate, event_type="fire")]
    alerts += [replace(gate, kind="face", criminal_id=one) for one in ("ann", "bob", "violence")]
    assert len({one.cooldown_key for one in alerts}) == len(alerts)
    assert replace(alerts[3], event_type="other").cooldown_key == alerts[3].cooldown_key


def test_settings_reach_the_parts(tmp_path):
    settings = {
        "store": f"sqlite:///{tmp_path / 'people.db'}",
        "encoder": "dlib-int8",
        "max_megapixels": 2.5,
        "target_fpir": 0.02,
        "threshold_shift": 0.25,
        "cooldown_seconds": 7,
    }
    with closing(susracker.open_tracker(**settings)) as tracker:
        assert isinstance(tracker, Tracker)
        assert tracker.settings.target_fpir == 0.02
        assert tracker.encoder.id == tracker.watchlist._encoder_id != ""
        assert tracker.max_pixels == 2_500_000
        assert tracker._cooldown.seconds == 7
        assert tracker.journal is tracker.store
        assert tracker.watchlist._gallery._target_fpir == 0.02
        assert tracker.watchlist._gallery._shift == 0.25
        assert isinstance(tracker.watchlist._gallery._matcher, ExactMatcher)
        assert tracker.recogniser._detector is tracker.detector is not None
        assert tracker.recogniser._max_pixels == tracker.max_pixels


def test_a_setting_that_is_wrong_is_an_error():
    with pytest.raises(ConfigError):
        susracker.open_tracker(cooldown="nothing")


def test_a_refresh_follows_the_store_at_once(tracker, monkeypatch):
    moments = []
    monkeypatch.setattr(tracker.watchlist, "refresh", moments.append)
    tracker.refresh()
    assert moments == [LATER]
