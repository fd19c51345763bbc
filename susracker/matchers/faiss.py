"""Compares a probe with the templates near it, by faiss: for galleries of a hundred thousand up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import faiss
import numpy as np

from susracker.matchers.base import Matcher, Neighbour
from susracker.models import Vectors
from susracker.runtime.locks import ReadWriteLock

LISTS_FROM = 20_000
"""Number of templates from which they are sorted into lists; fewer are all compared."""

ROWS_A_LIST = 400
"""About how many templates a list holds: there are 250 lists at 100,000."""

SHARE_OF_LISTS = 3
"""One list in so many is searched. At 100,000 templates this finds the true best person for all of
200 faces of enrolled people, and for 99.5% of strangers; with one list in eight it is 93.5% of
strangers. See docs/scaling.md."""

ROWS_TRAINED_ON = 40
"""How many templates a list's centre is computed from."""

ROUNDS = 8
"""Rounds of k-means for those centres: as good as faiss's usual 25, in a third of the time."""

GROWN = 4
"""Templates are sorted again when there are so many times as many as the last time."""


class FaissMatcher(Matcher):
    """Keeps templates in an inverted file of faiss (`IndexIVFFlat`), and searches a part of it.

    Below `lists_from` templates all are compared. From there on a search may miss a near criminal
    whose list is not searched; similarities are exact. Sorting takes half a second at 100,000
    templates, so nothing is kept on disk. faiss computes on the thread that calls.

    Args:
        lists_from: number of templates from which they are sorted into lists, at least 1.
        rows_a_list: about how many templates a list holds, at least 1.
        share_of_lists: one list in so many is searched; 1 searches all, which misses nobody.
        grown: sort again when there are so many times as many templates, above 1.
    """

    def __init__(
        self,
        dimension: int,
        *,
        lists_from: int = LISTS_FROM,
        rows_a_list: int = ROWS_A_LIST,
        share_of_lists: int = SHARE_OF_LISTS,
        grown: int = GROWN,
    ) -> None:
        super().__init__(dimension)
        self._lists_from = lists_from
        self._rows_a_list = rows_a_list
        self._share_of_lists = share_of_lists
        self._grown = grown
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
        with self._writing():
            self._drop(set(criminal_ids))
            rows = range(self._next_row, self._next_row + len(vectors))
            self._next_row = rows.stop
            for criminal_id, row in zip(criminal_ids, rows, strict=True):
                self._rows.setdefault(criminal_id, []).append(row)
                self._owners[row] = criminal_id
            self._add(np.ascontiguousarray(vectors, np.float32), np.array(rows, np.int64))

    def remove(self, criminal_id: str) -> None:
        with self._writing():
            self._drop({criminal_id})

    def search(self, probes: Vectors, k: int) -> list[list[Neighbour]]:
        self._check_search(probes, k)
        with self._reading():
            return [self._nearest(probe[None], k) for probe in probes]

    def vectors(self, criminal_ids: Sequence[str]) -> Vectors:
        found = np.full((len(criminal_ids), self.dimension), np.nan, np.float32)
        with self._reading():
            for place, criminal_id in enumerate(criminal_ids):
                if criminal_id in self._rows:
                    found[place] = self._index.reconstruct(self._rows[criminal_id][0])
        return found

    def close(self) -> None:
        """Nothing to close: everything is in memory."""

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._lock.reading():
            _compute_on_this_thread()
            yield

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock.writing():
            _compute_on_this_thread()
            yield

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
            # Someone who ties with the last of them may come first by their id.
            complete = len(found) > k and last < found[k - 1].similarity
            if complete or looked_at == self._index.ntotal or not there.all():
                return found[:k]
            looked_at = min(8 * looked_at, self._index.ntotal)
        return []

    def _add(self, vectors: Vectors, rows: Any) -> None:
        if len(vectors):
            self._index.add_with_ids(vectors, rows)
        count = self._index.ntotal
        if count >= self._lists_from and count >= self._grown * self._sorted_at:
            self._sort()

    def _sort(self) -> None:
        """Sort all templates into lists of like ones."""
        rows = np.fromiter(self._owners, np.int64, len(self._owners))
        vectors = self._index.reconstruct_batch(rows)
        lists = max(1, len(rows) // self._rows_a_list)
        index = faiss.IndexIVFFlat(
            faiss.IndexFlatIP(self.dimension), self.dimension, lists, faiss.METRIC_INNER_PRODUCT
        )
        index.cp.niter = ROUNDS
        step = max(1, len(rows) // (lists * ROWS_TRAINED_ON))
        index.train(vectors[::step])
        index.nprobe = max(1, lists // self._share_of_lists)
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


def _compute_on_this_thread() -> None:
    """Keep OpenMP from starting threads. It holds the number for each calling thread apart."""
    faiss.omp_set_num_threads(1)
