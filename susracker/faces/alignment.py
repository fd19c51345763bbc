"""From a box around a face to its landmarks and its chip.

Where a face reaches beyond the picture, the outermost pixels are repeated, and a dark face is
brightened first.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

from susracker.faces.boxes import Box
from susracker.faces.images import resized
from susracker.faces.light import brightened, gain_of
from susracker.faces.weights import LANDMARKS, weights_file
from susracker.models import Picture

CHIP_SIZE, CHIP_PADDING = 150, 0.25
"""What dlib's recognition network was trained on."""

MEAN_FACE = (
    (0.8595674595992, 0.2134981538014),
    (0.6460604764104, 0.2289674387677),
    (0.1205750620789, 0.2137274526848),
    (0.3340850613712, 0.2290642403242),
    (0.4901123135679, 0.6277975316475),
)
"""Where the five points lie in a mean face, from dlib's `get_face_chip_details`."""

REACH = 1.0
"""How far around the middle of a box its landmarks depend on the picture, as a share of the box's
width."""

LARGEST = 300
"""Pixels across a face to which larger ones are reduced before their landmarks are found. The chip
has 134."""

Landmarks = NDArray[np.float32]
Transform = NDArray[np.float64]


def find_landmarks(picture: Picture, box: Box) -> Landmarks:
    """Find dlib's five points of the face in a box.

    Returns:
        shape (5, 2), in pixels of the picture.

    Raises:
        EncoderError: the landmark model is missing.
    """
    region, scale, left, top = _region(picture, box)
    own = box.mapped(1.0, 0.0)
    region = np.ascontiguousarray(brightened(region, gain_of(region)))
    rectangle = dlib.rectangle(
        *(
            round((edge - start) * scale) - end
            for edge, start, end in (
                (box.left, left, 0),
                (box.top, top, 0),
                (box.right, left, 1),
                (box.bottom, top, 1),
            )
        )
    )
    points = _model()(region, rectangle).parts()
    found = np.array([(point.x, point.y) for point in points], np.float32)
    return np.asarray(found / scale + (left, top), np.float32)
