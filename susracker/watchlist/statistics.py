"""What is held of each criminal besides the vector, in arrays: a million of them are 100 MB."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from susracker.watchlist.scoring import ClassCounts, CohortStatistics

FREE = 0
"""Class of a row that nobody has."""


class People:
    """Class and cohort statistics of criminals, by id. Safe to use from any thread.

    Statistics are NaN until they are known.
    """

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._ids: list[str] = []  # by row
        self._free: list[int] = []
        self._kinds = np.empty(0, np.int8)
        self._means = np.empty(0, np.float32)
        self._deviations = np.empty(0, np.float32)
        self._lock = threading.Lock()
        self._generation = 0

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def generation(self) -> int:
        """Changes whenever all statistics are forgotten."""
        return self._generation

    def counts(self) -> ClassCounts:
        """How many criminals are in each class."""
        with self._lock:
            kinds = np.bincount(self._kinds)
        return Counter({kind: int(count) for kind, count in enumerate(kinds) if kind and count})

    def put(self, ids: Sequence[str], kinds: Sequence[int]) -> None:
        """Add criminals, or replace them; their statistics are not known."""
        with self._lock:
            new = [one for one in ids if one not in self._rows]
            reused = [self._free.pop() for _ in range(min(len(self._free), len(new)))]
            end = len(self._kinds)
            added = len(new) - len(reused)
            self._rows.update(zip(new, [*reused, *range(end, end + added)], strict=True))
            for row, one in zip(reused, new, strict=False):
                self._ids[row] = one
            self._ids += new[len(reused) :]
            self._kinds = np.append(self._kinds, np.zeros(added, np.int8))
            self._means = np.append(self._means, np.zeros(added, np.float32))
            self._deviations = np.append(self._deviations, np.zeros(added, np.float32))
            rows = [self._rows[one] for one in ids]
            self._kinds[rows] = kinds
            self._means[rows] = self._deviations[rows] = np.nan

    def remove(self, ids: Iterable[str]) -> None:
        """Forget criminals; who is unknown is no error."""
        with self._lock:
            gone = [self._rows.pop(one) for one in ids if one in self._rows]
            self._kinds[gone] = FREE
            self._free += gone

    def forget_statistics(self) -> None:
        """Make everyone's unknown, as when the cohort changed."""
        with self._lock:
            self._means[:] = self._deviations[:] = np.nan
            self._generation += 1

    def statistics(self, ids: Sequence[str]) -> CohortStatistics:
        """Of each; NaN where they are not known, or where the criminal is not."""
        with self._lock:
            rows = np.array([self._rows.get(one, -1) for one in ids], np.intp)
            known = rows >= 0
            means, deviations = np.full((2, len(ids)), np.nan, np.float32)
            means[known] = self._means[rows[known]]
            deviations[known] = self._deviations[rows[known]]
        return CohortStatistics(means, deviations)

    def learn(self, ids: Sequence[str], statistics: CohortStatistics, generation: int) -> None:
        """Keep what was found for criminals, unless all were forgotten meanwhile."""
        with self._lock:
            if generation != self._generation:
                return
            rows = np.array([self._rows.get(one, -1) for one in ids], np.intp)
            known = rows >= 0
            self._means[rows[known]] = statistics.means[known]
            self._deviations[rows[known]] = statistics.deviations[known]

    def unknown(self, limit: int) -> list[str]:
        """Ids of at most so many criminals whose statistics are not known."""
        with self._lock:
            missing = np.flatnonzero(np.isnan(self._means) & (self._kinds != FREE))
            return [self._ids[row] for row in missing[:limit].tolist()]
