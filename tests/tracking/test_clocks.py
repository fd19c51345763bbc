"""Cameras whose clocks are wrong, with a clock of the server's that is handed in."""

from __future__ import annotations

import logging
from contextlib import closing
from datetime import timedelta

import pytest

from susracker.errors import StoreUnavailableError
from susracker.tracking import clocks
from susracker.tracking.clocks import CameraClocks
from tests.tracking.light import NOON, Clock, activity, face, open_light


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tracker(tmp_path, clock):
    with closing(open_light(f"sqlite:///{tmp_path / 'people.db'}", clock=clock)) as tracker:
        yield tracker


@pytest.fixture
def send(tracker, clock):
    """Sends a detection that arrives some seconds after noon; answers when it is said to be."""

    def send(detection, arrives: float) -> tuple[str, float]:
        clock.now = NOON + timedelta(seconds=arrives)
        kind = tracker.handle(detection).kind
        newest = tracker.journal.alerts(limit=1000)[-1]
        return kind, (newest.occurred_at - NOON).total_seconds()

    return send


@pytest.mark.parametrize("seen", [activity, face])
def test_a_clock_that_stands_still_does_not_silence_its_camera(send, seen):
    stuck = seen(-100)
    answers = [send(stuck, arrives) for arrives in (0, 1, 10, 10.001, 11, 15.001, 16)]
    assert answers == [
        ("alert", -100),
        ("cooldown", -100),
        ("cooldown", -100),
        ("alert", 10.001),
        ("cooldown", 10.001),
        ("alert", 15.001),
        ("cooldown", 15.001),
    ]


def test_a_clock_that_goes_on_is_believed_again(send):
    send(activity(-100), 0)
    assert send(activity(-100), 11) == ("alert", 11)
    assert send(activity(-80), 12) == ("alert", -80)
    assert send(activity(-80), 22) == ("cooldown", -80)
    assert send(activity(-80), 22.1) == ("alert", 22.1)


def test_cameras_have_clocks_of_their_own(send):
    send(activity(-100), 0)
    assert send(activity(-100, camera="hall"), 11) == ("alert", -100)


def test_what_a_camera_held_back_keeps_its_time(send):
    """An hour's worth that comes late, one a minute, takes 20 s to arrive."""
    answers = [send(activity(-3600 + 60 * n), n / 3) for n in range(60)]
    assert answers == [("alert", -3600 + 60 * n) for n in range(60)]


def test_many_faces_of_one_frame_share_a_time(send):
    held_back = [face(-100, who=b"ann"), face(-100, who=b"bob")]
    assert [send(one, 5 * n) for n, one in enumerate(held_back)] == [("alert", -100)] * 2


def test_what_fails_and_is_sent_again_is_no_clock_that_stands_still(send, tracker, monkeypatch):
    def fail(*args, **named):
        raise StoreUnavailableError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(tracker.journal, "record", fail)
        for arrives in (0, 11, 22):
            with pytest.raises(StoreUnavailableError):
                send(activity(-100, "e"), arrives)
    assert send(activity(-100, "e"), 33) == ("alert", -100)


@pytest.mark.parametrize("seconds", [60, 60.001])
def test_a_clock_may_be_ahead_by_a_minute(send, seconds):
    assert send(activity(seconds), 0) == ("alert", 60 if seconds == 60 else 0)


def test_the_log_names_a_camera_once(caplog):
    cameras = CameraClocks()

    def see(seconds: float, camera: str, arrives: float) -> None:
        detection, arrival = activity(seconds, camera=camera), NOON + timedelta(seconds=arrives)
        cameras.moment(detection, arrival)
        cameras.note(detection, arrival)

    with caplog.at_level(logging.WARNING):
        for arrives in (0, 11, 12):
            see(-100, "gate", arrives)
        for arrives in (20, 31):
            see(-50, "gate", arrives)
        see(-50, "hall", 31)
        see(-50, "hall", 42)
    assert [record.getMessage() for record in caplog.records] == [
        f"the clock of camera {camera} stands still at 2026-01-01T11:{moment}+00:00: set it; "
        "until then the time of arrival is used"
        for camera, moment in (("gate", "58:20"), ("hall", "59:10"))
    ]


def test_the_camera_that_has_been_silent_the_longest_is_forgotten(monkeypatch):
    monkeypatch.setattr(clocks, "MAX_CAMERAS", 2)
    cameras, later = CameraClocks(), NOON + timedelta(seconds=11)
    seen = {camera: activity(-100, camera=camera) for camera in "abc"}
    for camera in "abac":
        cameras.note(seen[camera], NOON)
    believed = {camera: cameras.moment(one, later) != later for camera, one in seen.items()}
    assert believed == {"a": False, "b": True, "c": False}


def test_arrivals_out_of_order_count_from_the_first():
    cameras, stuck = CameraClocks(), activity(-100)
    for arrives in (5, 0):
        cameras.note(stuck, NOON + timedelta(seconds=arrives))
    arrival = NOON + timedelta(seconds=11)
    assert cameras.moment(stuck, arrival) == arrival


def test_a_replay_goes_by_the_recorded_arrivals(tmp_path):
    """The clock of the machine that it runs on does not matter."""

    def run(name: str, hours: int) -> list:
        clock = Clock()
        clock.now = NOON + timedelta(hours=hours)
        with closing(open_light(f"sqlite:///{tmp_path / name}", clock=clock)) as tracker:
            arrivals = [NOON + timedelta(seconds=seconds) for seconds in (0, 9, 11, 12, 17)]
            outcomes = [tracker.conclude(activity(-100), None, one) for one in arrivals]
        return [[alert.occurred_at for alert in one.alerts] for one in outcomes]

    seconds = ([-100], [], [11], [], [17])
    expected = [[NOON + timedelta(seconds=one) for one in some] for some in seconds]
    assert run("a.db", 0) == run("b.db", 24) == expected
