"""Finds the faces in a picture.

A picture may be a crop that an edge camera cut tight to its detector's box, a crop with a margin,
or a whole frame. The detector tries the tight crop first: cameras send mostly those, and the test,
on a copy of 150 pixels, takes 2 ms.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from susracker.errors import FaceRefusedError
from susracker.faces import hog
from susracker.faces.boxes import Box
from susracker.faces.face import Face, locate
from susracker.faces.hog import Found
from susracker.faces.images import MAX_PIXELS, decode
from susracker.faces.photos import decode_photo
from susracker.faces.quality import check_enrolable
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

MIDDLE = 0.15
"""How far the centre of such a face may be from the centre of the picture, as a share of the
picture's sides."""

CLEARLY_LARGER = 1.4
"""How many times wider than the next face the subject's face in an enrolment photo must be. It is
two of HOG's scale steps, of 1.2 each: a clipped box can be off by one step."""

MOST_FACES = 3
"""An enrolment photo with more faces is a group photo, even if one face is clearly the largest: who
is meant is for a person to say. Of LFW's development photos none has more."""

RIVAL_SCORE = 0.3
RIVAL_GAP = 1.0
"""A face is a bystander's if its HOG score is below `RIVAL_SCORE` and more than `RIVAL_GAP` below
the highest in the photo. Bystanders are turned away, blurred or cut off, or are the same face found
twice. The score alone is not enough: a subject who is turned away would be dropped, and their
neighbour enrolled. Of LFW's development photos, the score alone enrols 3,365, and 3 of the faces
are a neighbour's. With the gap, and `CLEARLY_LARGER`, it is 3,359 and none."""


class Detector:
    """dlib's HOG detector and 5-point landmarks. Safe to use from any thread.

    Every method that finds a face raises EncoderError if the landmark model is missing.
    """

    def find(self, picture: Picture) -> list[Face]:
        """Find all faces in a picture.

        Returns:
            the faces, largest first; an empty list if there are none.
        """
        picture = np.ascontiguousarray(picture)  # dlib accepts no views
        return _locate_all(picture, self._find_boxes(picture) or self._find_doubtful(picture))

    def find_in_bytes(self, data: bytes, max_pixels: int = MAX_PIXELS) -> list[Face]:
        """Find all faces in an encoded picture, as `find` does.

        Raises:
            PictureError: the picture cannot be read, or has more than `max_pixels` pixels.
        """
        return self.find(decode(data, max_pixels))

    def find_in_frame(self, picture: Picture, smallest: float) -> list[Face]:
        """Find the faces in a camera's frame.

        Args:
            smallest: width in pixels of the smallest faces to find. Half the width takes four
                times as long.

        Returns:
            the faces, largest first; an empty list if there are none.
        """
        picture = np.ascontiguousarray(picture)
        return _locate_all(picture, self._scan(picture, HOG_WINDOW / smallest))

    def enrolment_face(self, picture: Picture) -> Face:
        """Find the face of the subject of an enrolment photo.

        Raises:
            FaceRefusedError: there is no face, there are several of similar size or more than
                `MOST_FACES` of any size, or the face is too small or too blurred.
        """
        picture = np.ascontiguousarray(picture)
        faces = _locate_all(picture, self._find_portrait(picture) or self._find_boxes(picture))
        if not faces:
            raise FaceRefusedError("no face", "no face was found in the photo")
        if len(faces) > MOST_FACES:
            detail = f"{len(faces)} faces in the photo: cut it to the person's head and shoulders"
            raise FaceRefusedError("group photo", detail)
        sure = _without_bystanders(faces)
        if len(sure) > 1 and sure[0].box.width < CLEARLY_LARGER * sure[1].box.width:
            raise FaceRefusedError(
                "several faces", f"{len(sure)} faces in the photo, none clearly the largest"
            )
        check_enrolable(sure[0].quality)
        return sure[0]

    def enrolment_face_in_bytes(self, data: bytes, max_pixels: int = MAX_PIXELS) -> Face:
        """Find the face of the subject of an encoded enrolment photo, as `enrolment_face` does.

        More formats are read than of cameras' pictures: see `decode_photo`.

        Raises:
            PictureError: the picture cannot be read, or has more than `max_pixels` pixels.
            FaceRefusedError: as `enrolment_face` raises it.
        """
        return self.enrolment_face(decode_photo(data, max_pixels))

    def _find_portrait(self, picture: Picture) -> list[Found]:
        """Find the faces in an ordinary portrait, which most enrolment photos are.

        Returns:
            an empty list if the photo may be a tight crop, or if its faces are small.
        """
        faces = self._scan_coarsely(picture)
        return faces if PORTRAIT_SHARE <= _largest_share(picture, faces) < TIGHT_SHARE else []

    def _find_boxes(self, picture: Picture) -> list[Found]:
        tight = self._find_tight(picture)
        if tight and tight.score >= CERTAIN_SCORE:
            return [tight]
        faces = self._scan_coarsely(picture)
        if _largest_share(picture, faces) >= PORTRAIT_SHARE:
            return faces
        if tight:
            return [tight]
        fine = min(FINE_SCALE, MAX_FINE_SIDE / max(picture.shape[:2]))
        return faces if fine == _coarse_scale(picture) else self._scan(picture, fine)

    def _find_tight(self, picture: Picture) -> Found | None:
        """Return the picture's own rectangle if one face fills the picture, otherwise None."""
        height, width = picture.shape[:2]
        scale = TIGHT_SIDE / (max(height, width) * (1 + 2 * TIGHT_PADDING))
        small = _resized(picture, scale)
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
        central = [one for one in faces if _is_central(one.box, picture)]
        return central[:1] if _largest_share(picture, central[:1]) >= PORTRAIT_SHARE else []

    def _scan_coarsely(self, picture: Picture, threshold: float = FRAME_THRESHOLD) -> list[Found]:
        return self._scan(picture, _coarse_scale(picture), threshold)

    def _scan(
        self, picture: Picture, scale: float, threshold: float = FRAME_THRESHOLD
    ) -> list[Found]:
        """Find faces in a scaled copy of the picture, highest score first."""
        found = hog.find(_resized(picture, scale), threshold)
        return [Found(one.box.mapped(1 / scale), one.score) for one in found]


