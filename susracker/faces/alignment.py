"""From a box around a face to its landmarks and its chip, as dlib makes them.

What lies beyond the picture is filled with its outermost pixels, and a dark face is brightened.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

from susracker.faces.boxes import Box
from susracker.faces.images import crop, resized
from susracker.faces.light import brightened, gain_of
from susracker.faces.network import CHIP_SIZE
from susracker.faces.weights import LANDMARKS, weights_file
from susracker.models import Picture

CHIP_PADDING = 0.25
"""What dlib's recognition network was trained on."""

MEAN_FACE = np.array(
    [
        [0.8595674595992, 0.2134981538014],
        [0.6460604764104, 0.2289674387677],
        [0.1205750620789, 0.2137274526848],
        [0.3340850613712, 0.2290642403242],
        [0.4901123135679, 0.6277975316475],
    ]
)
"""Where the five points of a mean face lie, from dlib's `get_face_chip_details`."""

REACH = 1.0
"""How much of the picture around the middle of a box its landmarks are found in, in each
direction, as a share of the box's width."""

LARGEST = 300
"""Pixels across a face to which larger ones are reduced before their landmarks are found: twice
what the chip has."""

CHIP_WIDTH, CHIP_SHIFT = 1.117, (0.024, 0.026)
"""How wide a chip is, and how far from its middle the box's lies, as shares of the box's width."""

SMOOTH = 1.25
"""A face that a chip reduces more than this is reduced by averaging areas first, which avoids
moiré."""

Landmarks = NDArray[np.float32]
Transform = NDArray[np.float64]


def find_landmarks(picture: Picture, box: Box) -> tuple[Landmarks, float]:
    """Find dlib's five points of the face in a box.

    Returns:
        shape (5, 2), in pixels of the picture; and the factor that brightens this face.

    Raises:
        EncoderError: the landmark model is missing.
    """
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    reach = REACH * box.width
    left, top = int(x - reach), int(y - reach)
    region = _region(picture, left, top, int(x + reach) + 1, int(y + reach) + 1)
    scale = min(1.0, LARGEST / box.width)
    region = resized(region, scale)
    edges = box.left - left, box.top - top, box.right - left, box.bottom - top
    own = Box(*edges).mapped(scale)
    gain = gain_of(crop(region, own, 0))
    points = _model()(np.ascontiguousarray(brightened(region, gain)), _rectangle(own)).parts()
    found = np.array([(point.x, point.y) for point in points], np.float32)
    return np.asarray(found / scale + (left, top), np.float32), gain


def box_of(landmarks: Landmarks) -> Box:
    """The box that dlib's HOG detector would draw around a face with these landmarks, in the median
    of LFW's development photos."""
    transform = _transform(landmarks)
    width = float(np.hypot(*transform[:, 0])) * CHIP_SIZE / CHIP_WIDTH
    x, y = (transform @ (CHIP_SIZE / 2, CHIP_SIZE / 2, 1) + np.multiply(CHIP_SHIFT, width)).tolist()
    return Box(x - width / 2, y - width / 2, x + width / 2, y + width / 2)


def chip_of(picture: Picture, landmarks: Landmarks, gain: float) -> Picture:
    """Align a face as dlib's `get_face_chip` does, but for the pixels beyond the picture.

    OpenCV takes a tenth of dlib's time, and lets go of Python's lock.

    Args:
        landmarks: shape (5, 2), in pixels of the picture.
        gain: factor that brightens the face.

    Returns:
        shape (150, 150, 3).
    """
    transform = _transform(landmarks)
    scale = float(np.hypot(*transform[:, 0]))
    if scale > SMOOTH:
        picture, transform = _reduced(picture, transform, 1 / scale)
    chip = cv2.warpAffine(
        picture,
        transform,
        (CHIP_SIZE, CHIP_SIZE),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return brightened(np.asarray(chip, np.uint8), gain)


def _transform(landmarks: Landmarks) -> Transform:
    """The similarity transform from the chip to the picture, shape (2, 3), that takes a mean face
    nearest to the landmarks, by least squares (dlib's `find_similarity_transform`)."""
    mean = (MEAN_FACE + CHIP_PADDING) / (1 + 2 * CHIP_PADDING) * CHIP_SIZE @ (1, 1j)
    points = landmarks.astype(np.float64) @ (1, 1j)
    apart = mean - mean.mean()
    turn = (apart.conj() @ (points - points.mean())) / (apart.conj() @ apart).real
    middle = points.mean() + turn * (CHIP_SIZE * (1 + 1j) / 2 - mean.mean())
    # dlib spans the chip's first and last pixels, not their outer edges.
    turn *= (CHIP_SIZE - 1 / abs(turn)) / (CHIP_SIZE - 1)
    start = middle - turn * ((CHIP_SIZE - 1) * (1 + 1j) / 2)
    return np.array([[turn.real, -turn.imag, start.real], [turn.imag, turn.real, start.imag]])


def _reduced(picture: Picture, transform: Transform, scale: float) -> tuple[Picture, Transform]:
    """A reduced copy of the part of the picture that a chip shows, and the transform to it."""
    ends = np.array([[x, y, 1] for x in (0, CHIP_SIZE) for y in (0, CHIP_SIZE)]) @ transform.T
    height, width = picture.shape[:2]
    left, top = (max(0, int(low)) for low in ends.min(axis=0) - SMOOTH / scale)
    right, bottom = ends.max(axis=0) + SMOOTH / scale
    part = picture[top : min(height, int(bottom) + 1), left : min(width, int(right) + 1)]
    moved = transform - [[0, 0, left], [0, 0, top]]
    # The middle of a pixel, not its corner, has whole coordinates.
    return resized(part, scale), moved * scale + [[0, 0, (scale - 1) / 2]] * 2


def _region(picture: Picture, left: int, top: int, right: int, bottom: int) -> Picture:
    """Cut out a part of a picture that may reach beyond it."""
    height, width = picture.shape[:2]
    part = picture[max(0, top) : min(height, bottom), max(0, left) : min(width, right)]
    sides = max(0, -top), max(0, bottom - height), max(0, -left), max(0, right - width)
    if not any(sides):
        return part
    return np.asarray(cv2.copyMakeBorder(part, *sides, cv2.BORDER_REPLICATE), np.uint8)


@lru_cache(maxsize=1)
def _model() -> Any:
    return dlib.shape_predictor(str(weights_file(LANDMARKS)))


def _rectangle(box: Box) -> Any:
    """A box as dlib's own type, in which the right and bottom edges belong to the rectangle."""
    return dlib.rectangle(
        round(box.left), round(box.top), round(box.right) - 1, round(box.bottom) - 1
    )
