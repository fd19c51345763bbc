"""Enrolled people in memory, and how they score against probes."""

from __future__ import annotations

import math
import zlib
from collections.abc import Collection, Mapping, Sequence
from itertools import compress
from typing import NamedTuple

import numpy as np

from susracker.matchers.base import Matcher, Neighbour
from susracker.models import Vectors
from susracker.runtime.together import Together
from susracker.watchlist.fusion import FusedTemplates
from susracker.watchlist.scoring import (
    CohortStatistics,
    Scores,
    Scoring,
    TemplateCounts,
    normalise,
)
from susracker.watchlist.statistics import People, Versions

SCORED_NEIGHBOURS = 50
"""How many of the nearest criminals are scored: the best score is seldom that of the nearest, but
of one nearby."""

MAX_COHORT_MEMBERS = 1000
"""How many criminals are members of the cohort at most, because each costs time in every search."""

TOGETHER_FROM, PROBES_TOGETHER = 50_000, 32
"""From so many people on, probes of threads that search at the same time are compared in one
product, up to so many. Of eight threads with a million people, a search takes 5.5 ms of CPU instead
of 12.4; of two with 30,000, waiting costs more than it saves."""

OUTDATED_SHARE = 0.1
"""Cohort members are chosen anew when more than this share of them have changed or left, or are
missing because the list has grown. That makes everyone's statistics invalid. Until then, only those
of a changed member's neighbours are; for others, the difference is less than can be measured."""


class Scored(NamedTuple):
    """A criminal compared with a probe.

    Attributes:
        similarity: cosine between the probe and the criminal's vector, -1 to 1.
        score: AS-norm score.
    """

    criminal_id: str
    similarity: float
    score: float


class _Compared(NamedTuple):
    """A probe's neighbours and its own statistics."""

    near: Sequence[Neighbour]
    statistics: CohortStatistics


