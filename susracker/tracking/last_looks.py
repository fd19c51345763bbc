"""One last look at each passage that has ended while someone on the watch-list was near."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from susracker.errors import NotFoundError, StoreUnavailableError
from susracker.models import Camera, Outcome
from susracker.stores.base import Store
from susracker.tracking.alerts import face_alert
from susracker.tracking.camera_counts import CameraCounts
from susracker.tracking.deciding import Decider
from susracker.tracking.outcomes import OutcomeRecorder
from susracker.tracking.passage import BestFace, Passage
from susracker.tracking.passages import MAX_IN_ALL, Passages
from susracker.tracking.recogniser import Match

log = logging.getLogger(__name__)

EVERY_SECONDS = 0.5
"""How often to look for passages that have ended."""


@dataclass(frozen=True, slots=True, eq=False)
class Late:
    """Someone who was recognised when their passage had ended.

    Attributes:
        best: the face that is shown.
    """

    best: BestFace
    match: Match
    outcome: Outcome


class LastLooks:
    """Takes the last looks, and stores what follows. Safe to use from any thread.

    Attributes:
        listener: is told of every outcome, if there is one. The camera was answered long ago.
    """

    def __init__(
        self,
        store: Store,
        passages: Passages,
        decider: Decider,
        outcomes: OutcomeRecorder,
        counts: CameraCounts,
    ) -> None:
        self.listener: Callable[[Outcome, datetime], None] | None = None
        self._store = store
        self._passages = passages
        self._decider = decider
        self._outcomes = outcomes
        self._counts = counts
        self._waiting: deque[tuple[Passage, BestFace]] = deque(maxlen=MAX_IN_ALL)
        self._lock = threading.Lock()

    def take(self, now: datetime | None) -> list[Late]:
        """Look at the passages that have ended, those first that ended first.

        Args:
            now: None ends all passages.

        Raises:
            EncoderError: the network cannot be loaded.
            StoreUnavailableError: what could not be stored waits for the next time. Passages of
                strangers wait for nothing.
        """
        with self._lock:
            ended = self._passages.take_ended(now)
            self._waiting += [(one, best) for one in ended if (best := one.best)]
            found, failures = [], []
            for _ in range(len(self._waiting)):
                passage, best = self._waiting.popleft()
                try:
                    found.append(self._take(passage, best))
                except NotFoundError:
                    log.info("someone was removed while being recognised at the end of a passage")
                except StoreUnavailableError as error:
                    failures.append(error)
                    self._waiting.append((passage, best))
        if failures:
            raise failures[0]
        return [one for one in found if one]

    def _take(self, passage: Passage, best: BestFace) -> Late | None:
        match = self._decider.look_last(passage, best, passage.received_at)
        if match is None:
            return None
        # The id of its event is that of an outcome that was stored before.
        detection = replace(best.detection, event_id=None, occurred_at=best.at)
        alert = face_alert(detection, match, best.received_at, self._store)
        lasted = passage.last_at - passage.first_at
        outcome = self._outcomes.record(
            detection, [alert], "no match", best.received_at, {alert.id: passage}, lasted
        )
        outcome = replace(outcome, passage=passage.id)
        self._counts.add(
            Camera(
                id=detection.camera_id,
                location=detection.camera_location,
                last_heard_at=best.received_at,
                detections=0,
                alerts=len(outcome.alerts),
            )
        )
        if self.listener:
            self.listener(outcome, best.received_at)
        return Late(best, match, outcome)
