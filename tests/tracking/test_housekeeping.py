"""What a tracker does at start, from time to time and at the end."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import timedelta

import pytest

from susracker.errors import StoreUnavailableError
from tests.tracking.light import NOON, Clock, activity, face, open_light
from tests.waiting import wait_until

WEEK = timedelta(days=7)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def open_one(tmp_path, clock):
    """Trackers on one store, as if restarted."""
    url = f"sqlite:///{tmp_path / 'people.db'}"
    return lambda **settings: open_light(url, clock=clock, **settings)


@pytest.fixture
def tracker(open_one):
    with closing(open_one()) as tracker:
        yield tracker


@pytest.fixture
def forgotten(tracker, monkeypatch):
    """The moments before which events were forgotten."""
    moments = []
    monkeypatch.setattr(tracker.journal, "forget_events", moments.append)
    return moments


def test_events_are_forgotten_once_an_hour(tracker, clock, forgotten):
    for seconds in (0, 1, 3599, 3600, 3601, 7200):
        clock.now = NOON + timedelta(seconds=seconds)
        tracker.keep_house()
    hours = [timedelta(hours=n) for n in range(3)]
    assert forgotten == [NOON + hour - WEEK for hour in hours]


def test_events_that_could_not_be_forgotten_are_forgotten_the_next_time(
    tracker, forgotten, monkeypatch
):
    def fail(before):
        raise StoreUnavailableError("locked")

    with monkeypatch.context() as broken:
        broken.setattr(tracker.journal, "forget_events", fail)
        with pytest.raises(StoreUnavailableError):
            tracker.keep_house()
    tracker.keep_house()
    assert forgotten == [NOON - WEEK]


def test_a_repeat_is_known_for_a_week(tracker, clock):
    tracker.handle(activity(0, "e"))
    for elapsed in (timedelta(), WEEK, WEEK + timedelta(hours=1)):
        clock.now = NOON + elapsed
        tracker.keep_house()
        tracker.handle(activity(60, "e"))
    assert [alert.occurred_at for alert in tracker.journal.alerts()] == [
        NOON,
        NOON + timedelta(seconds=60),
    ]


def test_a_start_forgets_events_too(open_one, clock):
    with open_one() as tracker:
        tracker.handle(activity(0, "e"))
    clock.now = NOON + WEEK + timedelta(hours=1)
    with open_one() as tracker:
        assert tracker.journal.event_outcome("gate", "e") is None


def test_housekeeping_runs_by_itself_once_started(open_one, clock, monkeypatch):
    done = threading.Event()
    with closing(open_one(follow_seconds=0.1)) as tracker:
        tracker.start()
        monkeypatch.setattr(tracker.journal, "forget_events", lambda before: done.set())
        clock.now = NOON + timedelta(hours=1)
        assert done.wait(60)


def test_housekeeping_writes_counts_and_follows_the_watch_list(tracker, monkeypatch):
    followed, prepared = [], []
    monkeypatch.setattr(tracker.watchlist, "refresh", followed.append)
    monkeypatch.setattr(tracker.watchlist, "prepare", prepared.append)
    tracker.handle(activity())
    tracker.handle(activity(1))
    assert tracker.journal.cameras() == []
    tracker.keep_house()
    (camera,) = tracker.journal.cameras()
    assert (camera.id, camera.location, camera.last_heard_at) == ("gate", "Main gate", NOON)
    assert (camera.detections, camera.alerts) == (2, 1)
    assert followed == [NOON]
    assert prepared == [4096]


def test_cameras_are_known_up_to_this_moment(tracker):
    tracker.handle(activity())
    assert [camera.detections for camera in tracker.cameras()] == [1]


def test_the_end_writes_counts_and_closes_the_parts(open_one, monkeypatch):
    closed = []
    tracker = open_one()
    store_close = tracker.store.close
    monkeypatch.setattr(tracker.store, "close", lambda: (closed.append("store"), store_close()))
    monkeypatch.setattr(tracker._cooldown, "close", lambda: closed.append("cooldown"))
    with tracker:
        tracker.handle(activity())
        assert tracker.problem is None
    assert closed == ["cooldown", "store"]
    assert tracker.problem == "checking the store has stopped"
    with closing(open_one()) as again:
        assert [camera.detections for camera in again.journal.cameras()] == [1]
        assert again.problem == "not started"


def test_the_end_closes_the_parts_even_if_counts_cannot_be_written(open_one, monkeypatch):
    def fail(cameras, days):
        raise StoreUnavailableError("locked")

    closed = []
    tracker = open_one()
    tracker.handle(activity())
    monkeypatch.setattr(tracker.journal, "count_cameras", fail)
    monkeypatch.setattr(tracker.store, "close", lambda: closed.append("store"))
    with pytest.raises(StoreUnavailableError):
        tracker.close()
    assert closed == ["store"]


def test_the_cooldown_survives_a_restart(open_one, clock):
    with open_one() as tracker:
        tracker.handle(activity(0))
        tracker.handle(face(-6))
        tracker.handle(face(-1))
    clock.now = NOON + timedelta(seconds=2)
    with open_one() as tracker:
        assert [tracker.handle(activity(s)).kind for s in (2, 4.9, 5)] == [
            "cooldown",
            "cooldown",
            "alert",
        ]
        assert [tracker.handle(face(s)).kind for s in (3.9, 4)] == ["cooldown", "alert"]


def test_a_restart_remembers_the_newest_alert(open_one, clock):
    """The camera's clock is a little ahead, so two alerts are recent."""
    with open_one() as tracker:
        assert [tracker.handle(activity(s)).kind for s in (-2, 4)] == ["alert", "alert"]
    clock.now = NOON + timedelta(seconds=2)
    with open_one() as tracker:
        assert [tracker.handle(activity(s)).kind for s in (8.9, 9)] == ["cooldown", "alert"]


def test_a_start_reads_the_watch_list(open_one, monkeypatch):
    with closing(open_one()) as tracker:
        loaded, refreshed = [], []
        monkeypatch.setattr(tracker.recogniser, "load", lambda: loaded.append(1))
        monkeypatch.setattr(tracker.watchlist, "refresh", refreshed.append)
        tracker.start()
        assert (loaded, refreshed) == ([1], [NOON])


def test_what_the_cooldown_lacks_is_a_warning(tracker):
    assert tracker.warning is None
    tracker._cooldown.problem = "Redis is unavailable"
    assert tracker.warning == "Redis is unavailable"


def test_a_store_that_fails_is_noticed_while_the_watch_list_waits_for_it(open_one, monkeypatch):
    waiting, over = threading.Event(), threading.Event()

    def fail_meanwhile():
        if waiting.is_set():
            raise StoreUnavailableError("the disk is full")

    def wait(now):
        waiting.set()
        over.wait(60)

    with closing(open_one(follow_seconds=0.1)) as tracker:
        monkeypatch.setattr(tracker.store, "check", fail_meanwhile)
        tracker.start()
        monkeypatch.setattr(tracker.watchlist, "refresh", wait)
        assert wait_until(lambda: tracker.problem == "the disk is full")
        over.set()
