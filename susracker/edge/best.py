"""Which faces of a track are worth sending."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_GAP = 0.35
"""Seconds. Nearer faces share most of their errors: the server counts a face so long after another
as 0.58 of a new one, and one a fifth of a second after it as 0.39 (docs/accuracy.md). Of five
frames a second, this takes every other."""

CLEARLY_BETTER = 1.25
"""How many times as good a nearer face must be to be sent all the same."""

FORGET_SECONDS = 10.0
"""A track that sent nothing for so long has ended."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The last face of a track that was sent."""

    seconds: float
    weight: float


class BestFaces:
    """Chooses the first face of each track, and later ones that add to it. For one thread.

    Nothing waits for a better face to come, so none is lost when a stream breaks.
    """

    def __init__(self) -> None:
        self._sent: dict[str, Sent] = {}

    def adds(self, track_id: str, weight: float, seconds: float) -> bool:
        """Whether to send a face; if so, it counts as sent.

        Args:
            weight: how good it is, as `weight_of` says.
            seconds: time of its frame; it never decreases.
        """
        last = self._sent.get(track_id)
        if last and seconds - last.seconds < LEAST_GAP and weight < CLEARLY_BETTER * last.weight:
            return False
        self._forget(seconds)
        self._sent[track_id] = Sent(seconds, weight)
        return True

    def _forget(self, seconds: float) -> None:
        self._sent = {
            track_id: sent
            for track_id, sent in self._sent.items()
            if seconds - sent.seconds <= FORGET_SECONDS
        }
