from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from susracker.runtime.together import Together

WRONG = -1


class Doubling:
    """Doubles numbers, and waits until it may; notes what it did together."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)

    def __call__(self, items: list[int]) -> list[int]:
        self.batches.append(list(items))
        self.begun.release()
        assert self.may_end.acquire(timeout=60)
        if WRONG in items:
            raise ValueError("a wrong number")
        return [2 * item for item in items]


@pytest.fixture
def doubling():
    return Doubling()


@pytest.fixture
def pool():
    with ThreadPoolExecutor(10) as pool:
        yield pool


def wait_for(together: Together[int, int], calls: int) -> None:
    while len(together._waiting) < calls:
        time.sleep(0.001)


def begin(doubling: Doubling, together: Together[int, int], pool, *others) -> list[Future]:
    """One call that is at work, and others that wait for it, in this order."""
    futures = [pool.submit(together, [1])]
    assert doubling.begun.acquire(timeout=60)
    for number, items in enumerate(others, 1):
        futures.append(pool.submit(together, items))
        wait_for(together, number)
    return futures


def test_a_thread_that_is_alone_waits_for_nobody(doubling):
    doubling.may_end.release(2)
    together = Together(doubling, 32)
    assert together([1, 2]) == [2, 4]
    assert together([]) == []


def test_those_that_wait_are_served_together(doubling, pool):
    futures = begin(doubling, together := Together(doubling, 32), pool, [2], [3, 4], [])
    doubling.may_end.release(2)
    assert [list(one.result(60)) for one in futures] == [[2], [4], [6, 8], []]
    assert doubling.batches == [[1], [2, 3, 4]]
    doubling.may_end.release()
    assert together([5]) == [10]


def test_no_more_are_served_together_than_the_limit(doubling, pool):
    futures = begin(doubling, Together(doubling, 3), pool, [2], [3, 4], [5], [6, 7, 8, 9])
    doubling.may_end.release(4)
    assert [list(one.result(60)) for one in futures] == [[2], [4], [6, 8], [10], [12, 14, 16, 18]]
    assert doubling.batches == [[1], [2, 3, 4], [5], [6, 7, 8, 9]]


def test_only_those_whose_items_are_wrong_get_the_error(doubling, pool):
    futures = begin(doubling, together := Together(doubling, 32), pool, [2], [WRONG], [3])
    doubling.may_end.release(8)
    assert [list(futures[number].result(60)) for number in (0, 1, 3)] == [[2], [4], [6]]
    with pytest.raises(ValueError, match="a wrong number"):
        futures[2].result(60)
    assert together([4]) == [8]


def test_an_interrupted_thread_leaves_the_others_to_themselves(pool):
    begun, may_end = threading.Event(), threading.Event()

    def work(items: list[int]) -> list[int]:
        if len(items) == 1:
            begun.set()
            assert may_end.wait(60)
        elif threading.current_thread() not in interrupted:
            interrupted.add(threading.current_thread())
            raise KeyboardInterrupt
        return items

    interrupted: set[threading.Thread] = set()
    together = Together(work, 32)
    futures = [pool.submit(together, [1])]
    assert begun.wait(60)
    for number in (2, 3):
        futures.append(pool.submit(together, [number]))
        wait_for(together, number - 1)
    may_end.set()
    assert futures[0].result(60) == [1]
    with pytest.raises(KeyboardInterrupt):
        futures[1].result(60)
    assert futures[2].result(60) == [3]
