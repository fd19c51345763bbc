"""Counts of cameras: written once each, whatever fails in between."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import timedelta

import pytest

from susracker.errors import StoreUnavailableError
from susracker.models import Camera, CameraDay
from susracker.plugins import open_store
from susracker.tracking.camera_counts import CameraCounts
from tests.tracking.light import NOON, Gate


@pytest.fixture
def store(tmp_path):
    with open_store(f"sqlite:///{tmp_path / 'people.db'}") as store:
        yield store


def heard(seconds: float = 0, camera: str = "gate", location: str = "", alerts: int = 0) -> Camera:
    return Camera(camera, location, NOON + timedelta(seconds=seconds), 1, alerts)


def counted(store) -> dict[str, tuple[int, int]]:
    return {one.id: (one.detections, one.alerts) for one in store.cameras()}


def fail_at(store, monkeypatch, *failing: int) -> Gate:
    gate = Gate(store.count_cameras)
    gate.failing = set(failing)
    gate.open()
    monkeypatch.setattr(store, "count_cameras", gate)
    return gate


def test_counts_add_up_and_the_last_location_stays(store):
    counts = CameraCounts(store)
    for one in (heard(0, location="old"), heard(2, location="new", alerts=2), heard(1, alerts=1)):
        counts.add(one)
    counts.add(heard(0, "hall"))
    counts.flush()
    gate, hall = store.cameras()
    assert gate == Camera("gate", "new", NOON + timedelta(seconds=2), 3, 3)
    assert (hall.id, hall.detections, hall.alerts) == ("hall", 1, 0)


def test_searches_are_counted_by_the_day_of_arrival(store):
    counts = CameraCounts(store)
    counts.add(heard(0, alerts=1), searches=3)
    counts.add(heard(1), searches=0)
    counts.flush()
    counts.add(heard(2), searches=2)
    counts.add(heard(24 * 3600), searches=4)
    counts.flush()
    today, tomorrow = NOON.date(), NOON.date() + timedelta(days=1)
    assert store.camera_days() == [
        CameraDay("gate", today, detections=3, searches=5, alerts=1),
        CameraDay("gate", tomorrow, detections=1, searches=4, alerts=0),
    ]


def test_nothing_new_is_not_written(store, monkeypatch):
    calls = []
    monkeypatch.setattr(store, "count_cameras", lambda *counts: calls.append(counts))
    counts = CameraCounts(store)
    counts.flush()
    counts.add(heard())
    counts.flush()
    counts.flush()
    assert len(calls) == 1


@pytest.mark.parametrize("error", [StoreUnavailableError("full"), ValueError("a mistake")])
def test_what_could_not_be_written_is_written_the_next_time(store, monkeypatch, error):
    def fail(cameras, days):
        raise error

    counts = CameraCounts(store)
    counts.add(heard(0, alerts=1))
    counts.add(heard(0, "hall"))
    with monkeypatch.context() as broken:
        broken.setattr(store, "count_cameras", fail)
        for _ in range(2):
            with pytest.raises(type(error)):
                counts.flush()
    counts.add(heard(1))
    counts.flush()
    counts.flush()
    assert counted(store) == {"gate": (2, 1), "hall": (1, 0)}


def test_a_failed_write_does_not_move_a_camera_back(store, monkeypatch):
    """It is heard from again, from another place, while the write fails."""
    counts, gate = CameraCounts(store), Gate(store.count_cameras)
    gate.failing = {1}
    monkeypatch.setattr(store, "count_cameras", gate)
    counts.add(heard(0, location="old"))
    with gate.holding(counts.flush) as flushed:
        counts.add(heard(1, location="new"))
    assert isinstance(flushed.exception(), StoreUnavailableError)
    counts.flush()
    assert store.cameras() == [Camera("gate", "new", NOON + timedelta(seconds=1), 2, 0)]


def test_a_flush_waits_for_one_under_way(store, monkeypatch):
    """When it returns, everything that was counted before is stored."""
    counts, gate = CameraCounts(store), Gate(store.count_cameras)
    monkeypatch.setattr(store, "count_cameras", gate)
    counts.add(heard())
    with gate.holding(counts.flush), ThreadPoolExecutor(1) as pool:
        second = pool.submit(lambda: counts.flush() or counted(store))
        gate.open()
        assert second.result(60) == {"gate": (1, 0)}


@pytest.mark.parametrize("other", ["add", "flush"])
def test_what_happens_while_a_count_is_added_loses_nothing(store, monkeypatch, other):
    counts, gate = CameraCounts(store), Gate(Camera.added_to)
    counts.add(heard(0))
    monkeypatch.setattr(Camera, "added_to", lambda later, earlier: gate(later, earlier))
    calls = {"add": lambda: counts.add(heard(2)), "flush": counts.flush}
    with ThreadPoolExecutor(1) as pool:
        with gate.holding(counts.add, heard(1)):
            second = pool.submit(calls[other])
            wait([second], 0.2)  # it gets so long to do what it must not
        second.result(60)
    counts.flush()
    assert counted(store) == {"gate": (3 if other == "add" else 2, 0)}


def test_many_threads_and_failures_lose_and_double_nothing(store, monkeypatch):
    chance = random.Random(4)
    fail_at(store, monkeypatch, *(n for n in range(1, 400) if chance.random() < 0.5))
    counts, start = CameraCounts(store), threading.Barrier(4)

    def work(number: int) -> None:
        start.wait(60)
        for _ in range(100):
            counts.add(heard(number, f"c{number % 2}", alerts=1))
            with suppress(StoreUnavailableError):
                counts.flush()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    monkeypatch.undo()
    counts.flush()
    assert counted(store) == {"c0": (200, 200), "c1": (200, 200)}
    assert [(one.detections, one.alerts) for one in store.camera_days()] == [(200, 200)] * 2
