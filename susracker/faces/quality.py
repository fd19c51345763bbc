"""Measures how well a face can be recognised."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from susracker.errors import FaceRefusedError
from susracker.models import Picture, Quality

MIN_EYE_DISTANCE = 18.0
"""Pixels. The aligned chip has about 64 pixels between the eyes. Below this limit, enlargement
makes up more than nine in ten of the chip's pixels."""

MIN_SHARPNESS = 10.0
"""Variance of the Laplacian of the chip. One in 200 of LFW's development photos is below it, 82% of
the same faces after reduction to 20 pixels and enlargement, and all of them after a blur with a
deviation of 3 pixels. At 7, more than half of the enlarged faces would be enrolled; at 12, 1% of
LFW's photos would be refused."""

GOOD_EYE_DISTANCE, GOOD_SHARPNESS = 32.0, 60.0
"""Pixels between the eyes, half of those of the aligned face, and sharpness of a face that counts
fully in its passage; smaller and more blurred ones count for less, down to `LEAST_WEIGHT`."""

LEAST_WEIGHT = 0.1


def measure(
    landmarks: NDArray[np.float32], chip: Picture, detector_score: float, gain: float = 1.0
) -> Quality:
    """Measure a face.

    Args:
        landmarks: shape (5, 2), dlib's five points in pixels of the picture: the outer and inner
            corners of one eye, the outer and inner corners of the other, and the base of the nose.
        chip: the aligned face, shape (150, 150, 3).
        detector_score: the detector's confidence.
        gain: the factor by which the chip was brightened.
    """
    (outer, inner, other_outer, other_inner) = landmarks[:4]
    apart = (outer + inner - other_outer - other_inner) / 2
    grey = cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY)
    # Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000.
    _, deviation = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))
    return Quality(
        eye_distance=math.hypot(*apart),
        sharpness=float(deviation[0, 0]) ** 2,
        brightness=cv2.mean(grey)[0] / gain,
        detector_score=detector_score,
    )


def check_enrolable(quality: Quality) -> None:
    """Refuse a face whose template would match strangers.

    Raises:
        FaceRefusedError: the face is too small or too blurred.
    """
    if quality.eye_distance < MIN_EYE_DISTANCE:
        raise FaceRefusedError(
            "too small",
            f"{quality.eye_distance:.1f} pixels between the eyes, {MIN_EYE_DISTANCE:.0f} needed",
        )
    if quality.sharpness < MIN_SHARPNESS:
        raise FaceRefusedError(
            "too blurred", f"sharpness {quality.sharpness:.1f}, {MIN_SHARPNESS:.0f} needed"
        )


def weight_of(quality: Quality) -> float:
    """How much a face counts among those of its passage, at most 1."""
    size = min(1.0, quality.eye_distance / GOOD_EYE_DISTANCE)
    sharpness = min(1.0, quality.sharpness / GOOD_SHARPNESS)
    return max(LEAST_WEIGHT, size * sharpness)
