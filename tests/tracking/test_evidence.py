"""An alert takes the best evidence of its passage: real faces, the first one out of focus."""

from __future__ import annotations

from datetime import timedelta

import cv2
import numpy as np
import pytest

from susracker.enrolment.enroller import Enroller
from susracker.enrolment.fields import criminal_from_fields
from susracker.errors import StoreUnavailableError
from susracker.faces.images import crop
from susracker.judgement.judging import Judging
from susracker.loading import make_settings
from susracker.models import Detection
from susracker.plugins import open_cooldown, open_detector, open_encoder, open_matcher, open_store
from susracker.tracking.tracker import Tracker
from tests.pictures import COLLINS, HOPPER, encoded, portrait
from tests.tracking.light import NOON, Clock

encoder = open_encoder("dlib")


def pictures() -> dict[str, bytes]:
    whole = portrait(HOPPER)
    cut = np.ascontiguousarray(crop(whole, open_detector().find(whole)[0].box, 0.2))
    return {"sharp": encoded(cut), "blurred": encoded(cv2.GaussianBlur(cut, (0, 0), 4))}


PICTURES = pictures()


@pytest.fixture
def open_tracker(tmp_path):
    opened = []

    def open_one(**settings) -> Tracker:
        url = f"sqlite:///{tmp_path / 'people.db'}"
        one = Tracker(
            store=open_store(url),
            encoder=encoder,
            matcher=open_matcher("exact", encoder.dimension),
            cooldown=open_cooldown("memory", settings.get("cooldown_seconds", 5)),
            settings=make_settings({"store": url, "follow_seconds": 60} | settings),
            clock=Clock(),
        )
        opened.append(one)
        enroller = Enroller(one.store, encoder)
        for name, photo in (("Grace Hopper", HOPPER), ("Eileen Collins", COLLINS)):
            enroller.enroll(
                criminal_from_fields({"name": name}), [enroller.prepare(photo.read_bytes())]
            )
        one.start()
        return one

    yield open_one
    for one in opened:
        one.close()


def see(tracker: Tracker, seconds: float, picture: str):
    at = NOON + timedelta(seconds=seconds)
    tracker._clock.now = at
    return tracker.handle(
        Detection("gate", "Main gate", "face", at, PICTURES[picture], track_id="t1")
    )


def test_a_better_face_takes_the_place_of_the_first(open_tracker):
    tracker = open_tracker()
    (alert,) = see(tracker, 0, "blurred").alerts
    assert see(tracker, 1, "sharp").kind == "cooldown"
    (now,) = tracker.store.alerts()
    assert (now.id, now.seq, now.occurred_at) == (alert.id, alert.seq, alert.occurred_at)
    assert now.candidates[0].fpir < alert.candidates[0].fpir
    assert (now.score, now.distance) == (now.candidates[0].score, now.candidates[0].distance)
    assert now.face != alert.face
    assert len(now.face) > len(alert.face)
    assert [one.alert_id for one in tracker.store.improvements_after()] == [alert.id]


def test_a_worse_face_is_not_shown(open_tracker):
    tracker = open_tracker()
    (alert,) = see(tracker, 0, "sharp").alerts
    for seconds in (1, 2, 3, 4, 5, 6):
        assert see(tracker, seconds, "blurred").kind == "cooldown"
    (now,) = tracker.store.alerts()
    assert now.face == alert.face
    assert now.candidates[0].fpir <= alert.candidates[0].fpir


def test_a_passage_improves_its_alert_three_times_at_most(open_tracker):
    tracker = open_tracker()
    see(tracker, 0, "blurred")
    for second in range(1, 30):
        see(tracker, second, "sharp")
    assert len(tracker.store.alerts()) == 1
    assert 1 <= len(tracker.store.improvements_after()) <= 3


def test_a_judged_alert_stays_as_it_is(open_tracker):
    tracker = open_tracker()
    (alert,) = see(tracker, 0, "blurred").alerts
    Judging(tracker.store, 1).review(alert.id, verdict="unsure", reason="blurred", made_by="Jo")
    assert see(tracker, 1, "sharp").kind == "cooldown"
    assert tracker.store.alert(alert.id).face == alert.face


def test_without_a_cooldown_each_match_has_an_alert_of_its_own(open_tracker):
    tracker = open_tracker(cooldown_seconds=0)
    (first,) = see(tracker, 0, "blurred").alerts
    (second,) = see(tracker, 1, "sharp").alerts
    assert tracker.store.alerts() == [first, second]


def test_another_passage_leaves_the_alert_of_the_first_alone(open_tracker):
    tracker = open_tracker(cooldown_seconds=60)
    (alert,) = see(tracker, 0, "blurred").alerts
    for seconds in (10, 11, 12):
        assert see(tracker, seconds, "sharp").kind == "cooldown"
    assert tracker.store.alerts() == [alert]


def test_a_store_that_fails_loses_no_evidence(open_tracker, monkeypatch):
    tracker = open_tracker()
    (alert,) = see(tracker, 0, "blurred").alerts

    def fail(_):
        raise StoreUnavailableError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(tracker.journal, "improve_alert", fail)
        with pytest.raises(StoreUnavailableError):
            see(tracker, 1, "sharp")
    criminal_id = alert.criminal_id
    assert len(tracker.store.sightings(criminal_id)) == 1
    assert see(tracker, 1, "sharp").kind == "cooldown"
    assert tracker.store.alert(alert.id).candidates[0].fpir < alert.candidates[0].fpir
