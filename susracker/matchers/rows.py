"""Templates in one array, each with its owner, and 8-bit codes of them once they are many."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from susracker.matchers.base import ROUNDING
from susracker.matchers.codes import Codes, resized
from susracker.models import Vectors


class Rows:
    """The first `len` rows of arrays that have room for more.

    Vectors, owners and codes always have room for the same number of rows: `_make_room` and
    `_take_over` alone change it. Not thread-safe.

    Args:
        dimension: numbers in a row.
        min_capacity: there is always room for so many rows, at least 1.
        coded_from: number of rows from which codes are kept, at least 1.
        rows_at_once: rows whose codes are compared together.
    """

    def __init__(
        self, dimension: int, *, min_capacity: int, coded_from: int, rows_at_once: int
    ) -> None:
        self._min_capacity = min_capacity
        self._coded_from = coded_from
        self._rows_at_once = rows_at_once
        self._vectors = np.empty((min_capacity, dimension), np.float32)
        self._owners = np.empty(min_capacity, np.int32)
        self._count = 0
        self._codes: Codes | None = None

    def __len__(self) -> int:
        return self._count

    @property
    def vectors(self) -> Vectors:
        """Shape (rows, dimension); valid until the rows change."""
        return self._vectors[: self._count]

    @property
    def owners(self) -> NDArray[np.int32]:
        """Shape (rows,); valid until the rows change."""
        return self._owners[: self._count]

    def append(self, vectors: Vectors, owners: list[int]) -> None:
        """Add rows, shape (n, dimension), at the end. The array may be kept, and changed later."""
        start, end = self._count, self._count + len(vectors)
        if not start and end > self._capacity and _can_be_kept(vectors):
            self._take_over(vectors)
        elif end > self._capacity:
            self._make_room(max(end, self._capacity * 5 // 4))
        self._vectors[start:end] = vectors
        self._owners[start:end] = owners
        self._count = end
        if self._codes:
            self._codes.put(start, vectors)
        elif end >= self._coded_from:
            self._codes = Codes(self.vectors, self._capacity, self._rows_at_once)

    def drop(self, owners: list[int]) -> NDArray[np.intp]:
        """Remove all rows of some owners.

        The last rows move into the holes, so that the rows stay together. Nothing of the owners who
        are removed is left in the arrays.

        Returns:
            the places that other rows moved to, shape (moved,).
        """
        gone = np.flatnonzero(np.isin(self.owners, owners))
        count = self._count - len(gone)
        holes = gone[gone < count]
        movable = np.setdiff1d(np.arange(count, self._count), gone, assume_unique=True)
        self._vectors[holes] = self._vectors[movable]
        self._owners[holes] = self._owners[movable]
        if self._codes:
            self._codes.move(holes, movable)
            self._codes.wipe(count, self._count)
        self._vectors[count : self._count] = 0
        self._count = count
        self._shrink()
        return holes

    def similarities(self, probes: Vectors) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Compare probes with all rows.

        Returns:
            similarities, shape (probes, rows), and a bound on the error of each probe's, shape
            (probes,).
        """
        if self._codes:
            return self._codes.similarities(probes, self._count)
        return probes @ self.vectors.T, np.full(len(probes), ROUNDING)

    @property
    def _capacity(self) -> int:
        return len(self._vectors)

    def _shrink(self) -> None:
        # At half the limit, so that comings and goings around it do not make codes again and again.
        if self._count < max(1, self._coded_from // 2):
            self._codes = None
        if self._capacity > self._min_capacity and self._count < self._capacity // 4:
            self._make_room(max(self._min_capacity, self._capacity // 2))

    def _make_room(self, capacity: int) -> None:
        self._vectors = resized(self._vectors, capacity, self._count)
        self._owners = resized(self._owners, capacity, self._count)
        if self._codes:
            self._codes.resize(capacity)

    def _take_over(self, vectors: Vectors) -> None:
        """Use an array as it is, in place of one that holds nothing, and so has no codes."""
        self._vectors = vectors
        self._owners = np.empty(len(vectors), np.int32)


def _can_be_kept(vectors: Vectors) -> bool:
    return bool(vectors.flags.carray) and vectors.dtype == np.float32
