"""The path of a detection, on real faces, with a clock that is handed in."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import cv2
import numpy as np
import pytest

from susracker.enrolment.enroller import Enroller
from susracker.enrolment.fields import criminal_from_fields
from susracker.errors import InputError, PictureError, StoreUnavailableError
from susracker.faces.glance import Glance
from susracker.faces.images import crop, decode
from susracker.judgement.judging import Judging
from susracker.loading import make_settings
from susracker.matchers.exact import ExactMatcher
from susracker.models import Detection
from susracker.plugins import open_cooldown, open_detector, open_encoder, open_matcher, open_store
from susracker.tracking.recogniser import Recogniser, Recognition
from susracker.tracking.tracker import Tracker
from tests.pictures import COLLINS, HOPPER, encoded, portrait

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
encoder = open_encoder("dlib")


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def face_of(path) -> bytes:
    picture = portrait(path)
    return encoded(np.ascontiguousarray(crop(picture, open_detector().find(picture)[0].box, 0.2)))


FACES = {"hopper": face_of(HOPPER), "collins": face_of(COLLINS)}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def open_tracker(tmp_path, clock):
    """Trackers on one store, as if restarted."""
    opened = []

    def open_one(**settings) -> Tracker:
        url = f"sqlite:///{tmp_path / 'people.db'}"
        tracker = Tracker(
            store=open_store(url),
            encoder=encoder,
            matcher=open_matcher("exact", encoder.dimension),
            cooldown=open_cooldown("memory", settings.get("cooldown_seconds", 5)),
            settings=make_settings({"store": url, "follow_seconds": 60} | settings),
            clock=clock,
        )
        opened.append(tracker)
        return tracker

    yield open_one
    for tracker in opened:
        tracker.close()


@pytest.fixture
def tracker(open_tracker):
    one = open_tracker()
    enroll(one, "Grace Hopper", HOPPER)
    one.start()
    return one


def enroll(tracker: Tracker, name: str, photo) -> str:
    enroller = Enroller(tracker.store, encoder)
    criminal = criminal_from_fields({"name": name})
    enroller.enroll(criminal, [enroller.prepare(photo.read_bytes())])
    return criminal.id


def seen(who: str = "hopper", seconds: float = 0, **changes) -> Detection:
    detection = Detection(
        camera_id="gate",
        camera_location="Main gate",
        event_type="face",
        occurred_at=NOON + timedelta(seconds=seconds),
        picture=FACES.get(who),
    )
    return replace(detection, **changes)


def test_a_wanted_face_is_sighted_and_alerted(tracker):
    outcome = tracker.handle(seen())
    (alert,) = outcome.alerts
    (sighting,) = outcome.sightings
    assert outcome.kind == "alert"
    assert (alert.seq, alert.name, alert.camera_id) == (1, "Grace Hopper", "gate")
    assert alert.candidates[0].criminal_id == alert.criminal_id == sighting.criminal_id
    assert alert.face.startswith(b"\xff\xd8")
    assert not sighting.suppressed
    assert tracker.store.alerts() == [alert]
    assert tracker.store.sightings(alert.criminal_id) == [sighting]


@pytest.mark.parametrize(
    ("passage_seconds", "alerts"),
    [(0, [True, False, False, True, False, True]), (4, [True, False, False, False, False, True])],
)
def test_repeats_are_sightings_and_no_alerts(open_tracker, clock, passage_seconds, alerts):
    """In one passage there is no second alert, however long it lasts."""
    tracker = open_tracker(passage_seconds=passage_seconds)
    enroll(tracker, "Grace Hopper", HOPPER)
    tracker.refresh()
    kinds = []
    for seconds in (0, 1, 4.9, 5, 9, 13.1):
        clock.now = NOON + timedelta(seconds=seconds)
        kinds.append(tracker.handle(seen(seconds=seconds)).kind)
    assert kinds == ["alert" if alert else "cooldown" for alert in alerts]
    (criminal,) = tracker.store.criminals()
    suppressed = [one.suppressed for one in tracker.store.sightings(criminal.id)]
    assert suppressed == [not alert for alert in alerts]
    assert criminal.last_seen_at == NOON + timedelta(seconds=13.1)


def test_last_seen_may_wait_for_people(open_tracker):
    tracker = open_tracker(last_seen_after="confirmation")
    criminal_id = enroll(tracker, "Grace Hopper", HOPPER)
    tracker.start()
    (alert,) = tracker.handle(seen()).alerts
    assert len(tracker.store.sightings(criminal_id)) == 1
    assert tracker.store.criminal(criminal_id).last_seen_at is None
    Judging(tracker.store, 1).review(alert.id, verdict="confirmed", reason="scar", made_by="Jo")
    assert tracker.store.criminal(criminal_id).last_seen_at == alert.occurred_at


def test_a_stranger_leaves_no_trace(tracker, tmp_path):
    assert tracker.handle(seen("collins")).kind == "no match"
    (camera,) = tracker.cameras()
    assert (camera.detections, camera.alerts) == (1, 0)
    assert tracker.store.alerts() == []
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert FACES["collins"][200:260] not in kept


def test_an_activity_alerts_and_is_held_back_by_kind_and_camera(tracker):
    def kind(event_type: str, camera: str, seconds: float) -> str:
        detection = seen(seconds=seconds, event_type=event_type, camera_id=camera, picture=None)
        return tracker.handle(detection).kind

    assert kind("violence", "gate", 0) == "alert"
    assert kind("violence", "gate", 1) == "cooldown"
    assert kind("fire", "gate", 1) == "alert"
    assert kind("violence", "hall", 1) == "alert"
    assert kind("violence", "gate", 6) == "alert"


def test_a_criminal_called_as_an_activity_has_a_cooldown_of_his_own(tracker):
    (criminal,) = tracker.store.criminals()
    tracker.handle(seen())
    detection = seen(event_type=criminal.id, picture=None)
    assert tracker.handle(detection).kind == "alert"


@pytest.mark.parametrize("change", ["apprehended", "expired", "removed"])
def test_who_is_not_wanted_any_more_is_not_matched_from_that_moment(tracker, clock, change):
    (criminal,) = tracker.store.criminals()
    if change == "apprehended":
        tracker.store.put_criminal(replace(criminal, status="apprehended"))
    elif change == "expired":
        tracker.store.put_criminal(replace(criminal, expires_at=NOON + timedelta(hours=1)))
        tracker.refresh()
        assert tracker.handle(seen()).kind == "alert"
        clock.now = NOON + timedelta(hours=1)
    else:
        tracker.store.remove_criminal(criminal.id)
    assert tracker.handle(seen(seconds=3600)).kind == "no match"


def test_who_is_enrolled_is_matched_after_a_refresh(tracker):
    enroll(tracker, "Eileen Collins", COLLINS)
    tracker.refresh()
    assert tracker.handle(seen("collins")).alerts[0].name == "Eileen Collins"


def test_the_same_face_twice_in_a_frame_is_one_person(tracker):
    twice = encoded(np.hstack([portrait(HOPPER), portrait(HOPPER)]))
    outcome = tracker.handle(seen(picture=twice))
    assert len(outcome.alerts) == len(outcome.sightings) == 1


def test_a_repeated_event_has_its_first_outcome(tracker):
    first = tracker.handle(seen(event_id="e1"))
    again = tracker.handle(seen(seconds=60, event_id="e1"))
    assert again.kind == first.kind == "alert"
    assert again.alerts == first.alerts
    assert len(tracker.store.alerts()) == 1
    assert tracker.handle(seen(seconds=60, event_id="e1", camera_id="hall")).kind == "alert"


def test_a_stranger_is_remembered_as_an_event_only(tracker):
    assert tracker.handle(seen("collins", event_id="e2")).kind == "no match"
    enroll(tracker, "Eileen Collins", COLLINS)
    tracker.refresh()
    assert tracker.handle(seen("collins", event_id="e2")).kind == "no match"


def test_a_clock_far_ahead_does_not_hold_alerts_back(tracker):
    assert tracker.handle(seen(seconds=86_400)).alerts[0].occurred_at == NOON
    assert tracker.handle(seen(seconds=6)).kind == "alert"


def test_what_could_not_be_stored_is_not_held_back(tracker, monkeypatch):
    def fail(*args, **named):
        raise StoreUnavailableError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(tracker.store, "record", fail)
        with pytest.raises(StoreUnavailableError):
            tracker.handle(seen())
        with pytest.raises(StoreUnavailableError):
            tracker.handle(seen(event_type="violence", picture=None))
    assert tracker.handle(seen(seconds=1)).kind == "alert"
    activity = seen(seconds=1, event_type="violence", picture=None)
    assert tracker.handle(activity).kind == "alert"


def test_a_restart_restores_the_cooldown(tracker, open_tracker, clock):
    tracker.handle(seen())
    tracker.handle(seen(event_type="violence", picture=None))
    clock.now = NOON + timedelta(seconds=2)
    again = open_tracker(passage_seconds=0)
    again.start()
    assert again.handle(seen(seconds=2)).kind == "cooldown"
    assert again.handle(seen(seconds=2, event_type="violence", picture=None)).kind == "cooldown"
    assert again.handle(seen(seconds=5)).kind == "alert"


def test_someone_removed_while_being_recognised(tracker, monkeypatch):
    """The match is made, then he is removed, then it would be stored."""
    (criminal,) = tracker.store.criminals()
    record = tracker.store.record

    def remove_first(*args, **named):
        monkeypatch.setattr(tracker.store, "record", record)
        tracker.store.remove_criminal(criminal.id)
        return record(*args, **named)

    monkeypatch.setattr(tracker.store, "record", remove_first)
    assert tracker.handle(seen()).kind == "no match"
    assert tracker.store.alerts() == []


def test_bad_pictures_are_errors_and_change_nothing(tracker):
    with pytest.raises(PictureError):
        tracker.handle(seen(picture=b"no picture"))
    with pytest.raises(InputError):
        tracker.handle(seen(picture=None))
    assert tracker.cameras() == []
    assert tracker.handle(seen()).kind == "alert"


def test_the_library_in_ten_lines(tmp_path):
    import susracker

    url = f"sqlite:///{tmp_path / 'people.db'}"
    with susracker.open_tracker(store=url) as tracker:
        enroller = susracker.Enroller(tracker.store, tracker.encoder)
        criminal = susracker.Criminal(id="1", name="Grace Hopper")
        enroller.enroll(criminal, [enroller.prepare(HOPPER.read_bytes())])
        tracker.refresh()
        outcome = tracker.handle(seen())
        assert [alert.name for alert in outcome.alerts] == ["Grace Hopper"]


class CountingEncoder(type(encoder)):
    """Counts the faces that it encodes in full, and those that it embeds fast."""

    def __init__(self) -> None:
        super().__init__()
        self.full = self.fast = 0

    def encode(self, chips):
        self.full += len(chips)
        return super().encode(chips)

    def embed_fast(self, chips):
        self.fast += len(chips)
        return super().embed_fast(chips)


@pytest.fixture
def counting(tracker):
    tracker.encoder = CountingEncoder()
    tracker.recogniser = Recogniser(tracker.detector, tracker.encoder, tracker.watchlist, 10**7)
    return tracker


def test_whoever_may_be_someone_is_encoded_in_full(counting):
    matches = counting.recogniser.recognise(FACES["hopper"], NOON).matches
    assert (counting.encoder.fast, counting.encoder.full) == (1, 1)
    chip = counting.detector.find(decode(FACES["hopper"]))[0].chip[None]
    expected = counting.watchlist.identify(counting.encoder.encode(chip), NOON)
    assert matches[0].candidates == expected[0]


def test_a_stranger_is_only_embedded_fast(counting):
    assert counting.recogniser.recognise(FACES["collins"], NOON) == Recognition(1, ())
    assert (counting.encoder.fast, counting.encoder.full) == (1, 0)


def test_closing_closes_the_matcher(open_tracker, monkeypatch):
    closed = []
    monkeypatch.setattr(ExactMatcher, "close", lambda matcher: closed.append(matcher))
    open_tracker().close()
    assert len(closed) == 1


class CountingDetector(type(open_detector())):
    """Counts the pictures in which it looks for faces."""

    count = 0

    def find_in_bytes(self, data, max_pixels=10**7):
        self.count += 1
        return super().find_in_bytes(data, max_pixels)


def frame_of(who: str, number: int) -> bytes:
    """The same face moved, turned and lit a little."""
    picture = decode(FACES[who])
    height, width = picture.shape[:2]
    turned = cv2.getRotationMatrix2D((width / 2, height / 2), 3 * math.sin(number), 1)
    turned[:, 2] += 0.02 * width * math.cos(2 * number)
    moved = cv2.warpAffine(picture, turned, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return encoded(np.clip(moved * (1 + 0.1 * math.sin(3 * number)), 0, 255).astype(np.uint8))


@pytest.fixture
def walk(tracker, clock):
    """Sends frames, five a second, without track ids, and says which were looked at."""
    detector = CountingDetector()
    tracker.detector = detector
    tracker.recogniser = Recogniser(detector, encoder, tracker.watchlist, 10**7)

    def send(who: str, numbers: range):
        outcomes, looked = [], []
        for number in numbers:
            clock.now = NOON + timedelta(seconds=number / 5)
            before = detector.count
            picture = frame_of(who, number)
            outcomes.append(tracker.handle(seen(who, number / 5, picture=picture)))
            looked.append(detector.count > before)
        return outcomes, looked

    return send


def test_frames_of_a_settled_passage_are_not_looked_at_without_track_ids_either(walk):
    outcomes, looked = walk("collins", range(11))
    assert {outcome.kind for outcome in outcomes} == {"no match"}
    assert len({outcome.passage for outcome in outcomes}) == 1
    assert [number for number, one in enumerate(looked) if one] == [0, 5, 10]


@pytest.mark.parametrize("behind", range(1, 6))
def test_a_wanted_person_directly_behind_a_stranger_alerts_at_once(walk, behind):
    """Without track ids, in the same place, at whatever frame the stranger has gone."""
    walk("collins", range(behind))
    outcomes, looked = walk("hopper", range(behind, behind + 1))
    assert looked == [True]
    assert [alert.name for alert in outcomes[0].alerts] == ["Grace Hopper"]


def test_a_face_that_stays_is_looked_at_again_each_second_whatever_a_glance_says(walk, monkeypatch):
    """So nobody stays hidden for longer, even if they look the same at a glance."""
    walk("collins", range(3))
    monkeypatch.setattr(Glance, "shows", lambda glance, glimpses: True)
    outcomes, looked = walk("hopper", range(3, 6))
    assert looked == [False, False, True]
    assert [len(outcome.alerts) for outcome in outcomes] == [0, 0, 1]


def test_a_picture_that_cannot_be_read_is_an_error_whatever_was_seen_before(walk, tracker):
    walk("collins", range(1))
    with pytest.raises(PictureError):
        tracker.handle(seen("collins", 0.2, picture=FACES["collins"][:3000]))
