"""What is brightened, and by how much."""

from __future__ import annotations

import numpy as np
import pytest

from susracker.faces.light import brightened, gain_of
from tests.pictures import HOPPER, portrait


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