def _coarse_scale(picture: Picture) -> float:
    shorter, longer = sorted(picture.shape[:2])
    return min(max(1.0, FRAME_SIDE / int(shorter)), MAX_FINE_SIDE / int(longer))


def _largest_share(picture: Picture, found: list[Found]) -> float:
    """Return the width of the widest face, as a share of the picture's shorter side."""
    height, width = picture.shape[:2]
    share: float = max((one.box.width for one in found), default=0.0) / min(height, width)
    return share


def _is_central(box: Box, picture: Picture) -> bool:
    height, width = picture.shape[:2]
    aside, above = (box.left + box.right - width) / 2, (box.top + box.bottom - height) / 2
    return bool(abs(aside) <= MIDDLE * width and abs(above) <= MIDDLE * height)


def _without_bystanders(faces: list[Face]) -> list[Face]:
    """Keep the faces that may be the subject's, in the same order."""
    least = min(RIVAL_SCORE, max(face.score for face in faces) - RIVAL_GAP)
    return [face for face in faces if face.score >= least]


def _locate_all(picture: Picture, found: list[Found]) -> list[Face]:
    """Return the faces in these boxes, largest first."""
    ordered = sorted(found, key=lambda one: -one.box.width)
    return [locate(picture, one.box, one.score) for one in ordered]


def _padded(picture: Picture, border: int) -> Picture:
    """Repeat the outermost pixels around the picture."""
    sides = (border,) * 4
    return np.asarray(cv2.copyMakeBorder(picture, *sides, cv2.BORDER_REPLICATE), np.uint8)


def _resized(picture: Picture, scale: float) -> Picture:
    if scale == 1:
        return picture
    height, width = picture.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    # Averaging areas avoids moiré, which HOG would take for edges.
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized: Any = cv2.resize(picture, size, interpolation=how)
    return np.asarray(resized, np.uint8)
