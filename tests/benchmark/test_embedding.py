"""Which face of a photo is embedded, and how it is cut out first."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pillow_heif
import pytest

from susracker.benchmark.cache import EmbeddingCache
from susracker.benchmark.embedding import NO_FACE, UNREADABLE, Embedder, meant_face
from susracker.faces import photos
from susracker.faces.boxes import Box
from susracker.faces.encoder import Encoder
from susracker.faces.face import Face
from susracker.faces.photos import ALL
from susracker.plugins import open_detector
from tests.pictures import HOPPER, encoded, portrait

pillow_heif.register_heif_opener()  # only here: it writes HEIC


class Watched(Encoder):
    """Keeps the chips that it is given."""

    id, dimension = "watched", 2

    def __init__(self) -> None:
        self.chips: list[np.ndarray] = []

    def embed(self, chips):
        self.chips += list(chips)
        return np.ones((len(chips), 2), np.float32)


def face(left: float, width: float) -> Face:
    """A face in the middle of the height of a picture of 400 by 200 pixels."""
    box = Box(left, 100 - width / 2, left + width, 100 + width / 2)
    middle = np.full((5, 2), (left + width / 2, 100), np.float32)
    return Face(np.zeros((200, 400, 3), np.uint8), box, middle, 1.0)


def test_the_face_in_the_middle_is_meant():
    largest, middle, aside = face(0, 90), face(170, 60), face(330, 60)
    assert meant_face([largest, middle, aside]) is middle


def test_a_face_less_than_half_as_wide_as_the_largest_is_not_meant():
    largest, small = face(0, 90), face(180, 44)
    assert meant_face([largest, small]) is largest


def test_no_face_is_meant_where_none_is_found():
    assert meant_face([]) is None


@pytest.mark.parametrize(("crops", "margin"), [("tight", 0), ("margin", 0.2)])
def test_a_face_is_cut_out_as_a_camera_cuts_it(crops, margin):
    detector, encoder = open_detector(), Watched()
    assert Embedder(encoder, crops=crops).embed(HOPPER).found
    (whole,) = detector.find_in_bytes(HOPPER.read_bytes())
    (cut,) = detector.find_in_bytes(whole.jpeg(margin))
    chip, mirrored, enrolled, _ = encoder.chips
    assert np.array_equal(chip, cut.chip)
    assert not np.array_equal(chip, whole.chip)
    assert np.array_equal(mirrored, chip[:, ::-1])
    assert np.array_equal(enrolled, whole.chip)


def test_faces_that_are_enrolled_are_cut_out_only_on_demand():
    encoder = Watched()
    assert Embedder(encoder, crops="tight", crops_enrolled=True).embed(HOPPER).found
    cut, _ = encoder.chips
    (whole,) = open_detector().find_in_bytes(HOPPER.read_bytes())
    (seen,) = open_detector().find_in_bytes(whole.jpeg(0))
    assert np.array_equal(cut, seen.chip)


def test_every_photo_that_can_be_enrolled_is_measured(tmp_path):
    scan = tmp_path / "scan.tiff"
    scan.write_bytes(encoded(portrait(HOPPER), "TIFF"))
    assert Embedder(Watched()).embed(scan).found


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"no picture", (UNREADABLE, f"not a {ALL} picture")),
        (encoded(np.full((200, 200, 3), 127, np.uint8)), (NO_FACE, NO_FACE)),
    ],
)
def test_a_photo_without_a_template_says_why(tmp_path, content, problem):
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(content)
    embedded = Embedder(Watched()).embed(photo)
    assert (embedded.problem, embedded.refusal) == problem
    assert not embedded.found


def test_a_heic_photo_names_the_extra_it_needs_and_is_read_once_that_is_there(
    tmp_path, monkeypatch
):
    photo = tmp_path / "photo.heic"
    photo.write_bytes(encoded(portrait(HOPPER), "HEIF"))
    with closing(EmbeddingCache(tmp_path / "cache")) as kept:
        embedder = Embedder(Watched(), kept=kept)
        with monkeypatch.context() as without:
            without.setattr(photos, "find_spec", lambda name: None)
            assert "pip install 'susracker[heic]'" in embedder.embed(photo).refusal
        assert embedder.embed(photo).found
