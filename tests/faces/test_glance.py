"""Whether a crop shows the face of the one before, without looking for faces."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from susracker.errors import PictureError
from susracker.faces.glance import Glance, Glimpse, glimpse_of
from susracker.faces.images import crop, grey_square
from susracker.plugins import open_detector
from tests.pictures import COLLINS, HOPPER, encoded, portrait

MANY = 10**7


def crop_of(path, margin: float = 0.2) -> np.ndarray:
    picture = portrait(path)
    return np.ascontiguousarray(crop(picture, open_detector().find(picture)[0].box, margin))


CROPS = {path: crop_of(path) for path in (HOPPER, COLLINS)}


def glimpse(picture: np.ndarray) -> Glimpse | None:
    return glimpse_of(open_detector().find(picture)[0])


def changed(picture: np.ndarray, degrees=0.0, scale=1.0, shift=0.0, light=1.0) -> np.ndarray:
    height, width = picture.shape[:2]
    turned = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, scale)
    turned[:, 2] += shift * width
    moved = cv2.warpAffine(picture, turned, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.clip(moved * light, 0, 255).astype(np.uint8)


def shows(picture: np.ndarray, *earlier: np.ndarray) -> bool:
    return Glance(encoded(picture), MANY).shows([glimpse(one) for one in earlier])


@pytest.mark.parametrize("path", [HOPPER, COLLINS])
@pytest.mark.parametrize(
    "change",
    [{}, {"degrees": 5}, {"scale": 1.06}, {"shift": 0.04}, {"light": 0.6}],
)
def test_the_same_face_moved_turned_or_lit_a_little(path, change):
    assert shows(changed(CROPS[path], **change), CROPS[path])


@pytest.mark.parametrize(("path", "other"), [(HOPPER, COLLINS), (COLLINS, HOPPER)])
def test_someone_else_is_someone_else(path, other):
    assert not shows(CROPS[path], CROPS[other])
    blurred = [cv2.GaussianBlur(CROPS[one], (0, 0), 3) for one in (path, other)]
    assert not shows(*blurred)
    assert shows(CROPS[path], CROPS[other], CROPS[path])


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_nothing_looks_like_a_plain_picture(grey):
    assert not shows(np.full_like(CROPS[HOPPER], grey), CROPS[HOPPER])


def test_a_face_that_is_no_crop_of_its_picture_is_not_compared():
    wide = cv2.copyMakeBorder(CROPS[HOPPER], 0, 0, 300, 300, cv2.BORDER_REPLICATE)
    assert glimpse(wide) is None
    assert not shows(wide, CROPS[HOPPER])


def test_a_face_stretched_beyond_belief_is_not_the_same():
    assert not shows(changed(CROPS[HOPPER], scale=1.6), CROPS[HOPPER])
    assert not shows(changed(CROPS[HOPPER], shift=0.4), CROPS[HOPPER])


def test_pictures_are_upright_and_errors_are_those_of_decoding():
    grey, aspect = grey_square(encoded(CROPS[HOPPER][:, :60]), 8, MANY)
    assert grey.shape == (8, 8)
    assert aspect == pytest.approx(60 / len(CROPS[HOPPER]), rel=0.02)
    with pytest.raises(PictureError):
        Glance(encoded(CROPS[HOPPER])[:3000], MANY).shows([glimpse(CROPS[HOPPER])])
    with pytest.raises(PictureError, match="pixels"):
        Glance(encoded(CROPS[HOPPER]), 100).shows([glimpse(CROPS[HOPPER])])