class ScoredGallery:
    """Finds and scores the people nearest to a probe, and knows the threshold for their number.

    The vectors are in the matcher. Searches may run in any thread, also during an update; updates
    must not overlap.

    Args:
        target_fpir: share of non-mated searches that may reach the threshold, above 0.
        threshold_shift: added to the threshold, for faces that score higher than those that the
            scoring was fitted to.
        max_cohort_members: see `MAX_COHORT_MEMBERS`.
    """

    def __init__(
        self,
        matcher: Matcher,
        scoring: Scoring,
        target_fpir: float,
        threshold_shift: float = 0.0,
        max_cohort_members: int = MAX_COHORT_MEMBERS,
    ) -> None:
        self._matcher = matcher
        self._scoring_alone = scoring
        self._scoring = scoring
        self._members: dict[str, Vectors] = {}
        self._chosen = 0
        self._outdated: set[str] = set()  # members who have changed or left since the choice
        self._max_members = max_cohort_members
        self._target_fpir = target_fpir
        self._shift = threshold_shift
        self._people = People()
        self._together = Together(self._compare, PROBES_TOGETHER)
        self._counts: TemplateCounts = {}
        self._threshold = math.inf

    def __len__(self) -> int:
        return len(self._people)

    def __contains__(self, criminal_id: str) -> bool:
        return criminal_id in self._people

    @property
    def threshold(self) -> float:
        """The lowest score that is a match; infinite while nobody is enrolled."""
        return self._threshold

    @property
    def counts(self) -> TemplateCounts:
        """How many criminals have one template, two, and three or more."""
        return dict(sorted(self._counts.items()))

    @property
    def cohort_members(self) -> list[str]:
        """Ids of the criminals who are members of the cohort."""
        return list(self._members)

    def threshold_for(self, target_fpir: float, probes: float = 1) -> float:
        """The threshold for another target FPIR, and for a probe fused from `probes` of them."""
        return self._scoring.threshold(target_fpir, self._counts, probes) + self._shift

    def fpir(self, score: float, probes: float = 1) -> float:
        """The share of non-mated searches that return someone who scores at least `score`.

        Args:
            probes: how many independent probes were fused, at least 1.
        """
        return self._scoring.fpir(score - self._shift, self._counts, probes)

    def distance_of(self, similarity: float) -> float:
        """See `Scoring.distance_of`."""
        return self._scoring.distance_of(similarity)

    def update(self, people: FusedTemplates, removed: Collection[str] = ()) -> None:
        """Add or replace `people`, and remove others; unknown ids are ignored.

        The vectors of `people` belong to the matcher afterwards.
        """
        changed = (*removed, *people.ids) if self._members else ()
        affected = [one for one in changed if one in self._members]
        previous = {one: self._members[one] for one in affected}
        self._remove(removed)
        self._put(people)
        self._update_members(previous)
        self._counts = self._people.counts()
        self._threshold = self.threshold_for(self._target_fpir)

    def prepare(self, count: int) -> int:
        """Compute missing statistics of at most `count` criminals, so that searches need not.

        Returns:
            the number of criminals whose statistics were computed.
        """
        ids = self._people.without_statistics(count)
        if ids:
            self._compute(ids, self._people.known(ids).versions)
        return len(ids)

    def search(self, probes: Vectors) -> list[list[Scored]]:
        """Score the people nearest to each probe.

        Args:
            probes: unit length, shape (n, dimension).

        Returns:
            for each probe, the people near it, best score first, ties by id.
        """
        return [self._scored(one.near, one.statistics) for one in self._compared(probes)]

    def best_scores(self, probes: Vectors) -> Scores:
        """The best score in each probe's search, shape (n,): negative infinity if nobody is near.

        Args:
            probes: unit length, shape (n, dimension).
        """
        scores = [self._scores(one.near, one.statistics) for one in self._compared(probes)]
        return np.array([np.fmax.reduce(one, initial=-np.inf) for one in scores], np.float32)

    def _compared(self, probes: Vectors) -> Sequence[_Compared]:
        compare = self._together if len(self) >= TOGETHER_FROM else self._compare
        return compare(list(probes))

    def _compare(self, probes: Sequence[Vectors]) -> list[_Compared]:
        """Compare probes with everyone, and with the cohort."""
        if not probes:
            return []
        together = np.stack(probes)
        statistics = self._scoring.statistics(together)
        return [
            _Compared(near, statistics.row(index))
            for index, near in enumerate(self._matcher.search(together, SCORED_NEIGHBOURS))
        ]

    def _remove(self, criminal_ids: Collection[str]) -> None:
        self._people.remove(criminal_ids)
        for criminal_id in criminal_ids:
            self._matcher.remove(criminal_id)
            self._members.pop(criminal_id, None)

    def _put(self, people: FusedTemplates) -> None:
        if not people.ids:
            return
        replaced = self._people.put(people.ids, people.template_counts)
        self._matcher.load(people.ids, people.vectors)
        # A search may have computed statistics of the previous vectors just before the load.
        self._people.forget_statistics(replaced)

    def _update_members(self, previous: Mapping[str, Vectors]) -> None:
        """Give members their present vectors, or choose members anew if too many are outdated.

        Args:
            previous: members who have changed or left, with the vectors that they had.
        """
        self._outdated.update(previous)
        wanted = min(len(self), self._max_members)
        missing = wanted - len(self._members)
        if max(missing, len(self._outdated)) > OUTDATED_SHARE * self._chosen:
            self._choose_members(wanted)
        elif previous:
            present = self._vectors_of([one for one in previous if one in self._members])
            self._members |= present
            self._scoring = self._scoring_with(self._members)
            self._forget_neighbours([*previous.values(), *present.values()])

    def _forget_neighbours(self, vectors: Sequence[Vectors]) -> None:
        """Drop the statistics of the people nearest to `vectors`: a single member who is nearly the
        same can double a deviation."""
        found = self._matcher.search(np.stack(vectors), SCORED_NEIGHBOURS)
        self._people.forget_statistics({one.criminal_id for near in found for one in near})

    def _choose_members(self, count: int) -> None:
        self._members = self._vectors_of(choose_members(self._people.ids(), count))
        self._chosen = count
        self._outdated.clear()
        self._scoring = self._scoring_with(self._members)
        self._people.forget_statistics()

    def _vectors_of(self, ids: Sequence[str]) -> dict[str, Vectors]:
        """The vectors of those who have one. A member without one would leave nobody a score."""
        vectors = self._matcher.vectors(ids) if ids else ()
        found = zip(ids, vectors, strict=True)
        return {one: vector for one, vector in found if not np.isnan(vector).any()}

    def _scoring_with(self, members: Mapping[str, Vectors]) -> Scoring:
        if not members:
            return self._scoring_alone
        return self._scoring_alone.with_members(np.stack(list(members.values())))

    def _scored(self, neighbours: Sequence[Neighbour], probe: CohortStatistics) -> list[Scored]:
        scores = self._scores(neighbours, probe).tolist()
        found = [
            Scored(*neighbour, score)
            for neighbour, score in zip(neighbours, scores, strict=True)
            if not math.isnan(score)
        ]
        return sorted(found, key=lambda one: (-one.score, one.criminal_id))

    def _scores(self, neighbours: Sequence[Neighbour], probe: CohortStatistics) -> Scores:
        """The score of each neighbour; NaN for people who have been removed since the search, who
        have no vector and no statistics."""
        ids = [neighbour.criminal_id for neighbour in neighbours]
        similarities = np.array([[neighbour.similarity for neighbour in neighbours]], np.float32)
        return np.asarray(normalise(similarities, probe, self._statistics(ids))[0], np.float32)

    def _statistics(self, ids: Sequence[str]) -> CohortStatistics:
        """The statistics of each criminal; those that are missing are computed now."""
        known = self._people.known(ids)
        missing = np.flatnonzero(np.isnan(known.statistics.means))
        if len(missing):
            unknown = [ids[index] for index in missing.tolist()]
            computed = self._compute(unknown, known.versions[missing])
            known.statistics.means[missing] = computed.means
            known.statistics.deviations[missing] = computed.deviations
        return known.statistics

    def _compute(self, ids: Sequence[str], versions: Versions) -> CohortStatistics:
        """Compute statistics, and keep those that are of the given versions."""
        statistics = self._scoring.statistics(self._matcher.vectors(ids))
        self._people.learn(ids, versions, statistics)
        return statistics


def choose_members(ids: Collection[str], count: int) -> list[str]:
    """Choose `count` cohort members, or everyone if there are fewer.

    The choice depends on the set of ids alone, so every process makes the same; and adding or
    removing a person changes one member at most.
    """
    if len(ids) <= count:
        return sorted(ids)
    keys = np.fromiter(map(zlib.crc32, map(str.encode, ids)), np.uint32, len(ids))
    # Whoever ties with the last one is among these, too.
    near = compress(ids, (keys <= np.partition(keys, count - 1)[count - 1]).tolist())
    return sorted(near, key=lambda one: (zlib.crc32(one.encode()), one))[:count]
