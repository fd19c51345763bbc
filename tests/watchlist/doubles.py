"""A store in memory, a tiny scoring, and a matcher that lets tests act at a critical moment."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

import numpy as np

from susracker.matchers.base import Neighbour
from susracker.matchers.exact import ExactMatcher
from susracker.models import Criminal, Vectors
from susracker.stores.base import Changes, TemplateRows
from susracker.watchlist.scoring import NEAREST, PROBE_COUNTS, SCORES, Scoring

DIMENSION = 16
ENCODER = "tiny/1"


def unit(count: int, seed: int, dimension: int = DIMENSION) -> Vectors:
    """Random vectors of unit length, shape (count, dimension)."""
    vectors = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def tiny_scoring() -> Scoring:
    """A cohort of random vectors; impostor scores fall off as a normal distribution's."""
    logs = np.tile(-((SCORES + 3) ** 2) / 4, (len(PROBE_COUNTS), 3, 1))
    return Scoring(unit(NEAREST + 100, 0), logs, logs, 100)


class MemoryStore:
    """The criminals of a store, in memory: what a watch-list reads of it."""

    def __init__(self) -> None:
        self._people: dict[str, tuple[Criminal, Vectors]] = {}
        self._changed: list[str] = []
        self.full_reads = 0

    def put(self, criminal_id: str, vectors: Vectors, **fields: object) -> None:
        """Add a person, or replace them, with templates of shape (n, DIMENSION)."""
        person = Criminal(**{"id": criminal_id, "name": criminal_id} | fields)  # type: ignore
        self._people[criminal_id] = person, vectors
        self._changed.append(criminal_id)

    def remove(self, criminal_id: str) -> None:
        """Forget a person."""
        del self._people[criminal_id]
        self._changed.append(criminal_id)

    def criminals(self, criminal_ids: Collection[str] | None = None) -> list[Criminal]:
        chosen = self._people if criminal_ids is None else criminal_ids
        return [self._people[one][0] for one in sorted(chosen) if one in self._people]

    def template_rows(
        self,
        encoder_id: str,
        criminal_ids: Collection[str] | None = None,
        *,
        wanted_at: datetime | None = None,
    ) -> TemplateRows:
        self.full_reads += criminal_ids is None
        found = [
            (person.id, vector)
            for person in self.criminals(criminal_ids)
            if wanted_at is None or person.is_wanted(wanted_at)
            for vector in self._people[person.id][1]
        ]
        vectors = np.array([vector for _, vector in found], np.float32)
        return TemplateRows([one for one, _ in found], vectors.reshape(-1, DIMENSION))

    def revision(self) -> int:
        return len(self._changed)

    def changes(self, since: int) -> Changes:
        return Changes(self.revision(), frozenset(self._changed[since:]))


class HookedMatcher(ExactMatcher):
    """Calls back, once, at the moment that a test asks for."""

    def __init__(self) -> None:
        super().__init__(DIMENSION)
        self.after_search: Callable[[], object] | None = None
        self.before_load: Callable[[], object] | None = None
        self.after_load: Callable[[], object] | None = None
        self.after_vectors: Callable[[], object] | None = None

    def search(self, probes: Vectors, k: int) -> list[list[Neighbour]]:
        found = super().search(probes, k)
        self._call("after_search")
        return found

    def load(self, criminal_ids: Sequence[str], vectors: Vectors) -> None:
        self._call("before_load")
        super().load(criminal_ids, vectors)
        self._call("after_load")

    def vectors(self, criminal_ids: Sequence[str]) -> Vectors:
        found = super().vectors(criminal_ids)
        self._call("after_vectors")
        return found

    def _call(self, moment: str) -> None:
        hook: Callable[[], object] | None = getattr(self, moment)
        setattr(self, moment, None)
        if hook:
            hook()
