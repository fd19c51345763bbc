"""Cuts faces out of frames, as edge cameras do."""

from __future__ import annotations

from susracker.faces.detector import Detector
from susracker.faces.face import Face
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
        return [self.jpeg(face) for face in self.find(picture)]

    def find(self, picture: Picture) -> list[Face]:
        """Return the faces in a frame, largest first, before they are cut out."""
        return self._detector.find_in_frame(picture, self._smallest)

    def jpeg(self, face: Face) -> bytes:
        """Cut a face out."""
        return face.jpeg(self._margin)
