"""What is kept of people who come and go: no more than of those who are there."""

from __future__ import annotations

import numpy as np
import pytest

from susracker.watchlist.scoring import CohortStatistics
from susracker.watchlist.statistics import NOBODY, People

IDS = [f"c{number}" for number in range(10)]


def some_statistics(count: int) -> CohortStatistics:
    numbers = np.arange(1, count + 1, dtype=np.float32)
    return CohortStatistics(numbers, numbers / 10)


@pytest.fixture
def people():
    people = People()
    people.put(IDS, [1, 2] * 5)
    return people


def test_the_rows_of_those_who_left_are_used_again(people):
    for one in IDS[:6]:
        people.remove([one, "unknown"])
    people.put([f"new{number}" for number in range(8)], [3] * 8)
    assert people.counts() == {1: 2, 2: 2, 3: 8}
    assert len(people) == len(people._ids) == len(people._means) == 12


def test_who_comes_into_a_used_row_has_no_statistics(people):
    people.learn(IDS, people.known(IDS).versions, some_statistics(10))
    people.remove(IDS[:1])
    people.put(["new"], [1])
    assert people.without_statistics(9) == ["new"]
    assert people.known(IDS[1:]).statistics.means.tolist() == list(range(2, 11))


def test_of_an_unknown_person_nothing_is_known_or_learned(people):
    known = people.known(["unknown", "c1"])
    assert np.isnan(known.statistics.means).all()
    assert known.versions[0] == NOBODY != known.versions[1]
    people.learn(["unknown", "c1"], known.versions, some_statistics(2))
    found = people.known(["unknown", "c1"]).statistics
    assert np.isnan([found.means[0], found.deviations[0]]).all()
    assert [found.means[1], found.deviations[1]] == pytest.approx([2, 0.2])


def test_statistics_of_a_version_that_has_passed_are_not_kept(people):
    versions = people.known(IDS).versions
    people.put(["c3"], [1])
    people.forget_statistics(["c4", "unknown"])
    people.learn(IDS, versions, some_statistics(10))
    assert people.without_statistics(10) == ["c3", "c4"]
    people.forget_statistics()
    assert people.without_statistics(4) == IDS[:4]
