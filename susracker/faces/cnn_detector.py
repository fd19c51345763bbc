"""Finds faces with dlib's CNN detector.

A crop is searched first in the two sizes at which its face fills the detector's window: cameras
send mostly crops, and those sizes take half a millisecond each. Only then it is searched as a
frame, in sizes that grow by `STEP`.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from susracker.faces.boxes import Found
from susracker.faces.cnn import Cnn, Windows, faces_of
from susracker.faces.detector import Detector, is_central, largest_share, locate_all
from susracker.faces.face import Face
from susracker.faces.network import WINDOW
from susracker.models import Picture

STEP = 1.44
"""How much larger each size is than the one before. A face scores about as much over that span, so
smaller steps find hardly more."""

CROP_SIDES = (87, 122)
"""Pixels of a picture's longer side at which a face fills the window if the picture is a tight
crop, or one with a fifth of margin."""

CROP_SCORE = 0.5
"""Score at those sizes that makes a picture a crop of one face."""

PORTRAIT_SIDES = (174, 250)
"""The next sizes, which find every face of at least three tenths of the picture."""

PORTRAIT_SHARE = 0.3
"""A picture with a face at least this share of its shorter side is a crop or a portrait. Any other
picture is searched again for smaller faces."""

FRAME_SCORE = 0.0
"""Score above which dlib itself reports a face."""

SMALLEST_SHARE = 1.2
"""How many times smaller than the window a face may be and still be found."""

SMALLEST, MAX_SIDE = 40.0, 1920
"""Width in pixels of the smallest faces that `find` finds, and the most pixels that the longer side
of a picture may have when it is searched for them."""

DOUBTFUL_SIDES, DOUBTFUL_SCORE = (73, 104, 150, 208, 250), -0.5
"""Where nothing else is found, a large face in the middle is looked for at sizes between the
others, and a lower score is enough. None of 2,394 patches of background scores more than -0.4."""


class CnnDetector(Detector):
    """dlib's CNN detector on ONNX Runtime, and 5-point landmarks. Python's lock is free while the
    network runs."""

    def __init__(self, cnn: Cnn | None = None) -> None:
        self._cnn = cnn or Cnn()

    def find(self, picture: Picture) -> list[Face]:
        picture = np.ascontiguousarray(picture)  # dlib accepts no views
        return locate_all(picture, self._find_boxes(picture) or self._find_doubtful(picture))

    def find_in_frame(self, picture: Picture, smallest: float) -> list[Face]:
        picture = np.ascontiguousarray(picture)
        finest = WINDOW / SMALLEST_SHARE / smallest
        return locate_all(picture, self._search(picture, _scales(picture, finest), FRAME_SCORE))

    def find_in_photo(self, picture: Picture) -> list[Face]:
        picture = np.ascontiguousarray(picture)
        longer = max(picture.shape[:2])
        windows = [self._cnn.windows(picture, side / longer, FRAME_SCORE) for side in CROP_SIDES]
        return locate_all(picture, self._find_all(picture, windows))

    def may_be_subject(self, faces: list[Face]) -> list[Face]:
        return faces

    def _find_boxes(self, picture: Picture) -> list[Found]:
        longer, windows = max(picture.shape[:2]), []
        for side in CROP_SIDES:
            windows.append(self._cnn.windows(picture, side / longer, FRAME_SCORE))
            found = faces_of(windows[-1])
            if found and found[0].score > CROP_SCORE:
                return found
        return self._find_all(picture, windows)

    def _find_all(self, picture: Picture, windows: list[Windows]) -> list[Found]:
        """Find all faces; those of a third of the picture and more if there is one."""
        longer = max(picture.shape[:2])
        for side in PORTRAIT_SIDES:
            windows.append(self._cnn.windows(picture, side / longer, FRAME_SCORE))
        found = faces_of(np.concatenate(windows))
        if largest_share(picture, found) >= PORTRAIT_SHARE:
            return found
        finest = min(WINDOW / SMALLEST_SHARE / SMALLEST, MAX_SIDE / longer)
        return self._search(picture, _scales(picture, finest), FRAME_SCORE)

    def _find_doubtful(self, picture: Picture) -> list[Found]:
        """Find the best large face in the middle, at a lower score."""
        longer = max(picture.shape[:2])
        found = self._search(picture, [side / longer for side in DOUBTFUL_SIDES], DOUBTFUL_SCORE)
        central = [one for one in found if is_central(one.box, picture)][:1]
        return central if largest_share(picture, central) >= PORTRAIT_SHARE else []

    def _search(self, picture: Picture, scales: Iterable[float], least: float) -> list[Found]:
        """Find the faces in scaled copies of the picture, highest score first."""
        windows = [self._cnn.windows(picture, scale, least) for scale in scales]
        return faces_of(np.concatenate(windows))


def _scales(picture: Picture, finest: float) -> list[float]:
    """Scales from the finest to the one at which a face as large as the picture is found."""
    longer, scales = max(picture.shape[:2]), [finest]
    while scales[-1] * longer > CROP_SIDES[0]:
        scales.append(scales[-1] / STEP)
    return scales
