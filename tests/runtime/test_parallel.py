"""The pool that holds only a window of its items."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from susracker.runtime.parallel import map_in_order


def test_results_come_in_the_order_of_the_items_whoever_is_done_first() -> None:
    second_done = threading.Event()

    def work(number: int) -> int:
        if number == 0:
            assert second_done.wait(60)
        if number == 1:
            second_done.set()
        return number * number

    with ThreadPoolExecutor(2) as pool:
        results = list(map_in_order(pool, work, range(5), window=3))
    assert results == [(0, 0), (1, 1), (2, 4), (3, 9), (4, 16)]


def test_no_more_items_are_taken_than_the_window_holds() -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for number in range(100):
            taken += 1
            yield number

    with ThreadPoolExecutor(2) as pool:
        for handed_out, _ in enumerate(map_in_order(pool, abs, items(), window=4), 1):
            assert taken <= handed_out + 4


def test_an_error_ends_it_and_gives_up_what_was_not_begun() -> None:
    begun = []

    def work(number: int) -> None:
        begun.append(number)
        if number == 0:
            raise ValueError("zero")

    with ThreadPoolExecutor(1) as pool, pytest.raises(ValueError, match="zero"):
        list(map_in_order(pool, work, range(1000), window=50))
    assert len(begun) <= 50
