"""Compares a probe with every template: with 8-bit codes first, and with the nearest in full."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from susracker.matchers.base import Matcher, Neighbour, similarities_one_by_one
from susracker.matchers.codes import ROWS_AT_ONCE, resized
from susracker.matchers.rows import Rows
from susracker.models import Vectors
from susracker.runtime.locks import ReadWriteLock

MIN_CAPACITY = 1024

PROBES_AT_ONCE = 8
"""Number of probes whose similarities are in memory together: 32 MB at a million templates."""

CODED_FROM = 16_384
"""Number of templates from which codes are compared first: fewer are compared as fast in full."""

GROUP = 128
"""Number of rows of which `_bound` looks at the best only."""

WIDENED = 8
"""How many times as many rows are looked at when the best ones belong to too few criminals."""


class ExactMatcher(Matcher):
    """All templates in one array in memory, compared in one matrix product a search.

    A template takes 4 bytes a number, one for its code once they are many, and 8 for its owner.
    Adding is amortised O(templates added); removing reads the owners of all rows, which takes
    0.3 ms at a million.

    You can set the sizes at which it changes how it works. They do not change what it finds.

    Args:
        min_capacity: templates that there is always room for, at least 1.
        coded_from: number of templates from which codes are compared first, at least 1.
        probes_at_once: probes that are compared together, at least 1.
        rows_at_once: templates whose codes are compared together, at least 1.
        group: rows of which `_bound` looks at the best only, at least 1.
    """

    def __init__(
        self,
        dimension: int,
        *,
        min_capacity: int = MIN_CAPACITY,
        coded_from: int = CODED_FROM,
        probes_at_once: int = PROBES_AT_ONCE,
        rows_at_once: int = ROWS_AT_ONCE,
        group: int = GROUP,
    ) -> None:
        super().__init__(dimension)
        self._rows = Rows(
            dimension, min_capacity=min_capacity, coded_from=coded_from, rows_at_once=rows_at_once
        )
        self._probes_at_once = probes_at_once
        self._group = group
        self._places = np.empty(min_capacity, np.int32)  # by slot: one of its rows
        self._slots: dict[str, int] = {}
        self._ids: list[str] = []
        self._free: list[int] = []
        self._lock = ReadWriteLock()

    def __len__(self) -> int:
        return len(self._slots)

    def load(self, criminal_ids: Sequence[str], vectors: Vectors) -> None:
        self._check(vectors, criminal_ids)
        with self._lock.writing():
            if self._slots:
                self._drop({name for name in criminal_ids if name in self._slots})
            if len(set(criminal_ids)) == len(criminal_ids):
                slots = self._assign_slots(criminal_ids)
            else:
                self._assign_slots(list(dict.fromkeys(criminal_ids)))
                slots = [self._slots[name] for name in criminal_ids]
            self._append(vectors, slots)

    def remove(self, criminal_id: str) -> None:
        with self._lock.writing():
            self._drop({criminal_id} & self._slots.keys())

    def search(self, probes: Vectors, k: int) -> list[list[Neighbour]]:
        self._check_search(probes, k)
        with self._lock.reading():
            return [
                self._nearest(probe, similarities, off, k)
                for start in range(0, len(probes), self._probes_at_once)
                for probe, similarities, off in self._compare(
                    probes[start : start + self._probes_at_once]
                )
            ]

    def vectors(self, criminal_ids: Sequence[str]) -> Vectors:
        found = np.full((len(criminal_ids), self.dimension), np.nan, np.float32)
        with self._lock.reading():
            slots = np.array([self._slots.get(one, -1) for one in criminal_ids], np.int32)
            found[slots >= 0] = self._rows.vectors[self._places[slots[slots >= 0]]]
        return found

    def close(self) -> None:
        """Nothing to close: everything is in memory."""

    def _compare(
        self, probes: Vectors
    ) -> Iterator[tuple[Vectors, NDArray[np.float32], np.float32]]:
        """Each probe, its similarities to all rows, and a bound on their error."""
        return zip(probes, *self._rows.similarities(probes), strict=True)

    def _nearest(
        self, probe: Vectors, similarities: NDArray[np.float32], off: np.float32, k: int
    ) -> list[Neighbour]:
        looked_at = k
        while True:
            bound = _bound(similarities, looked_at, self._group)
            rows = np.flatnonzero(similarities >= bound - 2 * off)
            similarity = similarities_one_by_one(self._rows.vectors[rows], probe)
            # Every row that is this similar is among them.
            sure = similarity >= bound - off
            owners, similarity = self._rows.owners[rows[sure]], similarity[sure]
            order = np.argsort(-similarity, kind="stable")
            slots, first = np.unique(owners[order], return_index=True)
            if len(slots) >= k or looked_at >= len(similarities):
                break
            looked_at *= WIDENED
        best = similarity[order][first].tolist()
        found = [Neighbour(self._ids[s], b) for s, b in zip(slots.tolist(), best, strict=True)]
        return sorted(found, key=lambda one: (-one.similarity, one.criminal_id))[:k]

    def _assign_slots(self, names: Sequence[str]) -> list[int]:
        """Give each name a slot, none of which has one yet. Free slots are used first."""
        reused = [self._free.pop() for _ in range(min(len(self._free), len(names)))]
        for slot, name in zip(reused, names, strict=False):
            self._ids[slot] = name
        fresh = range(len(self._ids), len(self._ids) + len(names) - len(reused))
        self._ids += names[len(reused) :]
        slots = [*reused, *fresh]
        self._slots.update(zip(names, slots, strict=True))
        return slots

    def _append(self, vectors: Vectors, slots: list[int]) -> None:
        start = len(self._rows)
        self._rows.append(vectors, slots)
        if len(self._ids) > len(self._places):
            self._places = resized(self._places, 2 * len(self._ids), len(self._places))
        self._places[slots] = np.arange(start, len(self._rows))

    def _drop(self, criminal_ids: set[str]) -> None:
        if not criminal_ids:
            return
        slots = [self._slots.pop(criminal_id) for criminal_id in criminal_ids]
        self._free += slots
        moved = self._rows.drop(slots)
        self._places[self._rows.owners[moved]] = moved


def _bound(similarities: NDArray[np.float32], count: int, group: int) -> np.float32:
    """A similarity that at least `count` rows reach, and few more.

    The rows are taken in groups, and each group's maximum is found. The `count`-th highest maximum
    is not above the `count`-th highest similarity. That is one fast pass, where partitioning all
    similarities takes as long as computing them.
    """
    if len(similarities) <= count:
        return np.float32(-np.inf)
    groups = len(similarities) // group
    highest = similarities
    if groups > count:
        # Strided groups: the maximum of whole vectors at once, not along a short axis.
        highest = similarities[: groups * group].reshape(group, groups).max(axis=0)
    bound: np.float32 = np.partition(highest, len(highest) - count)[len(highest) - count]
    return bound
