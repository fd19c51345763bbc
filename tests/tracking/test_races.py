"""The same event twice at once, and writes that fail in the middle: one event, one alert."""

from __future__ import annotations

import logging
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
import redis

from susracker.errors import DuplicateError, NotFoundError, StoreUnavailableError
from susracker.tracking.tracker import ATTEMPTS
from tests.services.servers import redis_url
from tests.tracking.light import Gate, activity, face, open_light

ROUNDS = {"sqlite": 100, "mongodb": 10}


@pytest.fixture(params=["sqlite memory", "sqlite redis", "mongodb redis"])
def tracker(request, tmp_path):
    store, cooldown = request.param.split()
    url = f"sqlite:///{tmp_path / 'people.db'}"
    if store == "mongodb":
        server = request.getfixturevalue("mongodb_server")
        url = f"mongodb://127.0.0.1:{server.port}/races_{uuid.uuid4().hex}"
    if cooldown == "redis":
        server = request.getfixturevalue("redis_server")
        redis.Redis(port=server.port).flushall()
        cooldown = redis_url(server)
    with closing(open_light(url, cooldown)) as tracker:
        yield tracker


@pytest.fixture
def gate(tracker, monkeypatch):
    """Where the first write waits."""
    gate = Gate(tracker.journal.record)
    monkeypatch.setattr(tracker.journal, "record", gate)
    return gate


both_kinds = pytest.mark.parametrize("seen", [activity, face])


def conclude(tracker, detection):
    """What a second handler does that looked for an earlier outcome before there was one."""
    recognition = tracker.recogniser.recognise(detection.picture, detection.occurred_at)
    return tracker.conclude(detection, recognition, detection.occurred_at)


@both_kinds
def test_an_event_that_comes_twice_at_once_alerts_once(tracker, gate, seen):
    with gate.holding(tracker.handle, seen(0, "e")) as first:
        second = tracker.handle(seen(0, "e"))
    assert (first.result().kind, second.kind) == ("alert", "alert")
    assert [alert.id for alert in first.result().alerts] == [second.alerts[0].id]
    assert len(tracker.journal.alerts()) == 1
    assert tracker.handle(seen(1)).kind == "cooldown"


@both_kinds
def test_who_fails_takes_nothing_from_what_was_stored(tracker, gate, seen):
    gate.failing = {1}
    with gate.holding(tracker.handle, seen(0, "e")) as first:
        assert tracker.handle(seen(0, "e")).kind == "alert"
    assert isinstance(first.exception(), StoreUnavailableError)
    assert tracker.handle(seen(1)).kind == "cooldown"


@both_kinds
def test_who_fails_takes_nothing_from_a_write_under_way(tracker, gate, seen):
    gate.failing = {2}
    with gate.holding(tracker.handle, seen(0, "e")) as first:
        with pytest.raises(StoreUnavailableError):
            tracker.handle(seen(0, "e"))
        assert tracker.handle(seen(1)).kind == "cooldown"
    assert first.result().kind == "alert"


@both_kinds
def test_where_both_fail_nothing_is_held_back(tracker, gate, seen):
    gate.failing = {1, 2}
    with gate.holding(tracker.handle, seen(0, "e")), pytest.raises(StoreUnavailableError):
        tracker.handle(seen(0, "e"))
    assert tracker.handle(seen(1)).kind == "alert"


@both_kinds
def test_a_failed_write_leaves_what_was_held_back_before(tracker, gate, seen):
    gate.open()
    gate.failing = {2}
    tracker.handle(seen(0))
    with pytest.raises(StoreUnavailableError):
        tracker.handle(seen(10))
    assert [tracker.handle(seen(s)).kind for s in (4, 6)] == ["cooldown", "alert"]


@both_kinds
def test_a_repeat_of_what_was_held_back_leaves_nothing(tracker, gate, seen):
    """Its first handler was held back by a write that failed later; its second one is late."""
    gate.failing = {1}
    with gate.holding(tracker.handle, seen(0)):
        assert tracker.handle(seen(1, "e")).kind == "cooldown"
    with pytest.raises(DuplicateError):
        conclude(tracker, seen(1, "e"))
    assert tracker.handle(seen(2)).kind == "alert"


def test_of_several_people_each_is_given_back(tracker, gate):
    gate.open()
    gate.failing = {2}
    tracker.handle(face(0, who=b"ann"))
    with pytest.raises(StoreUnavailableError):
        tracker.handle(face(1, who=b"ann,bob"))
    outcome = tracker.handle(face(2, who=b"ann,bob"))
    assert [(one.criminal_id, one.suppressed) for one in outcome.sightings] == [
        ("ann", True),
        ("bob", False),
    ]


@pytest.fixture
def hasty_threads():
    """Threads that take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@both_kinds
@pytest.mark.usefixtures("hasty_threads")
def test_many_events_twice_at_once_while_another_camera_writes(tracker, seen):
    """Nothing decides here who comes first."""
    start = threading.Barrier(3)
    rounds = ROUNDS[tracker.settings.store.split(":")[0]]

    def handle(number: int, camera: str):
        start.wait(60)
        return tracker.handle(seen(-10 * number, f"e{number}", camera)).kind

    with ThreadPoolExecutor(3) as pool:
        for number in range(rounds):
            kinds = pool.map(handle, [number] * 3, ["gate", "gate", "hall"])
            assert list(kinds) == ["alert"] * 3
    assert len(tracker.journal.alerts(limit=1000)) == 2 * rounds


def test_someone_removed_again_and_again_is_an_error_in_the_end(tracker, monkeypatch):
    calls = []

    def record(*args, **named):
        calls.append(args)
        raise NotFoundError("no criminal with the id ann")

    with monkeypatch.context() as broken:
        broken.setattr(tracker.journal, "record", record)
        with pytest.raises(StoreUnavailableError, match="nothing was stored"):
            tracker.handle(face(0))
    assert len(calls) == ATTEMPTS
    assert tracker.handle(face(1)).kind == "alert"


def test_who_is_removed_while_being_recognised_is_recognised_anew(tracker, monkeypatch, caplog):
    record = tracker.journal.record

    def remove_first(*args, **named):
        monkeypatch.setattr(tracker.journal, "record", record)
        tracker.store.remove_criminal("ann")
        return record(*args, **named)

    monkeypatch.setattr(tracker.journal, "record", remove_first)
    with caplog.at_level(logging.INFO):
        assert [one.name for one in tracker.handle(face(0, who=b"ann,bob")).alerts] == ["Bob"]
    assert caplog.messages == ["someone was removed while being recognised; recognising again"]
