"""The watch-list: the enrolled criminals in memory, kept in step with the store."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from datetime import datetime

from susracker.matchers.base import Matcher, Neighbour
from susracker.models import Candidate, Vectors
from susracker.scoring import distance_of, is_match
from susracker.stores.base import Store

log = logging.getLogger(__name__)

CANDIDATES = 5
"""How many candidates an operator is shown: enough to doubt the first, few enough to look at."""


class WatchList:
    """Identifies probes among the criminals of a store that are wanted right now.

    Only templates are held in memory. Who a match is, and whether he is still wanted, is read from
    the store when there is one, so that a person who was just removed, apprehended, or whose time
    ran out is never matched, whichever process was told. Safe to use from any thread.
    """

    def __init__(
        self, store: Store, encoder_id: str, matcher: Matcher, max_distance: float
    ) -> None:
        self._store = store
        self._encoder_id = encoder_id
        self._matcher = matcher
        self._max_distance = max_distance
        self._revision = 0
        self._refreshing = threading.Lock()

    def __len__(self) -> int:
        return len(self._matcher)

    def refresh(self, now: datetime) -> int:
        """Take over what changed in the store since the last call.

        Returns:
            how many criminals changed.
        """
        with self._refreshing:
            changes = self._store.changes(self._revision)
            if changes.criminal_ids:
                only = changes.criminal_ids if self._revision else None
                rows = self._store.template_rows(self._encoder_id, only, wanted_at=now)
                for criminal_id in changes.criminal_ids.difference(rows.criminal_ids):
                    self._matcher.remove(criminal_id)
                if rows.criminal_ids:
                    self._matcher.load(rows.criminal_ids, rows.vectors)
                log.debug("watch-list: %d changed, %d in all", len(changes.criminal_ids), len(self))
            self._revision = changes.revision
            return len(changes.criminal_ids)

    def identify(self, probes: Vectors, now: datetime) -> list[tuple[Candidate, ...]]:
        """Who each probe is.

        Args:
            probes: shape (n, dimension), unit length.

        Returns:
            for each probe the match and then the next best candidates; empty where no one wanted
            is near enough.
        """
        return [
            self._candidates(neighbours, now) if self._is_near(neighbours) else ()
            for neighbours in self._matcher.search(probes, CANDIDATES)
        ]

    def _is_near(self, neighbours: Sequence[Neighbour]) -> bool:
        return bool(neighbours) and is_match(
            distance_of(neighbours[0].similarity), self._max_distance
        )

    def _candidates(self, neighbours: Sequence[Neighbour], now: datetime) -> tuple[Candidate, ...]:
        found = self._store.criminals([neighbour.criminal_id for neighbour in neighbours])
        wanted = {criminal.id: criminal for criminal in found if criminal.is_wanted(now)}
        candidates = tuple(
            Candidate(
                criminal_id=neighbour.criminal_id,
                name=wanted[neighbour.criminal_id].name,
                distance=distance_of(neighbour.similarity),
                score=neighbour.similarity,
            )
            for neighbour in neighbours
            if neighbour.criminal_id in wanted
        )
        if candidates and is_match(candidates[0].distance, self._max_distance):
            return candidates
        return ()
