"""Rows that come and go: what they are, and the memory that they take."""

from __future__ import annotations

import numpy as np
import pytest

from susracker.matchers.base import ROUNDING
from susracker.matchers.rows import Rows

MIN_CAPACITY, CODED_FROM = 8, 16
VECTORS = np.random.default_rng(0).normal(size=(100, 4)).astype(np.float32)


@pytest.fixture
def rows():
    return Rows(4, min_capacity=MIN_CAPACITY, coded_from=CODED_FROM, rows_at_once=4)


def append(rows, owners) -> None:
    rows.append(VECTORS[list(owners)], list(owners))


def check(rows, owners) -> None:
    """Each owner's vector is there once, and codes say what vectors say."""
    assert len(rows) == len(rows.owners) == len(rows.vectors)
    assert sorted(rows.owners.tolist()) == sorted(owners)
    assert (rows.vectors == VECTORS[rows.owners]).all()
    found, off = rows.similarities(VECTORS[:2])
    assert (np.abs(found - VECTORS[:2] @ rows.vectors.T) <= off[:, None]).all()


def test_rows_take_little_more_memory_than_they_need_as_they_come(rows):
    for count in range(1, 101):
        append(rows, [count - 1])
        check(rows, range(count))
        assert rows._capacity <= max(MIN_CAPACITY, count * 5 // 4)


def test_rows_are_seldom_copied_as_they_come(rows):
    sizes = set()
    for owner in range(100):
        append(rows, [owner])
        sizes.add(rows._capacity)
    assert len(sizes) < 15


def test_rows_give_memory_back_as_they_go_and_keep_some_room(rows):
    append(rows, range(100))
    left = list(range(100))
    for owner in np.random.default_rng(1).permutation(100).tolist():
        before = rows._capacity
        rows.drop([owner])
        left.remove(owner)
        check(rows, left)
        assert rows._capacity == MIN_CAPACITY or rows._capacity // 4 <= len(left)
        assert rows._capacity == before or len(left) <= rows._capacity // 2
    assert rows._capacity == MIN_CAPACITY


def test_codes_are_kept_of_many_rows_until_half_as_many_are_left(rows):
    coded = []
    for owner in range(20):
        append(rows, [owner])
        coded.append(rows._codes is not None)
    assert coded == [count >= CODED_FROM for count in range(1, 21)]
    for left in range(19, -1, -1):
        rows.drop([left])
        assert (rows._codes is not None) == (left >= CODED_FROM // 2)


@pytest.mark.parametrize("gone", [[19], [3], [0, 18, 19], range(20)])
def test_nothing_is_left_of_who_is_removed(rows, gone):
    append(rows, range(20))
    vectors, codes = rows._vectors, rows._codes._codes
    coded = {codes[owner].tobytes() for owner in gone}
    rows.drop(list(gone))
    for owner in gone:
        assert not (vectors == VECTORS[owner]).all(axis=1).any()
    assert not coded & {row.tobytes() for row in codes[:20]}


def test_similarities_without_codes_are_off_by_rounding(rows):
    append(rows, range(3))
    _, off = rows.similarities(VECTORS[:2])
    assert off.tolist() == [ROUNDING] * 2


def test_the_last_rows_move_into_the_holes(rows):
    append(rows, range(10))
    assert rows.drop([2, 7, 9, 99]).tolist() == [2]
    assert rows.owners[2] == 8
    assert rows.drop([50]).tolist() == []
    check(rows, [0, 1, 3, 4, 5, 6, 8])


def test_a_large_first_array_is_not_copied(rows):
    first = VECTORS[:20].copy()
    rows.append(first, list(range(20)))
    assert np.shares_memory(rows.vectors, first)
    check(rows, range(20))


@pytest.mark.parametrize(
    "first",
    [VECTORS[:5].copy(), VECTORS[:20].T.copy().T, VECTORS[:20].astype(np.float64)],
    ids=["small", "by columns", "float64"],
)
def test_other_arrays_are_copied(rows, first):
    rows.append(first, list(range(len(first))))
    assert not np.shares_memory(rows.vectors, first)
    assert rows.vectors.dtype == np.float32
    check(rows, range(len(first)))


def test_a_large_later_array_is_copied(rows):
    append(rows, [0])
    later = VECTORS[1:30].copy()
    rows.append(later, list(range(1, 30)))
    assert not np.shares_memory(rows.vectors, later)
    check(rows, range(30))
