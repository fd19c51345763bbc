"""Cuts faces out of frames, as edge cameras do."""

from __future__ import annotations

from susracker.faces.boxes import Box
from susracker.faces.detector import Detector
from susracker.models import Picture
from susracker.plugins import open_detector

MARGIN = 0.2
"""The margin that gives the best recognition, as a share of the face's size: see
docs/accuracy.md."""

SMALLEST = 40.0
"""Pixels. Few smaller faces are recognised, and finding faces half as wide takes four times as
long."""


class FaceCutter:
    """Finds faces in frames and cuts them out.

    Args:
        margin: how much to keep on each side of a face, as a share of its size; 0 cuts tight.
        smallest: width in pixels of the smallest faces to find.
        detector: the default one if it is None.
    """

    def __init__(
        self,
        margin: float = MARGIN,
        smallest: float = SMALLEST,
        detector: Detector | None = None,
    ) -> None:
        self._detector = detector or open_detector()
        self._margin = margin
        self._smallest = smallest

    def cut(self, picture: Picture) -> list[bytes]:
        """Return the faces in a frame as JPEG, largest first."""
        return [jpeg for _, jpeg in self.cut_boxes(picture)]

    def cut_boxes(self, picture: Picture) -> list[tuple[Box, bytes]]:
        """Return the faces in a frame, largest first, each with its place in the frame."""
        faces = self._detector.find_in_frame(picture, self._smallest)
        return [(face.box, face.jpeg(self._margin)) for face in faces]
