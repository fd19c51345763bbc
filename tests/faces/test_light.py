"""What is brightened, and by how much."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from susracker.faces.alignment import chip_of
from susracker.faces.cnn_detector import CnnDetector
from susracker.faces.encoder import DlibEncoder
from susracker.faces.images import resized
from susracker.faces.light import brightened, gain_of, noise_of, searchable
from susracker.faces.quality import MIN_SHARPNESS
from tests.pictures import COLLINS, HOPPER, portrait


def test_an_ordinary_picture_stays_as_it_is():
    picture = portrait(HOPPER)
    assert gain_of(picture) == 1
    assert brightened(picture, 1.0) is picture


@pytest.mark.parametrize(("share", "least", "most"), [(0.25, 2, 5), (0.1, 5, 12), (0.02, 12, 12)])
def test_a_dark_picture_is_brightened_up_to_a_limit(share, least, most):
    dark = (portrait(HOPPER) * share).astype(np.uint8)
    gain = gain_of(dark)
    assert least <= gain <= most
    assert brightened(dark, gain).mean() == pytest.approx(gain * dark.mean(), rel=0.05)


def test_a_bright_face_before_a_black_wall_is_not_washed_out():
    wall = np.zeros((900, 900, 3), np.uint8)
    wall[:600, :512] = portrait(HOPPER)
    assert wall.mean() < 70
    assert gain_of(wall) < 1.3


def test_black_is_not_divided_by():
    assert gain_of(np.zeros((1, 1, 3), np.uint8)) == 12


def noisy(picture: np.ndarray, share: float, deviation: float = 4) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, deviation, picture.shape)
    return np.clip((picture * share + noise).round(), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("deviation", [2, 8])
def test_noise_is_estimated_where_there_is_nothing_else(deviation):
    rising = np.repeat(np.linspace(50, 200, 300)[None, :, None], 3, axis=2).repeat(300, axis=0)
    found = noise_of(noisy(rising, 1.0, deviation))
    # Of three colours with as much noise each, grey is the weighted mean.
    assert found == pytest.approx(deviation * np.linalg.norm([0.299, 0.587, 0.114]), rel=0.1)


@pytest.mark.parametrize(
    ("share", "deviation", "is_noisy"), [(1, 12, False), (0.5, 0, False), (0.1, 4, True)]
)
def test_only_dark_faces_are_noisy(share, deviation, is_noisy):
    (face,) = CnnDetector().find(noisy(portrait(HOPPER), share, deviation))
    assert face.light.is_noisy == is_noisy


def test_a_picture_that_is_brightened_much_is_smoothed_before_faces_are_looked_for():
    grey = noisy(np.full((50, 50, 3), 100.0), 0.1)
    assert searchable(grey, 5).std() < 0.7 * brightened(grey, 5).std()
    assert np.array_equal(searchable(grey, 4.9), brightened(grey, 4.9))


@pytest.mark.parametrize("person", [HOPPER, COLLINS])
def test_a_face_in_a_dark_and_noisy_picture_resembles_itself_more_if_it_is_smoothed(person):
    detector, encoder = CnnDetector(), DlibEncoder()
    bright = portrait(person)
    known = detector.find(bright)[0]
    small = resized(bright, 110 / known.box.width)
    face = detector.find(noisy(small, 0.1))[0]
    plain = chip_of(face.picture, face.landmarks, replace(face.light, is_noisy=False))
    one, other, noisier = encoder.encode(np.stack([known.chip, face.chip, plain]))
    assert one @ other > one @ noisier
    assert face.quality.sharpness > MIN_SHARPNESS
