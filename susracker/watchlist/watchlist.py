"""The watch-list: the wanted people in memory, kept in step with the store."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Sequence, Set
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from susracker.matchers.base import Matcher
from susracker.models import Candidate, Vectors
from susracker.stores.base import Store
from susracker.watchlist.expiry import Expiries
from susracker.watchlist.fusion import FusedTemplates, fuse_all
from susracker.watchlist.gallery import MAX_COHORT_MEMBERS, Scored, ScoredGallery
from susracker.watchlist.looks import ONLY, Look
from susracker.watchlist.operating import OperatingPoint, operating_points
from susracker.watchlist.scoring import Scores, Scoring, TemplateCounts

log = logging.getLogger(__name__)

CANDIDATES = 5
"""How many candidates an operator is shown: enough to doubt the first, few enough to look at."""

PREFILTER_MARGIN = 0.75
"""How far below the threshold a fast embedding may score for the face to be encoded in full. No
search for an enrolled person was lost by it, of 1,309 with one photo each, 904 with up to three and
229 with three, at thresholds for an FPIR of 10, 1 and 0.1%. At 1%, it rejects nine in ten faces of
people who are not enrolled (LFW's development photos)."""

EXPIRIES_AT_ONCE = 10_000
"""How many expiry times each later refresh reads of people loaded at the start: a tenth of a
second."""


class WatchList:
    """Identifies probes among the criminals of a store who are wanted right now.

    Only one vector of each criminal is held in memory, fused from the templates. Every match is
    checked against the store: a person who has just been removed or apprehended, or has expired, is
    never returned, even before this process refreshes. Safe to use from any thread.

    Args:
        target_fpir: share of non-mated searches that may return someone, above 0.
        threshold_shift: added to the threshold, for faces that score higher than those that the
            scoring was fitted to.
        max_cohort_members: how many criminals are members of the cohort at most.
    """

    def __init__(
        self,
        store: Store,
        encoder_id: str,
        matcher: Matcher,
        scoring: Scoring,
        target_fpir: float,
        threshold_shift: float = 0.0,
        max_cohort_members: int = MAX_COHORT_MEMBERS,
    ) -> None:
        self._store = store
        self._target_fpir = target_fpir
        self._generation = 0
        self._points: tuple[object, tuple[OperatingPoint, ...]] = (None, ())
        self._encoder_id = encoder_id
        self._gallery = ScoredGallery(
            matcher, scoring, target_fpir, threshold_shift, max_cohort_members
        )
        self._revision: int | None = None
        self._expiries = Expiries()
        self._expiry_unread: list[str] = []
        self._refreshing = threading.Lock()

    def __len__(self) -> int:
        return len(self._gallery)

    @property
    def threshold(self) -> float:
        """The lowest score that is a match, at the present size of the watch-list; infinite while
        it is empty."""
        return self._gallery.threshold

    @property
    def counts(self) -> TemplateCounts:
        """How many criminals have one template, two, and three or more."""
        return self._gallery.counts

    @property
    def generation(self) -> int:
        """A number that grows whenever the watch-list changes."""
        return self._generation

    def threshold_for(self, target_fpir: float, probes: float = 1) -> float:
        """The threshold for another target FPIR, and for a probe fused from `probes` of them."""
        return self._gallery.threshold_for(target_fpir, probes)

    def threshold_of(self, look: Look) -> float:
        """The lowest score that is a match in one look; infinite while the list is empty."""
        if look == ONLY:
            return self.threshold
        return self._gallery.threshold_for(look.share * self._target_fpir, look.probes)

    def operating_points(self, *, has_passages: bool) -> tuple[OperatingPoint, ...]:
        """What the usual targets and the present one mean; computed when the list has changed."""
        state = self._generation, has_passages
        if self._points[0] != state:
            points = operating_points(
                self.threshold_for,
                self._target_fpir,
                encoder_id=self._encoder_id,
                has_passages=has_passages,
            )
            self._points = state, points
        return self._points[1]

    def refresh(self, now: datetime) -> int:
        """Apply what has changed in the store since the last call, and drop expired people.

        Returns:
            the number of criminals that were read.

        Raises:
            StoreUnavailableError: the store cannot be read. The next call reads the same again.
        """
        with self._refreshing:
            if self._revision is None:
                return self._load(now)
            self._read_expiries()
            return self._follow(self._revision, now)

    def prepare(self, count: int) -> int:
        """Compute missing statistics of at most `count` criminals, so that searches need not.

        Returns:
            the number of criminals whose statistics were computed.
        """
        return self._gallery.prepare(count)

    def prefilter(self, probes: Vectors) -> NDArray[np.bool_]:
        """Whether each face may be someone on the watch-list, judged by its fast embedding.

        Args:
            probes: unit length, shape (n, dimension).

        Returns:
            shape (n,).
        """
        return self.best_scores(probes) >= self.threshold - PREFILTER_MARGIN

    def best_scores(self, probes: Vectors) -> Scores:
        """The best score in each probe's search.

        Args:
            probes: unit length, shape (n, dimension).

        Returns:
            shape (n,); negative infinity if nobody is near, and while the list is empty.
        """
        if not math.isfinite(self.threshold):
            return np.full(len(probes), -np.inf, np.float32)
        return self._gallery.best_scores(probes)

    def identify(
        self, probes: Vectors, now: datetime, looks: Sequence[Look] | None = None
    ) -> list[tuple[Candidate, ...]]:
        """Identify each probe.

        Args:
            probes: unit length, shape (n, dimension).
            looks: one for each probe; by default each probe is looked at once.

        Returns:
            for each probe, the match and then the next best candidates; empty if nobody wanted
            reaches the threshold.

        Raises:
            StoreUnavailableError: the store cannot be read.
        """
        return [
            self._candidates(scored, now, look)
            for scored, look in zip(
                self._gallery.search(probes), looks or [ONLY] * len(probes), strict=True
            )
        ]

    def is_wanted(self, criminal_id: str, now: datetime) -> bool:
        """Whether someone is on the watch-list, and in the store and wanted at this moment.

        Raises:
            StoreUnavailableError: the store cannot be read.
        """
        # A person whose last photo was removed stays in the store.
        return criminal_id in self._gallery and any(
            one.is_wanted(now) for one in self._store.criminals([criminal_id])
        )

    def nearest(self, probes: Vectors, now: datetime) -> list[tuple[Candidate, ...]]:
        """The best candidates of each probe, as `identify` has them, but whether or not anyone
        reaches the threshold.

        Raises:
            StoreUnavailableError: the store cannot be read.
        """
        return [self._best(scored, 0, now) for scored in self._gallery.search(probes)]

    def _load(self, now: datetime) -> int:
        # Read before the criminals: changes made meanwhile are read once more.
        revision = self._store.revision()
        everyone = self._fused(None, now)
        self._expiry_unread = everyone.ids.copy()
        self._gallery.update(everyone)
        self._generation += 1
        self._revision = revision
        return len(everyone.ids)

    def _follow(self, since: int, now: datetime) -> int:
        changes = self._store.changes(since)
        ids = changes.criminal_ids | self._expiries.due(now)
        if ids:
            people = self._fused(ids, now)
            self._gallery.update(people, ids.difference(people.ids))
            self._generation += 1
            self._expiries.forget_due(now)
            self._expiries.note(self._store.criminals(people.ids))
            log.debug("watch-list: %d changed, %d in all", len(ids), len(self))
        self._revision = changes.revision
        return len(ids)

    def _read_expiries(self) -> None:
        """Read when some of the people expire who were loaded at the start. Reading that
        then would delay the start."""
        if self._expiry_unread:
            some = self._expiry_unread[-EXPIRIES_AT_ONCE:]
            self._expiries.note(self._store.criminals(some))
            del self._expiry_unread[-EXPIRIES_AT_ONCE:]

    def _fused(self, criminal_ids: Set[str] | None, now: datetime) -> FusedTemplates:
        rows = self._store.template_rows(self._encoder_id, criminal_ids, wanted_at=now)
        return fuse_all(rows.criminal_ids, rows.vectors)

    def _candidates(self, scored: list[Scored], now: datetime, look: Look) -> tuple[Candidate, ...]:
        """The match and the next best; empty if the best is below the threshold."""
        threshold = self.threshold_of(look)
        matching = sum(one.score >= threshold for one in scored)
        candidates = self._best(scored, matching, now, look) if matching else ()
        return candidates if candidates and candidates[0].score >= threshold else ()

    def _best(
        self, scored: list[Scored], matching: int, now: datetime, look: Look = ONLY
    ) -> tuple[Candidate, ...]:
        """The best `CANDIDATES` who are still wanted."""
        # Of those who match, any number may have been removed since the last refresh.
        found = self._store.criminals([one.criminal_id for one in scored[: matching + CANDIDATES]])
        names = {criminal.id: criminal.name for criminal in found if criminal.is_wanted(now)}
        return tuple(
            Candidate(
                criminal_id=one.criminal_id,
                name=names[one.criminal_id],
                distance=self._gallery.distance_of(one.similarity),
                score=one.score,
                fpir=self._gallery.fpir(one.score, look.probes),
            )
            for one in scored
            if one.criminal_id in names
        )[:CANDIDATES]
