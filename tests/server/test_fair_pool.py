"""One noisy camera does not keep others waiting, nor do large pictures."""

from __future__ import annotations

import threading
from contextlib import closing

import gevent
import pytest

from susracker.errors import OverloadedError
from susracker.server.fair_pool import FairPool
from susracker.tracking.turns import Turns
from tests.waiting import PATIENCE


def started(pool: FairPool, gate: threading.Event, order: list[str], *names: str) -> list:
    """Calls of cameras named by their first letter, which finish once the gate is open."""

    def work(name: str) -> str:
        gate.wait(2 * PATIENCE)
        order.append(name)
        return name

    greenlets = [gevent.spawn(pool.call, name[0], work, name) for name in names]
    gevent.sleep(0.01)
    return greenlets


def test_a_quiet_camera_waits_for_one_call_of_a_noisy_one():
    gate, order = threading.Event(), []
    with closing(FairPool(1, 10)) as pool:
        calls = started(pool, gate, order, "n1", "n2", "n3", "n4", "q1")
        assert pool.in_flight == 5
        gate.set()
        assert [one.get(timeout=60) for one in calls] == ["n1", "n2", "n3", "n4", "q1"]
        assert order == ["n1", "n2", "q1", "n3", "n4"]
        assert pool.in_flight == 0


def test_a_full_queue_refuses_the_surplus_of_the_noisiest():
    gate, order = threading.Event(), []
    with closing(FairPool(1, 4)) as pool:
        noisy = started(pool, gate, order, "n1", "n2", "n3", "n4")
        (quiet,) = started(pool, gate, order, "q1")
        with pytest.raises(OverloadedError) as refused:
            noisy[3].get(timeout=PATIENCE)  # although nothing was finished
        assert refused.value.retry_after >= 1
        with pytest.raises(OverloadedError):
            pool.call("n", order.append, "n5")
        gate.set()
        gevent.joinall([*noisy, quiet], timeout=60)
        assert order == ["n1", "n2", "q1", "n3"]


def test_only_a_camera_that_has_none_takes_anothers_place():
    gate, order = threading.Event(), []
    with closing(FairPool(1, 4)) as pool:
        waiting = started(pool, gate, order, "n1", "n2", "m1", "m2")
        assert pool.is_full_for("n")
        with pytest.raises(OverloadedError):
            pool.call("n", order.append, "n3")
        assert not pool.is_full_for("q")
        (quiet,) = started(pool, gate, order, "q1")
        with pytest.raises(OverloadedError):
            waiting[3].get(timeout=PATIENCE)
        assert pool.is_full_for("r")  # nobody has more than one
        gate.set()
        gevent.joinall([*waiting, quiet], timeout=60)
        assert order == ["n1", "n2", "m1", "q1"]


def test_who_is_cut_off_while_waiting_leaves_no_trace():
    gate, order = threading.Event(), []
    with closing(FairPool(1, 3)) as pool:
        first, gone = started(pool, gate, order, "a1", "b1")
        gone.kill()
        assert pool.in_flight == 1
        gate.set()
        first.get(timeout=60)
        assert pool.call("c", lambda: "c1") == "c1"
        assert order == ["a1"]


def test_without_a_queue_what_does_not_run_is_refused():
    gate, order = threading.Event(), []
    with closing(FairPool(17, 1)) as pool:
        started(pool, gate, order, "a1")
        with pytest.raises(OverloadedError):
            pool.call("b", order.append, "b1")
        gate.set()


def test_threads_take_turns_by_camera():
    turns, order, threads = Turns(1), [], []

    def work(name: str) -> None:
        with turns.turn(name[0]):
            order.append(name)

    with turns.turn("x"):
        for waiting, name in enumerate(["n1", "n2", "n3", "q1"], 1):
            threads.append(threading.Thread(target=work, args=(name,)))
            threads[-1].start()
            while len(turns._waiting) < waiting:
                gevent.sleep(0.001)
    for one in threads:
        one.join(60)
    assert order == ["n1", "q1", "n2", "n3"]
