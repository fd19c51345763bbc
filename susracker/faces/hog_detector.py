"""Finds faces with dlib's HOG detector.

It tries the tight crop first: cameras send mostly those, and the test, on a copy of 150 pixels,
takes 2 ms.
"""

from __future__ import annotations

import cv2
import numpy as np

from susracker.faces import hog
from susracker.faces.boxes import Box, Found
from susracker.faces.detector import Detector, is_central, largest_share, locate_all
from susracker.faces.face import Face
from susracker.faces.images import resized
from susracker.models import Picture

TIGHT_PADDING = 0.25
"""Border added to a picture to test whether it is a tight crop, as a share of its longer side. HOG
needs to see more than the face's box."""

TIGHT_SIDE = 150
"""Longer side of that padded picture, in pixels. A face that fills the crop is then 100 pixels
wide. A face with a margin is found in HOG's next smaller window, of 80 pixels, which tells the two
apart: 0.8% of LFW's crops with a fifth of margin pass for tight ones. A padding of 0.4 takes twice
the time and makes it 8.6%."""

TIGHT_THRESHOLD = -0.9
"""HOG score on that padded picture above which it may be a tight crop. Together with
`TIGHT_OVERLAP`, it finds 99.9% of LFW's tight crops and fires on none of 645 patches of background.
Without `TIGHT_OVERLAP`, it fires on one patch in 160."""

CERTAIN_SCORE = 0.2
"""HOG score above which a tight crop is not searched again as a frame. Nineteen tight crops in
twenty score higher."""

TIGHT_OVERLAP = 0.65
"""Least overlap of HOG's box with the whole picture for a crop to count as tight. Tight crops of
LFW's faces have 0.69 and more; crops with a fifth of margin have 0.54. Aligning a tight crop from
its own rectangle is more accurate than aligning it from HOG's box."""

HOG_WINDOW = 80
"""Width in pixels of the smallest face that dlib's detector finds."""

FRAME_THRESHOLD = 0.0
"""HOG score above which dlib itself reports a face."""

FRAME_SIDE = 250
"""Pixels to which the shorter side of a small picture is enlarged, so that HOG finds faces a third
as wide."""

PORTRAIT_SHARE = 0.3
"""A picture with a face at least this share of its shorter side is a crop or a portrait. Any other
picture is searched again for smaller faces."""

TIGHT_SHARE = 0.6
"""A picture may be a tight crop if its face is wider than this share of its shorter side."""

FINE_SCALE, MAX_FINE_SIDE = 2.0, 1920
"""How much a picture is enlarged to find faces of 40 pixels, and the most pixels that its longer
side may then have."""

DOUBTFUL_THRESHOLD = -0.6
"""HOG score that is enough for a large face in the middle when nothing else is found. On LFW's
development photos it finds 14 of the 16 faces that would be missed otherwise. It fires on 0.3% of
background."""

RIVAL_SCORE = 0.3
RIVAL_GAP = 1.0
"""A face is a bystander's if its HOG score is below `RIVAL_SCORE` and more than `RIVAL_GAP` below
the highest in the photo. Bystanders are turned away, blurred or cut off, or are the same face found
twice. The score alone is not enough: a subject who is turned away would be dropped, and their
neighbour enrolled. Of LFW's development photos, the score alone enrols 3,365, and 3 of the faces
are a neighbour's. With the gap, and `CLEARLY_LARGER`, it is 3,359 and none."""


class HogDetector(Detector):
    """dlib's HOG detector and 5-point landmarks. It holds Python's lock while it runs."""

    def find(self, picture: Picture) -> list[Face]:
        picture = np.ascontiguousarray(picture)  # dlib accepts no views
        return locate_all(picture, self._find_boxes(picture) or self._find_doubtful(picture))

    def find_in_frame(self, picture: Picture, smallest: float) -> list[Face]:
        picture = np.ascontiguousarray(picture)
        return locate_all(picture, self._scan(picture, HOG_WINDOW / smallest))

    def find_in_photo(self, picture: Picture) -> list[Face]:
        picture = np.ascontiguousarray(picture)
        return locate_all(picture, self._find_portrait(picture) or self._find_boxes(picture))

    def may_be_subject(self, faces: list[Face]) -> list[Face]:
        least = min(RIVAL_SCORE, max(face.score for face in faces) - RIVAL_GAP)
        return [face for face in faces if face.score >= least]

    def _find_portrait(self, picture: Picture) -> list[Found]:
        """Find the faces in an ordinary portrait, which most enrolment photos are.

        Returns:
            an empty list if the photo may be a tight crop, or if its faces are small.
        """
        faces = self._scan_coarsely(picture)
        return faces if PORTRAIT_SHARE <= largest_share(picture, faces) < TIGHT_SHARE else []

    def _find_boxes(self, picture: Picture) -> list[Found]:
        tight = self._find_tight(picture)
        if tight and tight.score >= CERTAIN_SCORE:
            return [tight]
        faces = self._scan_coarsely(picture)
        if largest_share(picture, faces) >= PORTRAIT_SHARE:
            return faces
        if tight:
            return [tight]
        fine = min(FINE_SCALE, MAX_FINE_SIDE / max(picture.shape[:2]))
        return faces if fine == _coarse_scale(picture) else self._scan(picture, fine)

    def _find_tight(self, picture: Picture) -> Found | None:
        """Return the picture's own rectangle if one face fills the picture, otherwise None."""
        height, width = picture.shape[:2]
        scale = TIGHT_SIDE / (max(height, width) * (1 + 2 * TIGHT_PADDING))
        small = resized(picture, scale)
        border = round(TIGHT_PADDING * max(small.shape[:2]))
        padded = _padded(small, border)
        found = hog.find(padded, TIGHT_THRESHOLD)
        if not found:
            return None
        best = max(found, key=lambda one: one.score)
        own = Box(0, 0, width, height)
        if best.box.mapped(1 / scale, -border).overlap(own) < TIGHT_OVERLAP:
            return None
        return Found(own, best.score)

    def _find_doubtful(self, picture: Picture) -> list[Found]:
        """Find the best large face in the middle, at a lower threshold."""
        faces = self._scan_coarsely(picture, DOUBTFUL_THRESHOLD)
        central = [one for one in faces if is_central(one.box, picture)]
        return central[:1] if largest_share(picture, central[:1]) >= PORTRAIT_SHARE else []

    def _scan_coarsely(self, picture: Picture, threshold: float = FRAME_THRESHOLD) -> list[Found]:
        return self._scan(picture, _coarse_scale(picture), threshold)

    def _scan(
        self, picture: Picture, scale: float, threshold: float = FRAME_THRESHOLD
    ) -> list[Found]:
        """Find faces in a scaled copy of the picture, highest score first."""
        found = hog.find(resized(picture, scale), threshold)
        return [Found(one.box.mapped(1 / scale), one.score) for one in found]


def _coarse_scale(picture: Picture) -> float:
    shorter, longer = sorted(picture.shape[:2])
    return min(max(1.0, FRAME_SIDE / int(shorter)), MAX_FINE_SIDE / int(longer))


def _padded(picture: Picture, border: int) -> Picture:
    """Repeat the outermost pixels around the picture."""
    sides = (border,) * 4
    return np.asarray(cv2.copyMakeBorder(picture, *sides, cv2.BORDER_REPLICATE), np.uint8)
