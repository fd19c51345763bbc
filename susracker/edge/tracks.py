"""Follows faces from frame to frame, so that the server need not compare all of them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from susracker.faces.boxes import Box

OVERLAP = 0.3
"""Least overlap of a face with where it was (intersection over union). At five frames a second,
someone who walks moves by less than half the width of their face."""

LOST_SECONDS = 1.0
"""A face that is gone for longer begins another track."""


@dataclass(slots=True)
class Track:
    """Where a face was last, and when, in seconds."""

    id: str
    box: Box
    seconds: float


class Tracks:
    """Gives the faces of a camera's frames the ids of their tracks. For one thread.

    A mistake is harmless: the server begins another passage when a face is unlike those before it.
    """

    def __init__(self) -> None:
        # Random, so that a restarted camera does not go on with the tracks of the one before.
        self._run = uuid.uuid4().hex[:8]
        self._begun = 0
        self._open: list[Track] = []

    def follow(self, boxes: Sequence[Box], seconds: float) -> list[str]:
        """The id of each face of the next frame.

        Args:
            seconds: time of the frame; it never decreases.
        """
        self._open = [one for one in self._open if seconds - one.seconds <= LOST_SECONDS]
        pairs = sorted(
            (
                (-box.overlap(track.box), index, track)
                for index, box in enumerate(boxes)
                for track in self._open
                if box.overlap(track.box) >= OVERLAP
            ),
            key=lambda pair: pair[:2],
        )
        found: dict[int, Track] = {}
        for _, index, track in pairs:
            if index not in found and all(track is not other for other in found.values()):
                found[index] = track
        for index, box in enumerate(boxes):
            if index not in found:
                found[index] = self._begin(box, seconds)
            found[index].box, found[index].seconds = box, seconds
        return [found[index].id for index in range(len(boxes))]

    def _begin(self, box: Box, seconds: float) -> Track:
        self._begun += 1
        self._open.append(Track(f"{self._run}-{self._begun}", box, seconds))
        return self._open[-1]
