from __future__ import annotations

import cv2
import numpy as np
import pytest

from susracker.errors import FaceRefusedError
from susracker.faces.quality import MIN_EYE_DISTANCE, MIN_SHARPNESS, check_enrolable, measure
from susracker.models import Quality

LANDMARKS = np.array([[0, 10], [20, 10], [80, 40], [60, 40], [50, 70]], np.float32)
"""Eyes at (10, 10) and (70, 40)."""

GREY = np.full((150, 150, 3), 90, np.uint8)


def test_the_eyes_are_measured_between_their_centres():
    assert measure(LANDMARKS, GREY, 0.0).eye_distance == pytest.approx(np.hypot(60, 30))


def test_a_flat_chip_has_its_brightness_and_no_sharpness():
    quality = measure(LANDMARKS, GREY, 1.5)
    assert quality.brightness == 90
    assert quality.sharpness == 0
    assert quality.detector_score == 1.5


def test_blur_takes_sharpness():
    chip = np.random.default_rng(0).integers(0, 256, (150, 150, 3), dtype=np.uint8)
    sharp, blurred = (
        measure(LANDMARKS, picture, 0.0).sharpness
        for picture in (chip, cv2.GaussianBlur(chip, (0, 0), 3))
    )
    assert blurred < sharp / 10


def test_the_least_that_is_needed_is_enough():
    check_enrolable(Quality(MIN_EYE_DISTANCE, MIN_SHARPNESS, 90, 1))


@pytest.mark.parametrize(
    ("eyes", "sharpness", "reason", "detail"),
    [
        (MIN_EYE_DISTANCE - 0.1, 100, "too small", r"17\.9 pixels between the eyes, 18 needed"),
        (60, MIN_SHARPNESS - 0.1, "too blurred", r"sharpness 9\.9, 10 needed"),
    ],
)
def test_less_is_refused_with_its_reason(eyes, sharpness, reason, detail):
    with pytest.raises(FaceRefusedError, match=detail) as caught:
        check_enrolable(Quality(eyes, sharpness, 90, 1))
    assert caught.value.reason == reason
