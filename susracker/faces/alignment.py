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
from susracker.faces.light import Light, brightened, light_of, searchable, smoothed
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

MEAN_POINTS = np.array(
    [
        [0.225492, 0.215990],
        [0.754761, 0.215990],
        [0.490127, 0.515625],
        [0.254149, 0.780233],
        [0.726104, 0.780233],
    ]
)
"""Where the points of `ARCFACE` lie in the same mean face: the middles of the eyes' outlines, and
single points of its nose and mouth."""

ARCFACE = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)
"""Where the eyes, the tip of the nose and the corners of the mouth lie in the pictures of 112 by
112 pixels that ArcFace, SFace and AdaFace were trained on (InsightFace's `face_align.py`)."""

ARCFACE_SIZE = 112

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
Points = NDArray[np.float64]
"""Shape (5, 2)."""

Transform = NDArray[np.float64]
Complex = NDArray[np.complex128]


def find_landmarks(picture: Picture, box: Box) -> tuple[Landmarks, Light]:
    """Find dlib's five points of the face in a box.

    Returns:
        shape (5, 2), in pixels of the picture; and how this face is to be brightened.

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
    light = light_of(crop(region, own, 0))
    bright = np.ascontiguousarray(searchable(region, light.gain))
    points = _model()(bright, _rectangle(own)).parts()
    found = np.array([(point.x, point.y) for point in points], np.float32)
    return np.asarray(found / scale + (left, top), np.float32), light


def box_of(landmarks: Landmarks) -> Box:
    """The box that dlib's HOG detector would draw around a face with these landmarks, in the median
    of LFW's development photos."""
    transform = _transform(landmarks)
    width = float(np.hypot(*transform[:, 0])) * CHIP_SIZE / CHIP_WIDTH
    x, y = (transform @ (CHIP_SIZE / 2, CHIP_SIZE / 2, 1) + np.multiply(CHIP_SHIFT, width)).tolist()
    return Box(x - width / 2, y - width / 2, x + width / 2, y + width / 2)


def chip_of(picture: Picture, landmarks: Landmarks, light: Light, size: int = CHIP_SIZE) -> Picture:
    """Align a face as dlib's `get_face_chip` does, but for the pixels beyond the picture.

    OpenCV takes a tenth of dlib's time, and lets go of Python's lock.

    Args:
        landmarks: shape (5, 2), in pixels of the picture.
        light: how the face is to be brightened.

    Returns:
        shape (size, size, 3).
    """
    return _cut_out(picture, _transform(landmarks, size), light, size)


def aligned(
    picture: Picture, landmarks: Landmarks, light: Light, size: int, points: Points
) -> Picture:
    """Align a face as a network of the ArcFace kind takes it.

    dlib's landmarks are the corners of the eyes and the base of the nose. Where they belong follows
    from the mean face that has both these and the points of `ARCFACE`.

    Args:
        landmarks: shape (5, 2), in pixels of the picture.
        light: how the face is to be brightened.
        points: where those of `ARCFACE` belong, shape (5, 2), in pixels of the result.

    Returns:
        shape (size, size, 3).
    """
    turn, shift = _similarity(_complex(MEAN_POINTS), _complex(points))
    turn, shift = _similarity(_complex(landmarks), _complex(MEAN_FACE) * turn + shift)
    return _cut_out(picture, _matrix(1 / turn, -shift / turn), light, size)


def _cut_out(picture: Picture, transform: Transform, light: Light, size: int) -> Picture:
    """The part of a picture that a transform from a chip leads to, and a face in it brightened."""
    scale = float(np.hypot(*transform[:, 0]))
    if scale > SMOOTH:
        picture, transform = _reduced(picture, transform, 1 / scale, size)
    chip = cv2.warpAffine(
        picture,
        transform,
        (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    bright = brightened(np.asarray(chip, np.uint8), light.gain)
    # By 7 pixels of dlib's chip, and by as much of the face in chips of other sizes.
    return smoothed(bright, 2 * round(size / 50) + 1) if light.is_noisy else bright


def _transform(landmarks: Landmarks, size: int = CHIP_SIZE) -> Transform:
    """The similarity transform from the chip to the picture, shape (2, 3), that takes a mean face
    nearest to the landmarks, by least squares (dlib's `find_similarity_transform`)."""
    mean = (MEAN_FACE + CHIP_PADDING) / (1 + 2 * CHIP_PADDING) * size
    turn, shift = _similarity(_complex(mean), _complex(landmarks))
    middle = turn * (size * (1 + 1j) / 2) + shift
    # dlib spans the chip's first and last pixels, not their outer edges.
    turn *= (size - 1 / abs(turn)) / (size - 1)
    return _matrix(turn, middle - turn * ((size - 1) * (1 + 1j) / 2))


def _similarity(points: Complex, others: Complex) -> tuple[complex, complex]:
    """The turn and the shift that take points nearest to others by least squares, as complex
    numbers (Umeyama, "Least-squares estimation of transformation parameters between two point
    patterns", IEEE PAMI 13(4), 1991, without reflections)."""
    apart = points - points.mean()
    turn = complex((apart.conj() @ (others - others.mean())) / (apart.conj() @ apart).real)
    return turn, complex(others.mean() - turn * points.mean())


def _complex(points: Landmarks | Points) -> Complex:
    return np.asarray(points.astype(np.float64) @ (1, 1j), np.complex128)


def _matrix(turn: complex, shift: complex) -> Transform:
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def _reduced(
    picture: Picture, transform: Transform, scale: float, size: int
) -> tuple[Picture, Transform]:
    """A reduced copy of the part of the picture that a chip shows, and the transform to it."""
    ends = np.array([[x, y, 1] for x in (0, size) for y in (0, size)]) @ transform.T
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
