"""A face in a picture: where it is, and what is made of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import dlib
import numpy as np
from numpy.typing import NDArray

from susracker.faces.boxes import Box
from susracker.faces.images import crop, encode_jpeg
from susracker.faces.quality import measure
from susracker.faces.weights import LANDMARKS, weights_file
from susracker.models import Picture, Quality

CHIP_SIZE, CHIP_PADDING = 150, 0.25
"""What dlib's recognition network was trained on."""


@dataclass(frozen=True, eq=False)
class Face:
    """A face in a picture. Safe to use from any thread.

    A face keeps its whole picture in memory, and the picture must not change while the face is in
    use. To keep a face for longer than a call, keep its chip or its JPEG instead.

    Attributes:
        picture: the picture that the face is in, contiguous in memory.
        box: may reach beyond the picture.
        landmarks: dlib's five points, shape (5, 2), in pixels of the picture.
        score: the HOG detector's confidence.
    """

    picture: Picture = field(repr=False)
    box: Box
    landmarks: NDArray[np.float32]
    score: float

    # Two threads that ask at the same time may both compute what is cached; the results are equal.

    @cached_property
    def chip(self) -> Picture:
        """The aligned face, shape (150, 150, 3), R, G, B. Computed on first use."""
        chip: Picture = dlib.get_face_chip(
            self.picture, _shape(self.box, self.landmarks), CHIP_SIZE, CHIP_PADDING
        )
        return chip

    @cached_property
    def quality(self) -> Quality:
        """How well the face can be recognised. Computed on first use."""
        return measure(self.landmarks, self.chip, self.score)

    def crop(self, margin: float) -> Picture:
        """Cut the face out of its picture.

        Args:
            margin: how much to keep on each side, as a share of the box's size.

        Returns:
            a view of the picture, shape (height, width, 3); it ends where the picture ends.
        """
        return crop(self.picture, self.box, margin)

    def jpeg(self, margin: float) -> bytes:
        """Encode the same crop as JPEG."""
        return encode_jpeg(self.crop(margin))


def locate(picture: Picture, box: Box, score: float) -> Face:
    """Find the landmarks of the face in a box.

    Args:
        picture: contiguous in memory, because dlib accepts no views.
        score: the HOG detector's confidence.

    Raises:
        EncoderError: the landmark model is missing.
    """
    points = _landmark_model()(picture, _rectangle(box)).parts()
    landmarks = np.array([(point.x, point.y) for point in points], np.float32)
    return Face(picture, box, landmarks, score)


@lru_cache(maxsize=1)
def _landmark_model() -> Any:
    return dlib.shape_predictor(str(weights_file(LANDMARKS)))


def _shape(box: Box, landmarks: NDArray[np.float32]) -> Any:
    """Landmarks as dlib's own type; they are whole numbers, so nothing is lost."""
    points = [dlib.point(x, y) for x, y in landmarks.astype(int).tolist()]
    return dlib.full_object_detection(_rectangle(box), points)


def _rectangle(box: Box) -> Any:
    """A box as dlib's own type, in which the right and bottom edges belong to the rectangle."""
    return dlib.rectangle(
        round(box.left), round(box.top), round(box.right) - 1, round(box.bottom) - 1
    )
