"""A face in a picture: where it is, and what is made of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

from susracker.faces.alignment import Landmarks, chip_of, find_landmarks
from susracker.faces.boxes import Box
from susracker.faces.images import crop, encode_jpeg
from susracker.faces.light import DAY, Light
from susracker.faces.quality import measure
from susracker.models import Picture, Quality


@dataclass(frozen=True, eq=False)
class Face:
    """A face in a picture. Safe to use from any thread.

    A face keeps its whole picture in memory, and the picture must not change while the face is in
    use. To keep a face for longer than a call, keep its chip or its JPEG instead.

    Attributes:
        picture: the picture that the face is in.
        box: may reach beyond the picture.
        landmarks: dlib's five points, shape (5, 2), in pixels of the picture.
        score: the detector's confidence.
        light: how the face is to be brightened.
    """

    picture: Picture = field(repr=False)
    box: Box
    landmarks: Landmarks
    score: float
    light: Light = DAY

    # Two threads that ask at the same time may both compute what is cached; the results are equal.

    @cached_property
    def chip(self) -> Picture:
        """The aligned face, shape (150, 150, 3), R, G, B. Computed on first use."""
        return chip_of(self.picture, self.landmarks, self.light)

    @cached_property
    def quality(self) -> Quality:
        """How well the face can be recognised. Computed on first use."""
        chip = self.chip
        if self.light.is_noisy:  # its chip was smoothed, and would be taken for blurred
            unsmoothed = replace(self.light, is_noisy=False)
            chip = chip_of(self.picture, self.landmarks, unsmoothed)
        return measure(self.landmarks, chip, self.score, self.light.gain)

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
        score: the detector's confidence.

    Raises:
        EncoderError: the landmark model is missing.
    """
    landmarks, light = find_landmarks(picture, box)
    return Face(picture, box, landmarks, score, light)
