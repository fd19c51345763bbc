"""Every exact matcher beside a dictionary, through any sequence of changes.

The sizes are so small that a few steps lead through codes, growing, shrinking and sorting.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from pymilvus import MilvusClient

from susracker.matchers.base import Matcher
from susracker.matchers.exact import ExactMatcher
from susracker.matchers.faiss import FaissMatcher
from susracker.matchers.milvus import MilvusMatcher
from tests.state_machines import machine_settings

DIMENSION = 16
TEMPLATES = np.random.default_rng(0).normal(size=(24, DIMENSION)).astype(np.float32)
TEMPLATES /= np.linalg.norm(TEMPLATES, axis=1, keepdims=True)
"""All templates there are. So many people share each of them that ties are common."""

SIMILARITIES = TEMPLATES.astype(np.float64) @ TEMPLATES.T.astype(np.float64)
"""Apart by more than rounding, so that the order of people is certain."""

numbers = st.integers(0, len(TEMPLATES) - 1)
names = st.integers(0, 39).map("p{:02}".format)


class Beside(RuleBasedStateMachine):
    """A matcher, and each criminal's templates by their numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.matcher = self.open()
        self.people: dict[str, list[int]] = {}

    def open(self) -> Matcher:
        raise NotImplementedError

    @rule(pairs=st.lists(st.tuples(names, numbers), max_size=30), contiguous=st.booleans())
    def load(self, pairs: list[tuple[str, int]], contiguous: bool) -> None:
        """Rows of one criminal need not stand together."""
        templates: dict[str, list[int]] = {}
        for name, number in pairs:
            templates.setdefault(name, []).append(number)
        self.people |= templates
        rows = TEMPLATES[[number for _, number in pairs]]
        self.matcher.load([name for name, _ in pairs], rows if contiguous else rows.T.copy().T)

    @rule(count=st.integers(1, 120), first=numbers)
    def load_many(self, count: int, first: int) -> None:
        self.load([(f"q{n:03}", (first + n) % len(TEMPLATES)) for n in range(count)], True)

    @rule(shift=st.integers(0, 1))
    def reload_all(self, shift: int) -> None:
        """Everyone again, in the same place, as they are or with other templates."""
        pairs = [
            (name, (number + shift) % len(TEMPLATES))
            for name, some in self.people.items()
            for number in some
        ]
        self.load(pairs, True)

    @rule(name=names, templates=st.lists(numbers, max_size=4))
    def upsert(self, name: str, templates: list[int]) -> None:
        rows = TEMPLATES[templates]
        self.matcher.upsert(name, rows)
        rows[:] = np.nan  # the caller's own
        self.people.pop(name, None)
        if templates:
            self.people[name] = templates

    @rule(name=names)
    def remove(self, name: str) -> None:
        self.matcher.remove(name)
        self.people.pop(name, None)

    @rule(kept=st.integers(0, 60), every=st.integers(1, 3))
    def remove_many(self, kept: int, every: int) -> None:
        for name in list(self.people)[kept::every]:
            self.remove(name)

    @rule(probes=st.lists(numbers, max_size=9), k=st.integers(1, 200))
    def search(self, probes: list[int], k: int) -> None:
        found = self.matcher.search(TEMPLATES[probes], k)
        assert len(found) == len(probes)
        for probe, neighbours in zip(probes, found, strict=True):
            expected = self.nearest(probe, k)
            assert [one.criminal_id for one in neighbours] == [name for _, name in expected]
            similarities = [-similarity for similarity, _ in expected]
            assert [one.similarity for one in neighbours] == pytest.approx(similarities, abs=1e-5)

    @rule(asked=st.lists(names))
    def vectors(self, asked: list[str]) -> None:
        found = self.matcher.vectors(asked)
        assert found.shape == (len(asked), DIMENSION)
        for name, vector in zip(asked, found, strict=True):
            known = TEMPLATES[self.people.get(name, [])]
            if len(known):
                assert (known == vector).all(axis=1).any()
            else:
                assert np.isnan(vector).all()

    @invariant()
    def as_many_and_the_same_nearest(self) -> None:
        assert len(self.matcher) == len(self.people)
        self.search([0], 3)

    def nearest(self, probe: int, k: int) -> list[tuple[float, str]]:
        best = ((-SIMILARITIES[probe, some].max(), name) for name, some in self.people.items())
        return sorted(best)[:k]

    def teardown(self) -> None:
        self.matcher.close()


def test_exact() -> None:
    class Exact(Beside):
        def open(self) -> Matcher:
            return ExactMatcher(
                DIMENSION,
                min_capacity=4,
                coded_from=24,
                probes_at_once=3,
                rows_at_once=16,
                group=4,
            )

    run_state_machine_as_test(Exact, settings=machine_settings())


@pytest.mark.parametrize("lists_from", [40, 10**6])
def test_faiss(lists_from: int) -> None:
    class Faiss(Beside):
        def open(self) -> Matcher:
            return FaissMatcher(
                DIMENSION, lists_from=lists_from, rows_a_list=8, share_of_lists=1, grown=2
            )

    run_state_machine_as_test(Faiss, settings=machine_settings())


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A file that stays open, so that Milvus's engine starts once."""
    path = str(tmp_path_factory.mktemp("milvus") / "gallery.db")
    client = MilvusClient(path)
    yield path
    client.close()


def test_milvus(gallery: str) -> None:
    class Milvus(Beside):
        def open(self) -> Matcher:
            client = MilvusClient(gallery)
            for collection in client.list_collections():
                client.drop_collection(collection)
            return MilvusMatcher(DIMENSION, client, "people")

    run_state_machine_as_test(Milvus, settings=machine_settings(steps_per_run=40))
