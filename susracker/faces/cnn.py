"""dlib's CNN face detector on ONNX Runtime: from a picture to boxes.

The first use builds the network from dlib's weight file, compares it with dlib on a real face, and
keeps it in the cache folder.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

from susracker.errors import EncoderError
from susracker.faces.boxes import Box, Found
from susracker.faces.built import InexactNetworkError, load_network, open_session, sample_portrait
from susracker.faces.cache import cache_folder
from susracker.faces.images import copies, resized
from susracker.faces.light import gain_of, searchable
from susracker.faces.network import DETECTOR_FORMAT, INT8_FORMAT, PIXELS, SCORES, WINDOW
from susracker.faces.weights import DETECTION as WEIGHTS
from susracker.faces.weights import weights_file
from susracker.models import Picture

if TYPE_CHECKING:
    import onnx

log = logging.getLogger(__name__)

DETECTION = "dlib-mmod-v1"
"""Name of the network, in the cache and among the ranges."""

BORDER = 30
"""Pixels around a picture, of the mean colour, so that faces at its edge are found."""

NARROW = 14
"""The same where a face is looked for in the middle only: a copy of 104 pixels then has two thirds
of the pixels to look at."""

AVERAGED_BELOW = 0.55
"""A copy in which a face is looked for in the middle only is made by averaging areas where it is
smaller than this; otherwise by interpolation, in a fifth of the time."""

MEAN = (123, 117, 104)
"""What the network takes for nothing, in whole numbers."""

STRIDE, CENTRE = 8, 18
"""Pixels between windows, and from the picture's corner to the middle of the first one. By dlib's
own count it is 14; its boxes lie half a stride up and left of faces."""

SAME_FACE = 0.338
"""Windows that fill more than this share of the rectangle around both show the same face, as in
dlib's own network. Their boxes are averaged: each alone is off by 6% of its width."""

HOG_WIDTH, HOG_DROP = 1 / 0.97, 0.04
"""A box of dlib's HOG detector, which landmarks are trained on, is this much wider, and lies lower
by this share of the width (LFW's development photos)."""

MAX_DIFFERENCE = 1e-3
"""Largest accepted difference from dlib's own score, which is about 1. Rounding in another order
gives 5e-7."""

MAX_INT8_DIFFERENCE = 0.1
"""The same for the highest scores in 8-bit arithmetic, over several sizes of a face. Their usual
deviation is 0.013; overflowing sums give more than 0.5."""

SAMPLE_FACE = 187
"""Pixels across the face in the sample portrait."""

CHECKED_SIDE, CHECKED_FACE, DLIB_BORDER = 320, 80, 11
"""Pixels of the picture that both networks see, of the face in it, and of dlib's own border, which
decides where the windows lie. Nothing else is in reach of the face."""

CHECKED_SIZES = (0.7, 1.0, 1.4)

Scores = NDArray[np.float32]
Windows = NDArray[np.float64]


class Cnn:
    """The network. Safe to use from any thread.

    Args:
        cache: folder for the model; the user's cache directory by default.
        weights: dlib's weight file; the one in `face_recognition_models` by default.
    """

    def __init__(self, cache: Path | None = None, weights: Path | None = None) -> None:
        self._cache = cache or cache_folder()
        self._weights = weights
        self._loading = threading.Lock()
        self._session: Any = None

    def scores(self, framed: Picture) -> Scores:
        """Score the windows of a picture with its border.

        Returns:
            shape (rows, columns); above 0, dlib reports a face.

        Raises:
            EncoderError: the network cannot be loaded.
        """
        if self._session is None:
            with self._loading:
                self._session = self._session or self._load()
        return _scores(self._session, framed)

    def windows(
        self, picture: Picture, scale: float, threshold: float, *, central: bool = False
    ) -> Windows:
        """Find windows that show a face in a scaled copy of the picture, brightened if it is dark.

        Args:
            central: whether a face is looked for in the middle only, which is faster.

        Returns:
            shape (n, 4): the middle, from the left and from the top, the width, all in pixels of
            the picture, and the score.
        """
        border, averaged_below = (NARROW, AVERAGED_BELOW) if central else (BORDER, 1.0)
        small = resized(picture, scale, averaged_below)
        return self._windows(searchable(small, gain_of(small)), scale, threshold, border)

    def windows_of_copies(
        self, picture: Picture, scales: Sequence[float], threshold: float
    ) -> list[Windows]:
        """What `windows` finds at each of several scales, which fall, in less time."""
        small = list(copies(picture, scales))
        gain = gain_of(small[-1])
        return [
            self._windows(searchable(copy, gain), scale, threshold, BORDER)
            for copy, scale in zip(small, scales, strict=True)
        ]

    def _windows(self, copy: Picture, scale: float, threshold: float, border: int) -> Windows:
        scores = self.scores(framed(copy, border))
        rows, columns = np.nonzero(scores > threshold)
        found = np.empty((len(rows), 4))
        found[:, 0], found[:, 1] = columns, rows
        found[:, :2] = (STRIDE * found[:, :2] + (CENTRE - border)) / scale
        found[:, 2], found[:, 3] = WINDOW / scale, scores[rows, columns]
        return found

    def _load(self) -> Any:
        weights = self._weights or weights_file(WEIGHTS)

        def check(session: Any) -> None:
            _check_int8(session, open_session(_exact(weights).SerializeToString()))

        try:
            return load_network(self._cache, _name(INT8_FORMAT), weights, _quantised, check)
        except InexactNetworkError as error:
            log.warning("using the exact detector, at half the speed: %s", error)
            return load_network(self._cache, _name("fp32"), weights, _exact, _compare_with_dlib)


