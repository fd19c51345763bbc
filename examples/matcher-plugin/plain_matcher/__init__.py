"""A matcher that compares each probe with every template, one person after the other.

It does all that susracker asks of a matcher, and nothing to be fast: begin here, and replace
`search` by the engine that you have.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from susracker.matchers.base import Matcher, Neighbour, similarities_one_by_one
from susracker.models import Vectors


class PlainMatcher(Matcher):
    """Each person's templates in a dictionary; `Matcher` states what each method promises."""

    def __init__(self, dimension: int) -> None:
        super().__init__(dimension)
        # Replaced as a whole and never changed: a search sees one state, whatever others do.
        self._people: dict[str, Vectors] = {}
        self._changing = threading.Lock()

    def load(self, criminal_ids: Sequence[str], vectors: Vectors) -> None:
        self._check(vectors, criminal_ids)
        rows: dict[str, list[int]] = {}
        for row, criminal_id in enumerate(criminal_ids):
            rows.setdefault(criminal_id, []).append(row)
        loaded = {criminal_id: vectors[theirs] for criminal_id, theirs in rows.items()}
        with self._changing:
            self._people = self._people | loaded

    def remove(self, criminal_id: str) -> None:
        with self._changing:
            self._people = {one: v for one, v in self._people.items() if one != criminal_id}

    def search(self, probes: Vectors, k: int) -> list[list[Neighbour]]:
        self._check_search(probes, k)
        people = self._people
        return [_nearest(people, probe)[:k] for probe in probes]

    def vectors(self, criminal_ids: Sequence[str]) -> Vectors:
        people, unknown = self._people, np.full((1, self.dimension), np.nan, np.float32)
        found = [people.get(criminal_id, unknown)[0] for criminal_id in criminal_ids]
        return np.array(found, np.float32).reshape(-1, self.dimension)

    def __len__(self) -> int:
        return len(self._people)

    def close(self) -> None:
        """Nothing is open."""


def _nearest(people: dict[str, Vectors], probe: Vectors) -> list[Neighbour]:
    """Everyone, best first, ties in the order of their ids."""
    found = [
        Neighbour(criminal_id, float(similarities_one_by_one(templates, probe).max()))
        for criminal_id, templates in people.items()
    ]
    return sorted(found, key=lambda one: (-one.similarity, one.criminal_id))
