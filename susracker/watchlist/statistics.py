"""What is kept of each criminal besides the vector, in arrays: 110 MB for a million of them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from susracker.watchlist.scoring import CohortStatistics, TemplateCounts

FREE = 0
"""Template count of a row that belongs to nobody."""

NOBODY = 0
"""Version of a criminal who is unknown; no row has it."""

Versions = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is known of n criminals at one moment.

    Attributes:
        statistics: NaN where they have to be computed.
        versions: shape (n,). Hand them back to `People.learn` with what was computed.
    """

    statistics: CohortStatistics
    versions: Versions


class People:
    """Template counts and cohort statistics of criminals, by id. Safe to use from any thread.

    Statistics are computed outside, while others may edit the same criminal. So each row has a
    version, which changes whenever its statistics become invalid: read the version, then the
    vector, then compute. `learn` ignores statistics of a version that has passed.
    """

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._ids: list[str] = []  # by row
        self._free: list[int] = []
        self._template_counts = np.empty(0, np.int8)
        self._means = np.empty(0, np.float32)
        self._deviations = np.empty(0, np.float32)
        self._versions: Versions = np.empty(0, np.int64)
        self._newest_version = NOBODY
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, criminal_id: str) -> bool:
        with self._lock:
            return criminal_id in self._rows

    def ids(self) -> list[str]:
        """Everyone's ids."""
        with self._lock:
            return list(self._rows)

    def counts(self) -> TemplateCounts:
        """How many criminals have how many templates."""
        with self._lock:
            counted = np.bincount(self._template_counts)
        return Counter({number: int(n) for number, n in enumerate(counted) if number and n})

    def put(self, ids: Sequence[str], template_counts: Sequence[int]) -> list[str]:
        """Add or replace criminals, without statistics. Returns those who are replaced."""
        with self._lock:
            known = [one for one in ids if one in self._rows]
            new = [one for one in ids if one not in self._rows] if known else ids
            added = self._add_rows(new)
            # At a start everyone is new, and a million need not be looked up.
            rows = np.array(added, np.intp) if len(new) == len(ids) else self._rows_of(ids)
            self._template_counts[rows] = template_counts
            self._invalidate(rows)
        return known

    def remove(self, ids: Iterable[str]) -> None:
        """Remove criminals; unknown ids are ignored."""
        with self._lock:
            gone = [self._rows.pop(one) for one in ids if one in self._rows]
            self._template_counts[gone] = FREE
            self._free += gone

    def forget_statistics(self, ids: Iterable[str] | None = None) -> None:
        """Drop the statistics of `ids`, or of everyone; unknown ids are ignored."""
        with self._lock:
            if ids is None:
                self._invalidate(slice(None))
            else:
                self._invalidate([self._rows[one] for one in ids if one in self._rows])

    def known(self, ids: Sequence[str]) -> Known:
        """What is known of each criminal, in order."""
        with self._lock:
            rows = self._rows_of(ids)
            found = rows >= 0
            means, deviations = np.full((2, len(ids)), np.nan, np.float32)
            versions = np.full(len(ids), NOBODY, np.int64)
            means[found] = self._means[rows[found]]
            deviations[found] = self._deviations[rows[found]]
            versions[found] = self._versions[rows[found]]
        return Known(CohortStatistics(means, deviations), versions)

    def learn(self, ids: Sequence[str], versions: Versions, statistics: CohortStatistics) -> None:
        """Keep the statistics of those criminals whose version is still the given one."""
        with self._lock:
            rows = self._rows_of(ids)
            current = rows >= 0
            current[current] = self._versions[rows[current]] == versions[current]
            self._means[rows[current]] = statistics.means[current]
            self._deviations[rows[current]] = statistics.deviations[current]

    def without_statistics(self, limit: int) -> list[str]:
        """Ids of at most `limit` criminals whose statistics have to be computed."""
        with self._lock:
            missing = np.flatnonzero(np.isnan(self._means) & (self._template_counts != FREE))
            return [self._ids[row] for row in missing[:limit].tolist()]

    def _rows_of(self, ids: Sequence[str]) -> NDArray[np.intp]:
        return np.fromiter((self._rows.get(one, -1) for one in ids), np.intp, len(ids))

    def _add_rows(self, ids: Sequence[str]) -> list[int]:
        reused = [self._free.pop() for _ in range(min(len(self._free), len(ids)))]
        for row, one in zip(reused, ids, strict=False):
            self._ids[row] = one
        end = len(self._ids)
        self._ids += ids[len(reused) :]
        rows = [*reused, *range(end, len(self._ids))]
        self._rows.update(zip(ids, rows, strict=True))
        added = len(self._ids) - end
        self._template_counts = _extended(self._template_counts, added)
        self._means = _extended(self._means, added)
        self._deviations = _extended(self._deviations, added)
        self._versions = _extended(self._versions, added)
        return rows

    def _invalidate(self, rows: NDArray[np.intp] | Sequence[int] | slice) -> None:
        self._newest_version += 1
        self._versions[rows] = self._newest_version
        self._means[rows] = self._deviations[rows] = np.nan


def _extended(array: NDArray[Any], added: int) -> NDArray[Any]:
    return np.append(array, np.zeros(added, array.dtype))