def framed(picture: Picture, border: int = BORDER) -> Picture:
    """Put the border around a picture."""
    sides = (border,) * 4
    return np.asarray(
        cv2.copyMakeBorder(picture, *sides, cv2.BORDER_CONSTANT, value=MEAN), np.uint8
    )


def faces_of(windows: Windows) -> list[Found]:
    """Put windows together that show the same face, highest score first.

    Returns:
        boxes as dlib's HOG detector would draw them.
    """
    left = windows[np.argsort(-windows[:, 3], kind="stable")]
    found = []
    while len(left):
        same = _shared(left[0], left) > SAME_FACE
        found.append(_found(left[same]))
        left = left[~same]
    return found


def _shared(one: Windows, others: Windows) -> Windows:
    """The intersection with one window, as a share of the rectangle around both."""
    halves, half = others[:, 2:3] / 2, one[2] / 2
    lows, highs = others[:, :2] - halves, others[:, :2] + halves
    low, high = one[:2] - half, one[:2] + half
    shared = np.maximum(0, np.minimum(highs, high) - np.maximum(lows, low))
    around = np.maximum(highs, high) - np.minimum(lows, low)
    return np.asarray(shared[:, 0] * shared[:, 1] / (around[:, 0] * around[:, 1]))


def _found(windows: Windows) -> Found:
    """The face that these windows show, of which the first has the highest score."""
    weights = np.exp(4 * (windows[:, 3] - windows[0, 3]))
    x, y, width = (weights @ windows[:, :3] / weights.sum()).tolist()
    half = width * HOG_WIDTH / 2
    y += HOG_DROP * width
    return Found(Box(x - half, y - half, x + half, y + half), float(windows[0, 3]))


def _name(arithmetic: str) -> str:
    return f"{DETECTION}-{DETECTOR_FORMAT}-{arithmetic}"


def _exact(weights: Path) -> onnx.ModelProto:
    # The package `onnx` takes 0.1 s to import, and only building needs it.
    from susracker.faces import dlib_cnn

    return dlib_cnn.build(weights)


def _quantised(weights: Path) -> onnx.ModelProto:
    from susracker.faces import dlib_cnn, quantised

    exact = (dlib_cnn.FIRST, dlib_cnn.LAST)
    return quantised.quantise(_exact(weights), DETECTION, dlib_cnn.QUANTISED, exact)


def _scores(session: Any, framed: Picture) -> Scores:
    scores: Scores = session.run([SCORES], {PIXELS: framed[None]})[0][0, 0]
    return scores


def _compare_with_dlib(session: Any) -> None:
    """Raise InexactNetworkError if the highest score of a real face differs from dlib's."""
    picture = _checked_picture()
    framed = cv2.copyMakeBorder(picture, *(DLIB_BORDER,) * 4, cv2.BORDER_CONSTANT, value=MEAN)
    ours = float(_scores(session, np.asarray(framed, np.uint8)).max())
    file = weights_file(WEIGHTS)
    try:
        found = dlib.cnn_face_detection_model_v1(str(file))(picture, 0)
    except RuntimeError as error:
        raise EncoderError(f"dlib cannot read {file}: {error}") from error
    theirs = max((one.confidence for one in found), default=0.0)
    if not abs(ours - theirs) < MAX_DIFFERENCE:
        raise InexactNetworkError(
            f"the ONNX detector scores a face {ours:.4f} and dlib's own {theirs:.4f}: "
            "use --detector hog, and report this as a bug"
        )


def _check_int8(session: Any, exact: Any) -> None:
    """Raise InexactNetworkError if the highest scores of a real face differ between the two."""
    _compare_with_dlib(exact)
    for size in CHECKED_SIZES:
        picture = framed(resized(_checked_picture(), size))
        ours, theirs = (float(_scores(one, picture).max()) for one in (session, exact))
        if not abs(ours - theirs) < MAX_INT8_DIFFERENCE:
            raise InexactNetworkError(
                f"in 8 bits the detector scores a face {ours:.2f}, and {theirs:.2f} exactly"
            )


def _checked_picture() -> Picture:
    """The sample portrait in the middle of nothing, its face as large as the window."""
    portrait = sample_portrait()
    small = resized(portrait, CHECKED_FACE / SAMPLE_FACE)
    high, wide = (CHECKED_SIDE - side for side in small.shape[:2])
    sides = high // 2, high - high // 2, wide // 2, wide - wide // 2
    return np.asarray(cv2.copyMakeBorder(small, *sides, cv2.BORDER_CONSTANT, value=MEAN), np.uint8)
