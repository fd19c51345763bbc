"""Faces out of frames, as edge cameras cut them."""

from __future__ import annotations

from susracker.faces.detector import Detector
from susracker.models import Picture

MARGIN = 0.2
"""What recognises best, as a share of the face's size: see docs/accuracy.md."""

SMALLEST = 40.0
"""Of smaller faces little is recognised; and to find those of half the width takes four times as
long."""


class FaceCutter:
    """Finds faces in frames and cuts them out.

    Args:
        margin: how much is kept around a face, as a share of its size; 0 cuts tight.
        smallest: width of the smallest faces that are found, in pixels.
    """

    def __init__(self, margin: float = MARGIN, smallest: float = SMALLEST) -> None:
        self._detector = Detector()
        self._margin = margin
        self._smallest = smallest

    def cut(self, picture: Picture) -> list[bytes]:
        """The faces of a frame as JPEG, largest first."""
        return [
            face.jpeg(self._margin)
            for face in self._detector.find_in_frame(picture, self._smallest)
        ]
