"""What is recognised in a picture, and what is shown of it."""

from __future__ import annotations

from datetime import datetime, timezone

import numpy as np
import pytest
from PIL import Image

from susracker.errors import PictureError
from susracker.faces.encoder import Encoder
from susracker.models import Candidate
from susracker.plugins import open_detector
from susracker.tracking.recogniser import Recogniser
from tests.pictures import COLLINS, HOPPER, encoded, portrait

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)


class Ones(Encoder):
    id, dimension = "ones", 2

    def embed(self, chips):
        return np.ones((len(chips), 2), np.float32)


class Everyone:
    """A watch-list that knows every face, each as someone else."""

    def prefilter(self, probes):
        return np.ones(len(probes), bool)

    def identify(self, probes, now):
        return [(Candidate(str(n), f"Person {n}", 0.1, 9.0, 0.0),) for n in range(len(probes))]


def recogniser(max_pixels: int = 10_000_000) -> Recogniser:
    return Recogniser(open_detector(), Ones(), Everyone(), max_pixels)


def both() -> np.ndarray:
    frame = np.zeros((700, 1100, 3), np.uint8)
    frame[:600, :512] = portrait(HOPPER)
    frame[:256, 700:956] = portrait(COLLINS)[:256, 96:352]
    return frame


def test_an_operator_is_shown_each_face_with_a_fifth_of_margin():
    data = encoded(both())
    recognition = recogniser().recognise(data, NOW)
    faces = open_detector().find_in_bytes(data)
    assert recognition.faces == len(faces) == 2
    assert [match.face for match in recognition.matches] == [face.jpeg(0.2) for face in faces]


def test_a_picture_of_too_many_pixels_is_refused():
    data = encoded(both())
    assert recogniser(max_pixels=700 * 1100).recognise(data, NOW)
    with pytest.raises(PictureError, match="at most 769,999"):
        recogniser(max_pixels=700 * 1100 - 1).recognise(data, NOW)


def test_of_a_crowd_the_largest_32_faces_are_recognised():
    small = np.asarray(Image.fromarray(portrait(COLLINS)[:256, 96:352]).resize((160, 160)))
    crowd = np.zeros((7 * 256, 7 * 256, 3), np.uint8)
    for row, column in np.ndindex(7, 7):
        face = portrait(COLLINS)[:256, 96:352] if row < 2 else small
        size = len(face)
        crowd[row * 256 : row * 256 + size, column * 256 : column * 256 + size] = face
    data = encoded(crowd)
    found = open_detector().find_in_bytes(data)
    assert len(found) > 32
    recognition = recogniser().recognise(data, NOW)
    assert recognition.faces == 32
    assert [match.face for match in recognition.matches] == [face.jpeg(0.2) for face in found[:32]]
