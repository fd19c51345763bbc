"""Finds faces with dlib's CNN detector.

A crop is searched first in sizes at which its face fills the detector's window: cameras send mostly
crops, and such a size takes half a millisecond. Only then it is searched as a frame, in sizes that
grow by `STEP`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

import numpy as np

from susracker.faces.alignment import box_of
from susracker.faces.boxes import Found
from susracker.faces.cnn import Cnn, Windows, faces_of
from susracker.faces.detector import Detector, is_central, largest_share
from susracker.faces.face import Face, locate
from susracker.models import Picture

STEP = 1.44
"""How much larger each size is than the one before. A face scores about as much over that span, so
smaller steps find hardly more."""

CROP_SIDES = (104, 87, 122)
"""Pixels of a picture's longer side at which the face of a crop fills the window, in the order in
which they are tried. At the first, 94% of crops with a fifth of margin and 60% of tight crops score
more than `CROP_SCORE`; at the second, 98% of tight crops; at the third, 99% of those with a margin
(LFW's development photos)."""

CROP_SCORE = 0.5
"""Score at those sizes that makes a picture a crop of one face."""

PORTRAIT_SIDE = 250
"""Pixels to which the shorter side of a small picture is enlarged, so that every face of three
tenths of it is found. Larger pictures are searched as they are."""

PORTRAIT_SHARE = 0.3
"""A picture with a face at least this share of its shorter side is a crop or a portrait. Any other
picture is searched again for smaller faces."""

FRAME_SCORE = 0.0
"""Score above which dlib itself reports a face."""

LEAST_WIDTH = 74.0
"""Width in pixels of the smallest faces that are found reliably in a copy of a picture: of LFW's
faces, 99% have a score above 0 at 75 pixels, 95% at 70, and 45% at 62."""

FINE_SCALE, MAX_FINE_SIDE = 2.2, 1920
"""How much a picture is enlarged to find faces of 34 pixels, and the most pixels that its longer
side may then have."""

DOUBTFUL_SIDES, DOUBTFUL_SCORE = (73, 80, 95, 113, 136, 150), -0.6
"""Where nothing else is found, a large face in the middle is looked for at sizes between the
others, too, and a lower score is enough. A face that is blurred or half covered reaches it at few
sizes: tight crops at 73 to 113 pixels, those with a fifth of margin at 95 to 150. None of
2,263 patches of background scores more than -0.75."""

RIVAL_SCORE, CLEARLY_SMALLER = 0.9, 1.25
"""If just one face is in the middle of an enrolment photo, another one is a bystander's if it
scores less than the first, or is the second many times smaller. Scores do not rise with the
likeness to a face, as HOG's do, but are about 1 for nearly all."""

CUT_OFF, HEAD = 0.1, 0.2
"""It is a bystander's, too, if the photo's edge cuts off more than the first of its width, or does
not leave it the second on each side, as it does to the face in the middle: nobody cuts a
photo so that the subject's head is cut off, and another's is not."""


class CnnDetector(Detector):
    """dlib's CNN detector on ONNX Runtime, and 5-point landmarks. Python's lock is free while the
    network runs."""

    def __init__(self, cnn: Cnn | None = None) -> None:
        self._cnn = cnn or Cnn()

    def find(self, picture: Picture) -> list[Face]:
        picture = np.ascontiguousarray(picture)  # dlib accepts no views
        windows: list[Windows] = []
        found = self._find_boxes(picture, windows) or self._find_doubtful(picture, windows)
        return _located(picture, found)

    def find_in_frame(self, picture: Picture, smallest: float) -> list[Face]:
        picture = np.ascontiguousarray(picture)
        scales = _scales(picture, LEAST_WIDTH / smallest)
        return _located(
            picture,
            faces_of(np.concatenate(self._cnn.windows_of_copies(picture, scales, FRAME_SCORE))),
        )

    def find_in_photo(self, picture: Picture) -> list[Face]:
        picture = np.ascontiguousarray(picture)
        windows = [self._windows_at(picture, side) for side in CROP_SIDES]
        return _located(picture, self._find_all(picture, windows))

    def may_be_subject(self, faces: list[Face]) -> list[Face]:
        central = [face for face in faces if is_central(face.box, face.picture)]
        if len(central) != 1:
            return faces
        return [one for one in faces if one is central[0] or _is_rival(one, central[0])]

    def _find_boxes(self, picture: Picture, windows: list[Windows]) -> list[Found]:
        """Find the face of a crop, or else all faces.

        Args:
            windows: all that score more than `DOUBTFUL_SCORE` are added to it.
        """
        for number, side in enumerate(CROP_SIDES):
            # Of crops with a margin, 99% end with the first size, whose face is in the middle.
            windows.append(self._windows_at(picture, side, central=not number))
            found = _sure(windows[-1:])
            if found and found[0].score > CROP_SCORE:
                return found
        return self._find_all(picture, windows)

    def _find_all(self, picture: Picture, windows: list[Windows]) -> list[Found]:
        """Find all faces; small ones only if there is none of three tenths of the picture."""
        longer = max(picture.shape[:2])
        most = MAX_FINE_SIDE / longer
        coarse = min(max(1.0, PORTRAIT_SIDE / min(picture.shape[:2])), most)
        windows += self._cnn.windows_of_copies(
            picture, _scales(picture, coarse, max(CROP_SIDES)), DOUBTFUL_SCORE
        )
        found = _sure(windows)
        if largest_share(picture, found) >= PORTRAIT_SHARE:
            return found
        if (finest := min(FINE_SCALE, most)) <= coarse:
            return found
        # A size less than half a step from the coarse one would find nothing new.
        finer = _scales(picture, finest, math.sqrt(STEP) * coarse * longer)
        windows += self._cnn.windows_of_copies(picture, finer, DOUBTFUL_SCORE)
        return _sure(windows)

    def _find_doubtful(self, picture: Picture, windows: list[Windows]) -> list[Found]:
        """Find the best large face in the middle, at a lower score.

        Args:
            windows: of the sizes that were searched before.
        """
        more = [self._windows_at(picture, side) for side in DOUBTFUL_SIDES]
        found = faces_of(np.concatenate([*windows, *more]))
        central = (one for one in found if is_central(one.box, picture))
        large = (one for one in central if largest_share(picture, [one]) >= PORTRAIT_SHARE)
        return list(islice(large, 1))

    def _windows_at(self, picture: Picture, side: int, *, central: bool = False) -> Windows:
        """The windows of a copy whose longer side has so many pixels."""
        scale = side / max(picture.shape[:2])
        return self._cnn.windows(picture, scale, DOUBTFUL_SCORE, central=central)


def _sure(windows: Iterable[Windows]) -> list[Found]:
    """The faces that dlib itself would report, highest score first."""
    every = np.concatenate(list(windows))
    return faces_of(every[every[:, 3] > FRAME_SCORE])


def _located(picture: Picture, found: Iterable[Found]) -> list[Face]:
    """Return the faces in these boxes, largest first.

    Where a face was found in one size only, the size of its window says little about its own, but
    the landmarks do.
    """
    faces = [locate(picture, one.box, one.score) for one in found]
    boxed = [replace(face, box=box_of(face.landmarks)) for face in faces]
    return sorted(boxed, key=lambda face: -face.box.width)


def _is_rival(face: Face, central: Face) -> bool:
    """Whether a face may be the subject's although another one is in the middle."""
    beyond = _beyond(face)
    return (
        beyond <= CUT_OFF
        and not _beyond(central) <= -HEAD < beyond
        and face.score >= RIVAL_SCORE
        and face.box.width * CLEARLY_SMALLER >= central.box.width
    )


def _beyond(face: Face) -> float:
    """How far a face reaches beyond its picture, as a share of its width; negative inside."""
    (height, width), box = face.picture.shape[:2], face.box
    pixels = max(-box.left, -box.top, box.right - width, box.bottom - height)
    return float(pixels / box.width)


def _scales(picture: Picture, finest: float, least: float = min(CROP_SIDES)) -> list[float]:
    """Scales from the finest down to the last at which the picture's longer side has more than
    `least` pixels, by default one at which a face as large as the picture is found."""
    longer = max(picture.shape[:2])
    count = math.ceil(math.log(max(finest * longer / least, STEP), STEP))
    return [finest / STEP**number for number in range(count)]
