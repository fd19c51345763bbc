"""Items that take long to come are waited for so that a signal is heard."""

from __future__ import annotations

import threading

import pytest

from susracker.runtime.background import until


def test_items_come_in_order_and_only_when_asked_for():
    taken = []

    def count():
        for number in range(5):
            taken.append(number)
            yield number

    items = until(lambda: False, count())
    assert [next(items), next(items)] == [0, 1]
    assert taken == [0, 1]
    assert list(items) == [2, 3, 4]


def test_what_the_items_raise_is_raised():
    def broken():
        yield 1
        raise ValueError("broken")

    items = until(lambda: False, broken())
    assert next(items) == 1
    with pytest.raises(ValueError, match="broken"):
        next(items)


def test_an_item_that_never_comes_is_not_waited_for_once_it_is_to_stop():
    asked, never = threading.Event(), threading.Event()

    def hanging():
        yield 1
        asked.set()
        never.wait()
        yield 2

    assert list(until(asked.is_set, hanging())) == [1]
    never.set()


def test_the_items_are_closed_by_their_own_thread():
    closed = threading.Event()
    threads = set()

    def endless():
        try:
            while True:
                threads.add(threading.current_thread())
                yield 1
        finally:
            threads.add(threading.current_thread())
            closed.set()

    items = until(lambda: False, endless())
    next(items)
    items.close()
    assert closed.wait(60)
    assert len(threads) == 1
    assert threading.current_thread() not in threads
