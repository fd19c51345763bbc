"""What every matcher must do.

Needs the fixture `matcher`: an open matcher that is empty, for templates of `DIMENSION` numbers.
"""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from susracker.matchers.base import ROUNDING, Matcher
from susracker.models import Vectors

DIMENSION = 16

MOST_SECONDS = 5.0
"""How long an engine that is slow may be changed while others search it."""


def unit(*shape: int, seed: int = 0) -> Vectors:
    vectors = np.random.default_rng(seed).normal(size=(*shape, DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def test_nobody_enrolled_finds_nobody(matcher: Matcher) -> None:
    assert len(matcher) == 0
    assert matcher.search(unit(3), 5) == [[], [], []]


def test_no_probes_find_nothing(matcher: Matcher) -> None:
    matcher.upsert("a", unit(1))
    assert matcher.search(np.empty((0, DIMENSION), np.float32), 5) == []


def test_best_first_one_a_criminal_with_their_best_template(matcher: Matcher) -> None:
    probe = unit(1)
    near, far = unit(3, seed=1), -probe
    matcher.upsert("near", np.concatenate([far, probe, near]))
    matcher.upsert("far", far)
    (found,) = matcher.search(probe, 5)
    assert [one.criminal_id for one in found] == ["near", "far"]
    assert found[0].similarity == pytest.approx(1)
    assert found[1].similarity == pytest.approx(-1)


def test_probes_find_together_what_each_finds_alone(matcher: Matcher) -> None:
    matcher.load([f"p{number:03}" for number in range(500)], unit(500))
    probes = unit(40, seed=3)
    for probe, together in zip(probes, matcher.search(probes, 20), strict=True):
        (alone,) = matcher.search(probe[None], 20)
        assert [one.criminal_id for one in together] == [one.criminal_id for one in alone]
        similarities = [[one.similarity for one in found] for found in (together, alone)]
        assert similarities[0] == pytest.approx(similarities[1], abs=float(ROUNDING))


def test_ties_go_by_id(matcher: Matcher) -> None:
    same = unit(1)
    for name in ("c", "a", "d", "b"):
        matcher.upsert(name, same)
    (found,) = matcher.search(same, 3)
    assert [one.criminal_id for one in found] == ["a", "b", "c"]


def test_upsert_replaces_and_zero_rows_remove(matcher: Matcher) -> None:
    first, second = unit(2)
    matcher.upsert("a", first[None])
    matcher.upsert("a", second[None])
    assert len(matcher) == 1
    assert matcher.search(second[None], 1)[0][0].similarity == pytest.approx(1)
    assert matcher.search(first[None], 1)[0][0].similarity < 0.99
    matcher.upsert("a", np.empty((0, DIMENSION), np.float32))
    assert len(matcher) == 0
    assert matcher.search(second[None], 1) == [[]]


def test_vectors_come_back_by_id_whatever_was_removed(matcher: Matcher) -> None:
    rows = unit(200)
    random = np.random.default_rng(0)
    matcher.load([f"p{n}" for n in range(200)], rows)
    gone = set(random.permutation(200)[:120].tolist())
    for number in gone:
        matcher.remove(f"p{number}")
    matcher.load([f"q{n}" for n in range(50)], rows[:50])
    ids = [f"p{n}" for n in range(200)]
    found = matcher.vectors([*ids, "nobody", "q7"])
    for number in range(200):
        expected = np.full(DIMENSION, np.nan) if number in gone else rows[number]
        assert np.array_equal(found[number], expected, equal_nan=True)
    assert np.isnan(found[200]).all()
    assert np.array_equal(found[201], rows[7])
    assert matcher.vectors([]).shape == (0, DIMENSION)


def test_removing_the_unknown_is_no_error(matcher: Matcher) -> None:
    matcher.remove("nobody")
    assert len(matcher) == 0


@pytest.mark.parametrize("shape", [(DIMENSION,), (1, DIMENSION + 1), (1, 1, DIMENSION)])
def test_wrong_shapes_are_refused(matcher: Matcher, shape: tuple[int, ...]) -> None:
    wrong = np.zeros(shape, np.float32)
    with pytest.raises(ValueError, match="shape"):
        matcher.upsert("a", wrong)
    with pytest.raises(ValueError, match="shape"):
        matcher.search(wrong, 1)
    assert len(matcher) == 0


def test_a_k_of_zero_is_refused(matcher: Matcher) -> None:
    with pytest.raises(ValueError, match="k is 0"):
        matcher.search(unit(1), 0)


def test_a_criminal_with_very_many_templates_hides_nobody(matcher: Matcher) -> None:
    probe = unit(1)
    crowd = probe + 0.01 * unit(6000, seed=2)
    matcher.upsert("many", crowd / np.linalg.norm(crowd, axis=1, keepdims=True))
    for number in range(5):
        matcher.upsert(f"one-{number}", unit(1, seed=10 + number))
    (found,) = matcher.search(probe, 4)
    assert found[0].criminal_id == "many"
    assert len({one.criminal_id for one in found}) == 4


def test_bulk_loading_is_the_same_as_one_by_one(matcher: Matcher) -> None:
    rows = unit(7)
    names = ["a", "a", "b", "c", "c", "c", "d"]
    matcher.upsert("c", unit(1, seed=9))
    matcher.load(names, rows)
    assert len(matcher) == 4
    for row, name in zip(rows, names, strict=True):
        best = matcher.search(row[None], 1)[0][0]
        assert best.criminal_id == name
        assert best.similarity == pytest.approx(1)


@pytest.mark.parametrize("count", [1, 2000])
def test_what_the_caller_does_later_does_not_matter(matcher: Matcher, count: int) -> None:
    mine = unit(count)
    kept = mine.copy()
    matcher.upsert("a", mine)
    mine[:] = 0
    assert matcher.search(kept[:1], 1)[0][0].similarity == pytest.approx(1)


def test_rows_of_one_criminal_may_stand_anywhere(matcher: Matcher) -> None:
    rows = unit(4)
    matcher.load(["a", "b", "a", "b"], rows)
    assert len(matcher) == 2
    for row, name in zip(rows.copy(), "abab", strict=True):
        assert matcher.search(row[None], 1)[0][0].criminal_id == name


def test_loading_replaces_who_is_named_and_nobody_else(matcher: Matcher) -> None:
    old, new = unit(3), unit(2, seed=1)
    matcher.load(["a", "b", "b"], old.copy())
    matcher.load(["b", "c"], new.copy())
    assert len(matcher) == 3
    found = matcher.search(np.concatenate([old, new]), 1)
    assert [one.criminal_id for (one,) in found[:1] + found[3:]] == ["a", "b", "c"]
    assert all(one.similarity < 0.99 for (one,) in found[1:3])


def test_fewer_are_found_only_where_fewer_are_enrolled(matcher: Matcher) -> None:
    matcher.load(["a", "b", "c"], unit(3))
    assert [len(found) for found in matcher.search(unit(2, seed=1), 50)] == [3, 3]


def test_ids_that_are_not_one_a_row_are_refused(matcher: Matcher) -> None:
    with pytest.raises(ValueError, match="1 ids for 2 templates"):
        matcher.load(["a"], unit(2))
    assert len(matcher) == 0


def test_closing_twice_is_no_error(matcher: Matcher) -> None:
    matcher.upsert("a", unit(1))
    matcher.close()
    matcher.close()


def test_a_search_never_sees_half_a_change(matcher: Matcher) -> None:
    """Every criminal is always one of two known vectors; a torn one would be neither."""
    states = unit(2, seed=3)
    names = [f"p{number}" for number in range(50)]
    for name in names:
        matcher.upsert(name, np.repeat(states[:1], 3, axis=0))
    start, stop = threading.Barrier(4), threading.Event()
    wrong: list[str] = []

    def search() -> None:
        allowed = {round(float(a @ b), 4) for a in states for b in states}
        start.wait()
        while not stop.is_set():
            (found,) = matcher.search(states[:1], 50)
            wrong.extend(
                one.criminal_id
                for one in found
                if not any(abs(one.similarity - value) < 2e-4 for value in allowed)
            )

    searchers = [threading.Thread(target=search) for _ in range(3)]
    for thread in searchers:
        thread.start()
    start.wait()
    enough = time.monotonic() + MOST_SECONDS
    for step in range(600):
        if time.monotonic() > enough:
            break
        name = names[step % 50]
        if step % 7 == 0:
            matcher.remove(name)
        matcher.upsert(name, np.repeat(states[step % 2][None], 3, axis=0))
    stop.set()
    for thread in searchers:
        thread.join()
    assert not wrong
    assert len(matcher) == 50


def test_of_loads_at_once_the_last_one_wins_as_a_whole(matcher: Matcher) -> None:
    names = [f"p{number}" for number in range(20)]
    templates = unit(3, 3, seed=4)  # of each thread as many as its number, and one
    start = threading.Barrier(3)

    def load(number: int) -> None:
        mine = templates[number, : number + 1]
        start.wait()
        for name in names:
            matcher.load([name] * len(mine), mine.copy())

    threads = [threading.Thread(target=load, args=[number]) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = matcher.search(np.concatenate(templates), 20)
    for name in names:
        exact = [
            row // 3
            for row, neighbours in enumerate(found)
            for one in neighbours
            if one.criminal_id == name and one.similarity > 0.999
        ]
        assert exact in ([0], [1, 1], [2, 2, 2])
