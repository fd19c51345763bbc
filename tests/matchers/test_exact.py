"""Looking at codes first finds what looking at everything finds."""

from __future__ import annotations

import numpy as np
import pytest

from susracker.matchers.exact import CODED_FROM, ExactMatcher

DIMENSION = 128


def people(count: int, seed: int = 0) -> np.ndarray:
    """As alike as faces are: rows of unit length around a mean that is far from zero."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(1, DIMENSION)) + 0.6 * random.normal(size=(count, DIMENSION))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def expected(rows: np.ndarray, names: list[str], probe: np.ndarray, k: int) -> list[str]:
    best = sorted(zip(-(rows @ probe), names, strict=True))
    return list(dict.fromkeys(name for _, name in best))[:k]


@pytest.fixture(scope="module")
def rows():
    return people(CODED_FROM + 3000)


@pytest.mark.parametrize("at_once", [1, 2, 4])
def test_many_are_searched_as_few_are(rows, at_once):
    matcher = ExactMatcher(DIMENSION)
    names = [f"c{number:06}" for number in range(len(rows))]
    matcher.load(names, rows.copy())
    probes = people(4, seed=0)[:4] + 0.05 * people(4, seed=9)
    found = [
        neighbours
        for start in range(0, 4, at_once)
        for neighbours in matcher.search(probes[start : start + at_once], 20)
    ]
    for probe, nearest in zip(probes, found, strict=True):
        assert [one.criminal_id for one in nearest] == expected(rows, names, probe, 20)
        assert nearest[0].similarity == pytest.approx(float((rows @ probe).max()), abs=1e-6)


def test_many_follow_edits_and_removals(rows):
    matcher = ExactMatcher(DIMENSION)
    names = [f"c{number:06}" for number in range(len(rows))]
    matcher.load(names[:17000], rows[:17000].copy())
    matcher.load(names[17000:], rows[17000:].copy())
    for name in names[5:900]:
        matcher.remove(name)
    matcher.upsert("c000002", rows[7:9])
    kept = {name: row[None] for name, row in zip(names, rows, strict=True)}
    kept = {name: row for name, row in kept.items() if name not in names[5:900]}
    kept["c000002"] = rows[7:9]
    all_names = [name for name, some in kept.items() for _ in some]
    all_rows = np.concatenate(list(kept.values()))
    for probe, found in zip(rows[3:12], matcher.search(rows[3:12], 5), strict=True):
        assert [one.criminal_id for one in found] == expected(all_rows, all_names, probe, 5)


def test_a_criminal_with_very_many_templates_hides_nobody(rows):
    matcher = ExactMatcher(DIMENSION)
    crowd = rows[0] + 0.01 * people(500, seed=3)
    everything = np.concatenate([crowd, rows])
    names = ["crowd"] * len(crowd) + [f"c{number:06}" for number in range(len(rows))]
    matcher.load(names, everything.copy())
    (found,) = matcher.search(rows[:1], 50)
    assert [one.criminal_id for one in found] == expected(everything, names, rows[0], 50)


def test_who_leaves_makes_room(rows):
    matcher = ExactMatcher(DIMENSION)
    names = [f"c{number:06}" for number in range(len(rows))]
    matcher.load(names, rows.copy())
    for name in names[100:]:
        matcher.remove(name)
    (found,) = matcher.search(rows[50:51], 3)
    assert [one.criminal_id for one in found] == expected(rows[:100], names[:100], rows[50], 3)


def test_slots_of_who_left_are_used_again():
    matcher = ExactMatcher(DIMENSION)
    vectors = people(10)
    matcher.load([f"c{number}" for number in range(10)], vectors.copy())
    for number in range(6):
        matcher.remove(f"c{number}")
    matcher.load([f"new{number}" for number in range(8)], vectors[:8].copy())
    assert len(matcher) == len(matcher._ids) == 12
    ids = [*(f"new{number}" for number in range(8)), "c8", "c9"]
    assert (matcher.vectors(ids) == vectors).all()


def test_everyone_is_loaded_again_after_many_left(rows):
    matcher = ExactMatcher(DIMENSION)
    names = [f"c{number:06}" for number in range(len(rows))]
    matcher.load(names, rows.copy())
    for name in names[:1500]:
        matcher.remove(name)
    matcher.load(names, rows.copy())
    (found,) = matcher.search(rows[50:51], 3)
    assert [one.criminal_id for one in found] == expected(rows, names, rows[50], 3)
