"""From an encoded picture to its faces, each with an embedding."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from susracker.faces.detector import Detector
from susracker.faces.encoder import Chips, Encoder
from susracker.faces.face import Face
from susracker.models import Picture, Quality, Vectors

MAX_FACES = 32
"""Faces of one picture that are recognised, the largest: a crowd must not hold up other cameras."""


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedFace:
    """A face in a picture, as recognition needs it.

    Attributes:
        chip: the face as the encoder takes it, shape (chip_size, chip_size, 3), R, G, B.
        vector: its fast embedding, of unit length, shape (dimension,).
    """

    face: Face
    quality: Quality
    chip: Picture
    vector: Vectors


class Finder(ABC):
    """What finds faces in encoded pictures. Safe to use from any thread."""

    @abstractmethod
    def find(self, data: bytes) -> Sequence[EmbeddedFace]:
        """Find the faces in an encoded picture, and embed them quickly.

        Returns:
            at most `MAX_FACES`, largest first; empty if there are none.

        Raises:
            EncoderError: a network cannot be loaded.
            OverloadedError: it cannot be done at present.
            PictureError: the picture cannot be read.
        """


class LocalFinder(Finder):
    """Finds faces on the thread that asks.

    Args:
        max_pixels: the largest picture that is decoded.
    """

    def __init__(self, detector: Detector, encoder: Encoder, max_pixels: int) -> None:
        self._detector = detector
        self._encoder = encoder
        self._max_pixels = max_pixels

    def find(self, data: bytes) -> Sequence[EmbeddedFace]:
        faces = self._detector.find_in_bytes(data, self._max_pixels)[:MAX_FACES]
        if not faces:
            return []
        chips = chips_of(faces, self._encoder)
        fast = self._encoder.embed_fast(chips)
        vectors = np.asarray(fast / np.linalg.norm(fast, axis=1, keepdims=True), np.float32)
        return [
            EmbeddedFace(face, face.quality, chip, vector)
            for face, chip, vector in zip(faces, chips, vectors, strict=True)
        ]

    def load(self) -> None:
        """Load the networks, so that the first picture need not wait for them.

        Raises:
            EncoderError: the weights are missing or wrong.
        """
        size = self._encoder.chip_size
        nobody = np.zeros((1, size, size, 3), np.uint8)
        self._detector.find(nobody[0])
        self._encoder.embed_fast(nobody)


def chips_of(faces: Sequence[Face], encoder: Encoder) -> Chips:
    """Align n >= 1 faces, shape (n, chip_size, chip_size, 3)."""
    return np.stack([encoder.align(face) for face in faces])
