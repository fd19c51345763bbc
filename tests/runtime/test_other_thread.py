"""A thread that is there while there is work for it."""

from __future__ import annotations

import threading
from queue import SimpleQueue

import pytest

from susracker.runtime import other_thread
from susracker.runtime.other_thread import OtherThread


def named(name: str) -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == name]


def test_functions_run_in_order_on_one_thread():
    done: SimpleQueue[tuple[int, int]] = SimpleQueue()
    thread = OtherThread("in order")
    for number in range(100):
        thread.call(lambda number=number: done.put((number, threading.get_ident())))
    found = [done.get(timeout=60) for _ in range(100)]
    assert [number for number, _ in found] == list(range(100))
    assert {ident for _, ident in found}.isdisjoint({threading.get_ident()})
    assert len({ident for _, ident in found}) == 1


def test_it_ends_when_there_is_nothing_to_do_and_begins_again(monkeypatch):
    monkeypatch.setattr(other_thread, "IDLE_SECONDS", 0.0)
    done: SimpleQueue[int] = SimpleQueue()
    thread = OtherThread("ending")
    for number in range(300):  # often just as it is about to end
        thread.call(lambda number=number: done.put(number))
        assert done.get(timeout=60) == number
    for one in named("ending"):
        one.join(60)
    assert named("ending") == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_comes_after_an_error_is_done():
    done: SimpleQueue[str] = SimpleQueue()
    thread = OtherThread("failing")

    def fail() -> None:
        raise ValueError("no")

    thread.call(fail)
    for one in named("failing"):
        one.join(60)
    thread.call(lambda: done.put("done"))
    assert done.get(timeout=60) == "done"
