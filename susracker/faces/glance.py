"""Whether a crop shows the same face as one a moment before, told without looking for faces.

Most pictures of a camera that sends several a second show the face that the one before showed. The
earlier face is laid over the new crop (Evangelidis and Psarakis, "Parametric image alignment using
enhanced correlation coefficient maximization", PAMI 2008), on copies of a few pixels. That takes a
twentieth of the time that it takes to find a face and embed it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from susracker.faces.face import Face
from susracker.faces.images import grey_square

SIDE, FACE_SIDE = 56, 32
"""Pixels of a side of the copies of a crop and of a face."""

LEAST_SHARE = 0.4
"""A picture is a crop of one face if that is at least this share of its longer side. Elsewhere
someone else may be in the picture."""

SAME = 0.96
"""Correlation from which two crops show the same face. Of pairs of crops of different people (LFW's
development photos), none of 22,350 reaches it, and one of 12,561 of heavily blurred ones; of
different people's in one video (0.2 to 1 s apart) none of 615. Of the frames that
`benchmarks/passages.py` makes of one photo, 99% do, and of one face in that video a fifth of a
second apart, 64%."""

ROUNDS, LEAST_GAIN = 8, 1e-3
"""When the search for the best place ends: after so many rounds, or gaining less."""

FIRST_ROUNDS, PROMISING = 2, 0.7
"""After so many rounds, it goes on only from this correlation on: 4% of crops of different people
reach it, and 99% of frames that `benchmarks/passages.py` makes of one photo."""

BLUR = 3
"""Side of the Gaussian filter, in pixels, that the search uses."""

MOST_STRETCH, MOST_SHIFT = 1.3, 0.3
"""How much larger or smaller a face may have become, and how far it may have moved, as a share of
its width, to be looked for. A face that is stretched beyond that fits on anything."""

EVERYWHERE = np.full((SIDE, SIDE), 255, np.uint8)

Grey = NDArray[np.float32]
Transform = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Glimpse:
    """A face as it is compared with later crops: 4 kB.

    Attributes:
        face: shape (`FACE_SIDE`, `FACE_SIDE`).
        place: where it was in its crop: from its pixels to those of the crop's copy, shape (2, 3).
        aspect: the crop's width by its height.
    """

    face: Grey
    place: Transform
    aspect: float


def glimpse_of(face: Face) -> Glimpse | None:
    """What to compare later crops with; None if the picture is no crop of this face."""
    height, width = face.picture.shape[:2]
    box = face.box
    if max(box.width / max(width, height), box.height / max(width, height)) < LEAST_SHARE:
        return None
    grey = cv2.cvtColor(face.picture, cv2.COLOR_RGB2GRAY)
    copy = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    across, down = SIDE / width, SIDE / height
    place = np.array(
        [
            [box.width * across / FACE_SIDE, 0, box.left * across],
            [0, box.height * down / FACE_SIDE, box.top * down],
        ],
        np.float32,
    )
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cut = cv2.warpAffine(
        copy, place, (FACE_SIDE, FACE_SIDE), flags=how, borderMode=cv2.BORDER_REPLICATE
    )
    return Glimpse(np.asarray(cut, np.float32), place, width / height)


class Glance:
    """A new picture. For one thread.

    Args:
        data: the encoded picture. It is decoded when it is first compared.
        max_pixels: the largest picture that is decoded.
    """

    def __init__(self, data: bytes, max_pixels: int) -> None:
        self._data = data
        self._max_pixels = max_pixels

    def shows(self, glimpses: Iterable[Glimpse]) -> bool:
        """Whether the picture shows the face of one of these.

        Raises:
            PictureError: it cannot be read.
        """
        return any(self._likeness(one) >= SAME for one in glimpses)

    @cached_property
    def _copy(self) -> tuple[Grey, float]:
        grey, aspect = grey_square(self._data, SIDE, self._max_pixels)
        return grey.astype(np.float32), aspect

    def _likeness(self, glimpse: Glimpse) -> float:
        """Correlation of the face with the place in this picture that fits it best, -1 to 1."""
        copy, aspect = self._copy
        if not 1 / MOST_STRETCH <= aspect / glimpse.aspect <= MOST_STRETCH:
            return -1.0
        found, place = _fitted(glimpse.face, copy, glimpse.place, FIRST_ROUNDS)
        if found < PROMISING:
            return found
        found, place = _fitted(glimpse.face, copy, place, ROUNDS - FIRST_ROUNDS)
        return found if _is_near(glimpse.place, place) else -1.0


def _fitted(face: Grey, copy: Grey, place: Transform, rounds: int) -> tuple[float, Transform]:
    """The correlation of a face with a better place for it; -1 if no place fits."""
    end = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, rounds, LEAST_GAIN)
    try:
        found, there = cv2.findTransformECC(
            face, copy, place.copy(), cv2.MOTION_AFFINE, end, EVERYWHERE, BLUR
        )
    except cv2.error:
        return -1.0, place
    return float(found), np.asarray(there, np.float32)


def _is_near(before: Transform, after: Transform) -> bool:
    """Whether a face has kept about its size, its shape and its place."""
    moved = np.linalg.solve(
        before[:, :2], np.column_stack([after[:, :2], after[:, 2] - before[:, 2]])
    )
    stretches = np.linalg.svd(moved[:, :2], compute_uv=False)
    middle = np.full(2, FACE_SIDE / 2)
    shift = moved[:, :2] @ middle + moved[:, 2] - middle
    return bool(
        stretches.min() >= 1 / MOST_STRETCH
        and stretches.max() <= MOST_STRETCH
        and np.abs(shift).max() <= MOST_SHIFT * FACE_SIDE
    )
