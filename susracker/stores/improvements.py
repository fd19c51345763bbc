"""What a store of better evidence must do, whatever keeps the data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

from susracker.models import NEW, Alert, Candidate

KEPT = 1000
"""Improvements that are kept, the newest: whoever follows them looks every few seconds."""


@dataclass(frozen=True, slots=True)
class Improvement:
    """An alert got better evidence.

    Attributes:
        number: grows by commit order, over all alerts.
    """

    number: int
    alert_id: str


class Improvements(ABC):
    """Better evidence for alerts, from later faces of the same passage. Threads, durability and
    errors are as in `Gallery`."""

    @abstractmethod
    def improve_alert(self, alert: Alert) -> Alert | None:
        """Give a stored alert better evidence: distance, score, candidates and face.

        Everything else stays as it is stored. Candidates who were removed since they were found
        are left out.

        Args:
            alert: by its `id`, the alert to change; its face stays if this one has None.

        Returns:
            the alert as it is now; None if nothing was changed. That is so if it is gone or judged,
            if it is about someone else or about nobody any more, and if its evidence is as good
            (see `is_better`). A face that was forgotten does not come back.
        """

    @abstractmethod
    def improvements_after(self, number: int = 0, limit: int = 100) -> list[Improvement]:
        """Improvements whose `number` is greater, in order, at most `limit`. At least the newest
        `KEPT` are there."""

    @abstractmethod
    def last_improvement(self) -> int:
        """The highest `number` that an improvement has had; 0 where there was none."""


def is_better(candidates: Sequence[Candidate], than: Sequence[Candidate]) -> bool:
    """Whether candidates are better evidence that the first of `than` was seen.

    Scores of different numbers of probes cannot be compared; how often a stranger reaches them can.
    """
    if not candidates or not than or candidates[0].criminal_id != than[0].criminal_id:
        return False
    new, old = candidates[0], than[0]
    return (new.fpir, -new.score) < (old.fpir, -old.score)


def improved(stored: Alert, better: Alert) -> Alert | None:
    """A stored alert with the evidence of a better one; None if that is not to be."""
    is_same = stored.criminal_id is not None and stored.criminal_id == better.criminal_id
    if not is_same or stored.status != NEW or not is_better(better.candidates, stored.candidates):
        return None
    return replace(
        stored,
        distance=better.distance,
        score=better.score,
        candidates=better.candidates,
        face=stored.face if None in (stored.face, better.face) else better.face,
    )
