"""Compares a probe with every template: with 8-bit codes of all, and with the nearest in full."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from susracker.matchers.base import Matcher, Neighbour
from susracker.matchers.codes import Codes, resized
from susracker.models import Vectors
from susracker.runtime.locks import ReadWriteLock

MIN_CAPACITY = 1024

PROBES_AT_ONCE = 8
"""Similarities of so many probes are in memory together: 32 MB at a million templates."""

CODED_FROM = 16_384
"""Rows from which on codes of them are looked at first: fewer are read as fast in full."""

GROUP = 128
"""Rows of which only the best is looked at first; see `_bound`."""


class ExactMatcher(Matcher):
    """All templates in one contiguous array, and one matrix product a search.

    A template takes 4 bytes a number, one for its code once they are many, and 8 for its owner.
    Adding is amortised O(templates added);
    removing looks through the owners of all rows, 0.3 ms at a million.
    """

    def __init__(self, dimension: int) -> None:
        super().__init__(dimension)
        self._rows = np.empty((MIN_CAPACITY, dimension), np.float32)
        self._owners = np.empty(MIN_CAPACITY, np.int32)
        self._count = 0
        self._places = np.empty(MIN_CAPACITY, np.int32)  # by slot: one of its rows
        self._slots: dict[str, int] = {}
        self._ids: list[str] = []
        self._free: list[int] = []
        self._codes: Codes | None = None
        self._lock = ReadWriteLock()

    def __len__(self) -> int:
        return len(self._slots)

    def load(self, criminal_ids: Sequence[str], vectors: Vectors) -> None:
        self._check(vectors, criminal_ids)
        with self._lock.writing():
            known = self._slots.keys() & set(criminal_ids)
            self._drop(known)
            self._assign_slots(list(dict.fromkeys(criminal_ids)))
            self._append(vectors, [self._slots[name] for name in criminal_ids])

    def remove(self, criminal_id: str) -> None:
        with self._lock.writing():
            self._drop({criminal_id} & self._slots.keys())

    def search(self, probes: Vectors, k: int) -> list[list[Neighbour]]:
        self._check(probes)
        if k < 1:
            raise ValueError(f"k is {k}; at least 1 is needed")
        with self._lock.reading():
            return [
                self._nearest(probe, similarities, off, k)
                for start in range(0, len(probes), PROBES_AT_ONCE)
                for probe, similarities, off in self._compare(
                    probes[start : start + PROBES_AT_ONCE]
                )
            ]

    def vectors(self, criminal_ids: Sequence[str]) -> Vectors:
        found = np.full((len(criminal_ids), self.dimension), np.nan, np.float32)
        with self._lock.reading():
            slots = np.array([self._slots.get(one, -1) for one in criminal_ids], np.int32)
            found[slots >= 0] = self._rows[self._places[slots[slots >= 0]]]
        return found

    def _compare(
        self, probes: Vectors
    ) -> Iterator[tuple[Vectors, NDArray[np.float32], np.float32]]:
        """Each probe, its similarity to every row, and by how much that may be off."""
        if self._codes is None:
            similarities = probes @ self._rows[: self._count].T
            return zip(probes, similarities, np.zeros(len(probes), np.float32), strict=True)
        return zip(probes, *self._codes.similarities(probes, self._count), strict=True)

    def _nearest(
        self, probe: Vectors, similarities: NDArray[np.float32], off: np.float32, k: int
    ) -> list[Neighbour]:
        looked_at = k
        while True:
            bound = _bound(similarities, looked_at)
            rows = np.flatnonzero(similarities >= bound - 2 * off)
            owners, similarity = self._owners[rows], similarities[rows]
            if off:
                # Of those above `bound - off` none is missing.
                similarity = self._rows[rows] @ probe
                sure = similarity >= bound - off
                owners, similarity = owners[sure], similarity[sure]
            order = np.argsort(-similarity, kind="stable")
            slots, first = np.unique(owners[order], return_index=True)
            if len(slots) >= k or looked_at >= len(similarities):
                break
            looked_at *= 8  # a few criminals with many templates each fill the best rows
        best = similarity[order][first].tolist()
        found = [Neighbour(self._ids[s], b) for s, b in zip(slots.tolist(), best, strict=True)]
        return sorted(found, key=lambda one: (-one.similarity, one.criminal_id))[:k]

    def _assign_slots(self, names: list[str]) -> None:
        """Give each of the names, which have none, a slot: those that became free first."""
        reused = [self._free.pop() for _ in range(min(len(self._free), len(names)))]
        for slot, name in zip(reused, names, strict=False):
            self._ids[slot] = name
        fresh = range(len(self._ids), len(self._ids) + len(names) - len(reused))
        self._ids += names[len(reused) :]
        self._slots.update(zip(names, [*reused, *fresh], strict=True))

    def _append(self, vectors: Vectors, slots: list[int]) -> None:
        start, end = self._count, self._count + len(vectors)
        if not start and end > len(self._rows) and vectors.flags.carray:
            self._rows, self._owners = vectors, np.empty(end, np.int32)
        elif end > len(self._rows):
            self._resize(max(end, len(self._rows) * 5 // 4))
        self._rows[start:end] = vectors
        self._owners[start:end] = slots
        if len(self._ids) > len(self._places):
            self._places = resized(self._places, 2 * len(self._ids), len(self._places))
        self._places[slots] = np.arange(start, end)
        self._count = end
        if self._codes:
            self._codes.put(start, vectors)
        elif end >= CODED_FROM:
            self._codes = Codes(self._rows[:end], len(self._rows))

    def _drop(self, criminal_ids: set[str]) -> None:
        if not criminal_ids:
            return
        slots = [self._slots.pop(criminal_id) for criminal_id in criminal_ids]
        self._free += slots
        gone = np.flatnonzero(np.isin(self._owners[: self._count], slots))
        # The last rows move into the holes, so that the rows stay contiguous.
        count = self._count - len(gone)
        holes = gone[gone < count]
        movable = np.setdiff1d(np.arange(count, self._count), gone, assume_unique=True)
        self._rows[holes] = self._rows[movable]
        self._owners[holes] = self._owners[movable]
        if self._codes:
            self._codes.move(holes, movable)
        self._places[self._owners[holes]] = holes
        self._count = count
        if len(self._rows) > MIN_CAPACITY and count < len(self._rows) // 4:
            self._resize(max(MIN_CAPACITY, len(self._rows) // 2))

    def _resize(self, capacity: int) -> None:
        self._rows = resized(self._rows, capacity, self._count)
        self._owners = resized(self._owners, capacity, self._count)
        if self._codes:
            self._codes.resize(capacity)


def _bound(similarities: NDArray[np.float32], count: int) -> np.float32:
    """A similarity that at least `count` rows reach, and few more.

    The rows are taken in groups, and each group's maximum is found. The `count`-th highest maximum
    is not above the `count`-th highest similarity. That is one fast pass, where partitioning all
    similarities takes as long as computing them.
    """
    if len(similarities) <= count:
        return np.float32(-np.inf)
    groups = len(similarities) // GROUP
    highest = similarities
    if groups > count:
        # Strided groups: the maximum of whole vectors at once, not along a short axis.
        highest = similarities[: groups * GROUP].reshape(GROUP, groups).max(axis=0)
    bound: np.float32 = np.partition(highest, len(highest) - count)[len(highest) - count]
    return bound
