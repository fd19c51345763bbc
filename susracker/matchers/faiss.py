"""Compares a probe with the templates near it, by faiss: for galleries of a hundred thousand up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import faiss
import numpy as np

from susracker.matchers.base import Matcher, Neighbour
from susracker.models import Vectors
from susracker.runtime.locks import ReadWriteLock

LISTS_FROM = 20_000
"""Templates from which on they are sorted into lists; fewer are all compared, which is exact."""

ROWS_A_LIST = 400
"""Templates a list, about: 250 lists at 100,000."""

SHARE_OF_LISTS = 3
"""One list in so many is looked at. At 100,000 templates the true best person is found for all of
200 faces of people who are enrolled, and for 99.5% of strangers; of one list in eight it is 93.5%
of strangers. See docs/scaling.md."""

ROWS_TRAINED_ON = 40
"""Templates a list that its centre is computed from."""

ROUNDS = 8
"""Of k-means, for those centres: as good as faiss's usual 25, in a third of the time."""

GROWN = 4
"""How many times as many templates there may be before they are sorted anew."""


class FaissMatcher(Matcher):
    """All templates in an inverted file of faiss (`IndexIVFFlat`), searched in part.

    Up to `LISTS_FROM` templates all are compared. Beyond that a search may miss who is nearest, for
    the list that holds him is not looked at; similarities are exact. Sorting takes half a second at
    100,000 templates, so nothing is kept on disk.
    """

    def __init__(self, dimension: int) -> None:
        super().__init__(dimension)
        faiss.omp_set_num_threads(1)
        self._index = self._flat()
        self._rows: dict[str, list[int]] = {}
        self._owners: dict[int, str] = {}
        self._next_row = 0
        self._sorted_at = 0
        self._lock = ReadWriteLock()

    def __len__(self) -> int:
        return len(self._rows)

    def load(self, criminal_ids: Sequence[str], vectors: Vectors) -> None:
        self._check(vectors, criminal_ids)
        with self._lock.writing():
            self._drop(set(criminal_ids))
            rows = range(self._next_row, self._next_row + len(vectors))
            self._next_row = rows.stop
            for criminal_id, row in zip(criminal_ids, rows, strict=True):
                self._rows.setdefault(criminal_id, []).append(row)
                self._owners[row] = criminal_id
            self._add(np.ascontiguousarray(vectors, np.float32), np.array(rows, np.int64))

    def remove(self, criminal_id: str) -> None:
        with self._lock.writing():
            self._drop({criminal_id})

    def search(self, probes: Vectors, k: int) -> list[list[Neighbour]]:
        self._check_search(probes, k)
        with self._lock.reading():
            return [self._nearest(probe[None], k) for probe in probes]

    def vectors(self, criminal_ids: Sequence[str]) -> Vectors:
        found = np.full((len(criminal_ids), self.dimension), np.nan, np.float32)
        with self._lock.reading():
            for place, criminal_id in enumerate(criminal_ids):
                if criminal_id in self._rows:
                    found[place] = self._index.reconstruct(self._rows[criminal_id][0])
        return found

    def _nearest(self, probe: Vectors, k: int) -> list[Neighbour]:
        looked_at = min(k + 1, self._index.ntotal)
        while looked_at:
            similarities, rows = self._index.search(np.ascontiguousarray(probe), looked_at)
            there = rows[0] >= 0
            pairs = zip(similarities[0][there].tolist(), rows[0][there].tolist(), strict=True)
            best: dict[str, float] = {}
            last = -np.inf
            for similarity, row in pairs:
                best.setdefault(self._owners[row], similarity)
                last = similarity
            found = [Neighbour(one, similarity) for one, similarity in best.items()]
            found.sort(key=lambda one: (-one.similarity, one.criminal_id))
            # Whoever ties with the last of them may come before him by his id.
            complete = len(found) > k and last < found[k - 1].similarity
            if complete or looked_at == self._index.ntotal or not there.all():
                return found[:k]
            looked_at = min(8 * looked_at, self._index.ntotal)
        return []

    def _add(self, vectors: Vectors, rows: Any) -> None:
        if len(vectors):
            self._index.add_with_ids(vectors, rows)
        count = self._index.ntotal
        if count >= LISTS_FROM and count >= GROWN * self._sorted_at:
            self._sort()

    def _sort(self) -> None:
        """Sort all templates into lists of like ones."""
        rows = np.fromiter(self._owners, np.int64, len(self._owners))
        vectors = self._index.reconstruct_batch(rows)
        lists = max(1, len(rows) // ROWS_A_LIST)
        index = faiss.IndexIVFFlat(
            faiss.IndexFlatIP(self.dimension), self.dimension, lists, faiss.METRIC_INNER_PRODUCT
        )
        index.cp.niter = ROUNDS
        step = max(1, len(rows) // (lists * ROWS_TRAINED_ON))
        index.train(vectors[::step])
        index.nprobe = max(1, lists // SHARE_OF_LISTS)
        # Finds a row by its number, to remove it.
        index.set_direct_map_type(faiss.DirectMap.Hashtable)  # type: ignore[attr-defined]
        index.add_with_ids(vectors, rows)
        self._index, self._sorted_at = index, len(rows)

    def _drop(self, criminal_ids: set[str]) -> None:
        gone = [row for one in criminal_ids for row in self._rows.pop(one, [])]
        if gone:
            self._index.remove_ids(faiss.IDSelectorArray(np.array(gone, np.int64)))
            for row in gone:
                del self._owners[row]

    def _flat(self) -> Any:
        return faiss.IndexIDMap2(faiss.IndexFlatIP(self.dimension))
