"""The watch-list: the enrolled criminals in memory, kept in step with the store."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from susracker.matchers.base import Matcher, Neighbour
from susracker.models import Candidate, Vectors
from susracker.stores.base import Store, TemplateRows
from susracker.watchlist.scoring import (
    ClassCounts,
    CohortStatistics,
    Scoring,
    distance_of,
    normalise,
    template_class,
)
from susracker.watchlist.statistics import People

log = logging.getLogger(__name__)

CANDIDATES = 5
"""How many candidates an operator is shown: enough to doubt the first, few enough to look at."""

MOST_JOINED = 1000
"""How many criminals join the cohort at most, for that costs time in every search."""

JOINED_OFF = 0.1
"""By which share too few may have joined, before they are chosen, and everyone is normalised, anew:
a cohort that is a little old changes scores by less than can be measured."""

DOUBT = 0.75
"""By how much less than the threshold a rough embedding may score for its face to be encoded in
full. No search for an enrolled person was lost by it, of 1,309 with one photo each, 904 with up to
three and 229 with three, at thresholds for an FPIR of 10, 1 and 0.1%; at 1%, nine strangers in ten
are done with (LFW's development photos)."""

SCORED = 50
"""How many of the nearest criminals are scored: who scores best is seldom nearest, but near."""


@dataclass(frozen=True, slots=True, eq=False)
class FusedRows:
    """Criminals with one vector each.

    Attributes:
        vectors: shape (n, dimension).
        kinds: class of the number of templates.
    """

    ids: list[str]
    vectors: Vectors
    kinds: list[int]


def fused(rows: TemplateRows) -> FusedRows:
    """The criminals whose templates `rows` are."""
    owners = rows.criminal_ids
    if not owners:
        return FusedRows([], rows.vectors, [])
    starts = [0, *(row for row in range(1, len(owners)) if owners[row] != owners[row - 1])]
    ids = [owners[start] for start in starts]
    if len(starts) == len(owners):
        return FusedRows(ids, rows.vectors, [1] * len(ids))
    sums = np.add.reduceat(rows.vectors, starts)
    vectors = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    counts = np.diff([*starts, len(owners)]).tolist()
    return FusedRows(ids, vectors, [template_class(count) for count in counts])


def joining(count: int) -> slice:
    """Which of `count` criminals, in the store's order, join the cohort."""
    return slice(None, None, max(1, math.ceil(count / MOST_JOINED)))


class WatchList:
    """Identifies probes among the criminals of a store that are wanted right now.

    Only one vector a criminal is held in memory, fused from the templates. Who a match is, and
    whether he is still wanted, is read from the store when there is one, so that a person who was
    just removed, apprehended, or whose time ran out is never matched, whichever process was told.
    Safe to use from any thread.

    Args:
        target_fpir: share of strangers' searches that may return someone.
        threshold_shift: by how much strangers here score higher than those that the scoring was
            fitted to.
    """

    def __init__(
        self,
        store: Store,
        encoder_id: str,
        matcher: Matcher,
        scoring: Scoring,
        target_fpir: float,
        threshold_shift: float = 0.0,
    ) -> None:
        self._store = store
        self._encoder_id = encoder_id
        self._matcher = matcher
        self._alone = scoring
        self._scoring = scoring
        self._joined: dict[str, Vectors] = {}
        self._target_fpir = target_fpir
        self._shift = threshold_shift
        self._people = People()
        self._counts: ClassCounts = {}
        self._threshold = math.inf
        self._revision: int | None = None
        self._refreshing = threading.Lock()

    def __len__(self) -> int:
        return len(self._people)

    @property
    def threshold(self) -> float:
        """The score from which on a candidate is a match, at the watch-list's present size;
        infinite while it is empty."""
        return self._threshold

    @property
    def counts(self) -> ClassCounts:
        """How many criminals have one template, two, and three or more."""
        return dict(sorted(self._counts.items()))

    def threshold_for(self, target_fpir: float) -> float:
        """What the threshold would be for another target."""
        return self._scoring.threshold(target_fpir, self._counts) + self._shift

    def refresh(self, now: datetime) -> int:
        """Take over what changed in the store since the last call.

        Returns:
            how many criminals changed.
        """
        with self._refreshing:
            if self._revision is None:
                # Read before the criminals are: what changes meanwhile is read once more.
                revision = self._store.revision()
                self._take_over_all(now)
                self._revision = revision
                return len(self)
            changes = self._store.changes(self._revision)
            if changes.criminal_ids:
                self._take_over(changes.criminal_ids, now)
                log.debug("watch-list: %d changed, %d in all", len(changes.criminal_ids), len(self))
            self._revision = changes.revision
            return len(changes.criminal_ids)

    def prepare(self, count: int) -> int:
        """Compute what searches need of at most `count` criminals, so that none has to wait.

        Returns:
            of how many it was computed.
        """
        ids = self._people.unknown(count)
        if ids:
            self._compute(ids)
        return len(ids)

    def plausible(self, probes: Vectors) -> NDArray[np.bool_]:
        """Whether each face may be someone, by its rough embedding.

        Args:
            probes: shape (n, dimension), unit length.
        """
        if not math.isfinite(self._threshold):
            return np.zeros(len(probes), bool)
        statistics = self._scoring.statistics(probes)
        best = [
            self._scored(neighbours, statistics.row(index))[:1]
            for index, neighbours in enumerate(self._matcher.search(probes, SCORED))
        ]
        least = self._threshold - DOUBT
        return np.array([bool(scored) and scored[0][0] >= least for scored in best], bool)

    def identify(self, probes: Vectors, now: datetime) -> list[tuple[Candidate, ...]]:
        """Who each probe is.

        Args:
            probes: shape (n, dimension), unit length.

        Returns:
            for each probe the match and then the next best candidates; empty where no one wanted
            scores the threshold.
        """
        statistics = self._scoring.statistics(probes)
        return [
            self._candidates(neighbours, statistics.row(index), now)
            for index, neighbours in enumerate(self._matcher.search(probes, SCORED))
        ]

    def _take_over(self, criminal_ids: frozenset[str], now: datetime) -> None:
        people = fused(self._store.template_rows(self._encoder_id, criminal_ids, wanted_at=now))
        self._forget(criminal_ids.difference(people.ids))
        self._rejoin(people)
        self._learn(people)
        if len(self._joined) < (1 - JOINED_OFF) * min(len(self), MOST_JOINED):
            self._take_over_all(now)

    def _take_over_all(self, now: datetime) -> None:
        everyone = fused(self._store.template_rows(self._encoder_id, wanted_at=now))
        self._choose_joined(everyone)
        self._learn(everyone)

    def _forget(self, criminal_ids: frozenset[str]) -> None:
        self._people.remove(criminal_ids)
        for criminal_id in criminal_ids:
            self._matcher.remove(criminal_id)
            self._joined.pop(criminal_id, None)

    def _rejoin(self, people: FusedRows) -> None:
        """Let who has joined the cohort do so with the present vector."""
        for criminal_id, vector in zip(people.ids, people.vectors, strict=True):
            if criminal_id in self._joined:
                self._joined[criminal_id] = vector
        self._join()

    def _choose_joined(self, everyone: FusedRows) -> None:
        """By their place in the store's order: every process on the store chooses the same."""
        rows = joining(len(everyone.ids))
        self._joined = dict(zip(everyone.ids[rows], everyone.vectors[rows].copy(), strict=True))
        self._join()
        self._people.forget_statistics()

    def _join(self) -> None:
        joined = list(self._joined.values())
        self._scoring = self._alone.join(np.stack(joined)) if joined else self._alone

    def _learn(self, people: FusedRows) -> None:
        # Before the matcher: whoever a search finds is known.
        self._people.put(people.ids, people.kinds)
        if people.ids:
            self._matcher.load(people.ids, people.vectors)
        self._counts = self._people.counts()
        self._threshold = self.threshold_for(self._target_fpir)

    def _candidates(
        self, neighbours: Sequence[Neighbour], probe: CohortStatistics, now: datetime
    ) -> tuple[Candidate, ...]:
        scored = self._scored(neighbours, probe)
        if not scored or scored[0][0] < self._threshold:
            return ()
        best = scored[:CANDIDATES]
        found = self._store.criminals([neighbour.criminal_id for _, neighbour in best])
        wanted = {criminal.id: criminal for criminal in found if criminal.is_wanted(now)}
        candidates = tuple(
            Candidate(
                criminal_id=neighbour.criminal_id,
                name=wanted[neighbour.criminal_id].name,
                distance=distance_of(neighbour.similarity),
                score=score,
                fpir=self._scoring.fpir(score - self._shift, self._counts),
            )
            for score, neighbour in best
            if neighbour.criminal_id in wanted
        )
        return candidates if candidates and candidates[0].score >= self._threshold else ()

    def _scored(
        self, neighbours: Sequence[Neighbour], probe: CohortStatistics
    ) -> list[tuple[float, Neighbour]]:
        """Neighbours with their scores, best first, ties by id."""
        ids = [neighbour.criminal_id for neighbour in neighbours]
        similarities = np.array([[neighbour.similarity for neighbour in neighbours]], np.float32)
        scores = normalise(similarities, probe, self._statistics(ids))[0].tolist()
        # Who is removed this very moment may have been found, and has no statistics any more.
        known = [pair for pair in zip(scores, neighbours, strict=True) if not math.isnan(pair[0])]
        return sorted(known, key=lambda pair: (-pair[0], pair[1].criminal_id))

    def _statistics(self, ids: Sequence[str]) -> CohortStatistics:
        """Of each criminal; they are computed when they are first needed."""
        found = self._people.statistics(ids)
        missing = np.isnan(found.means)
        if missing.any():
            self._compute([one for one, lacks in zip(ids, missing, strict=True) if lacks])
            found = self._people.statistics(ids)
        return found

    def _compute(self, ids: Sequence[str]) -> None:
        generation = self._people.generation
        statistics = self._scoring.statistics(self._matcher.vectors(ids))
        self._people.learn(ids, statistics, generation)
