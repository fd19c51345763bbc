"""Finds the faces of a picture, and aligns them.

A picture may be a crop that an edge camera cut tight to its detector's box, a crop with a margin,
or a whole frame. The tight crop is looked for first, because it is most of what cameras send, and
finding it on a copy of 150 pixels takes 2 ms.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import cv2
import dlib
import numpy as np

from susracker.errors import FaceRefusedError
from susracker.faces.boxes import Box
from susracker.faces.face import Face, locate
from susracker.faces.images import MAX_PIXELS, decode
from susracker.faces.quality import check_enrolable
from susracker.models import Picture

TIGHT_PADDING = 0.25
"""Border put around a picture to see whether it is a tight crop, as a share of its size: HOG looks
at more than its box."""

TIGHT_SIDE = 150
"""Side of that padded picture. A face that fills the crop is then 100 pixels wide, and one with a
margin is found in HOG's next smaller window, of 80, which tells the two apart. Of LFW's crops with
a fifth of margin 0.8% are taken for tight ones; with a padding of 0.4, which takes twice the time,
it was 8.6%."""

TIGHT_THRESHOLD = -0.9
"""HOG score, on that padded picture, above which it is a tight crop. It finds 99.9% of LFW's tight
crops, and fires on none of 645 patches of background; those it has in common with `TIGHT_OVERLAP`,
without which it would fire on one in 160."""

CERTAIN_SCORE = 0.2
"""HOG score above which a tight crop is not looked at again as a frame: nineteen in twenty."""

TIGHT_OVERLAP = 0.65
"""Overlap of HOG's box with the whole picture from which on the crop is tight; crops of LFW's faces
have 0.69 and more, with a fifth of margin they have 0.54. Aligning a tight crop from its own
rectangle is more accurate than from the box that HOG finds there."""

HOG_WINDOW = 80
"""Width of the smallest face that dlib's detector finds, in pixels."""

FRAME_THRESHOLD = 0.0
"""dlib's usual threshold."""

FRAME_SIDE = 250
"""Pictures whose shorter side is smaller are enlarged to it, to find faces of a third of it."""

PORTRAIT_SHARE = 0.3
"""A picture that has a face at least this share of its shorter side is a crop, or a portrait;
one that has none is looked at again, for smaller faces."""

TIGHT_SHARE = 0.6
"""A face wider than this share of its picture may be a tight crop."""

FINE_SCALE, MAX_FINE_SIDE = 2.0, 1920
"""How much it is enlarged for that, which finds faces of 40 pixels, and how large it may become."""

DOUBTFUL_THRESHOLD = -0.6
"""HOG score above which a picture in which nothing is found at all may yet be a crop, of a face in
its middle. On LFW's development photos it finds 14 of the 16 faces that are lost otherwise; it
fires on 0.3% of background."""

MIDDLE = 0.15
"""How far the middle of such a face may be from the picture's, as a share of its sides."""

CLEARLY_LARGER = 1.4
"""How many times wider than the next face is that of the person meant in an enrolment photo: two
steps of HOG's scales, of 1.2 each, as one step is within what a clipped box is off."""

RIVAL_SCORE = 0.3
RIVAL_GAP = 1.0
"""A face whose HOG score is below the first, and by more than the second below the surest face of
the photo, is not who the photo is of: a bystander who is turned away, blurred or cut off, or the
same face twice. By the score alone, the person meant is dropped where he himself is turned away,
and his neighbour enrolled: on LFW's development photos 3,365 are enrolled then, 3 of them wrong by
a neighbour; with the gap (and 1.4 above) it is 3,359, and none."""


@dataclass(frozen=True, slots=True)
class Found:
    """A box that HOG found, and its score."""

    box: Box
    score: float


class Detector:
    """dlib's HOG detector and 5-point landmarks. Safe to use from any thread.

    Raises, when first used:
        EncoderError: the landmark model is missing.
    """

    def __init__(self) -> None:
        self._local = threading.local()

    def find(self, picture: Picture) -> list[Face]:
        """All faces of a picture, largest first; none where there is none."""
        picture = np.ascontiguousarray(picture)  # dlib takes no views
        return _locate_all(picture, self._find_boxes(picture) or self._find_doubtful(picture))

    def find_in_bytes(self, data: bytes, max_pixels: int = MAX_PIXELS) -> list[Face]:
        """Find all faces of an encoded picture, as `find` does.

        Raises:
            PictureError: the picture cannot be read, or has more than `max_pixels`.
        """
        return self.find(decode(data, max_pixels))

    def find_in_frame(self, picture: Picture, smallest: float) -> list[Face]:
        """The faces of a camera's frame, largest first.

        Args:
            smallest: width of the smallest faces that are found, in pixels; time grows with the
                square of what it is smaller.
        """
        picture = np.ascontiguousarray(picture)
        return _locate_all(picture, self._scan(picture, HOG_WINDOW / smallest))

    def enrolment_face(self, picture: Picture) -> Face:
        """The one face that an enrolment photo is of.

        Raises:
            FaceRefusedError: no face, several of like size, or one too small or too blurred.
        """
        picture = np.ascontiguousarray(picture)
        faces = _locate_all(picture, self._find_portrait(picture) or self._find_boxes(picture))
        if not faces:
            raise FaceRefusedError("no face", "none was found in the photo")
        sure = _without_bystanders(faces)
        if len(sure) > 1 and sure[0].box.width < CLEARLY_LARGER * sure[1].box.width:
            raise FaceRefusedError(
                "several faces", f"{len(sure)} in the photo, none clearly the largest"
            )
        check_enrolable(sure[0].quality)
        return sure[0]

    def enrolment_face_in_bytes(self, data: bytes, max_pixels: int = MAX_PIXELS) -> Face:
        """Find the one face of an encoded enrolment photo, as `enrolment_face` does.

        Raises:
            PictureError: the picture cannot be read, or has more than `max_pixels`.
            FaceRefusedError: no face, several of like size, or one too small or too blurred.
        """
        return self.enrolment_face(decode(data, max_pixels))

    def _find_portrait(self, picture: Picture) -> list[Found]:
        """The faces of a photo that is no tight crop, as enrolment photos seldom are; none where
        it may be one, or where its faces are small."""
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
        return self._scan(picture, min(FINE_SCALE, MAX_FINE_SIDE / max(picture.shape[:2])))

    def _find_tight(self, picture: Picture) -> Found | None:
        """The face that fills the picture, if there is one, in the picture's own rectangle."""
        height, width = picture.shape[:2]
        scale = TIGHT_SIDE / (max(height, width) * (1 + 2 * TIGHT_PADDING))
        small = _resized(picture, scale)
        border = round(TIGHT_PADDING * max(small.shape[:2]))
        padded = _padded(small, border)
        found = self._hog(padded, TIGHT_THRESHOLD)
        if not found:
            return None
        best = max(found, key=lambda one: one.score)
        own = Box(0, 0, width, height)
        if best.box.mapped(1 / scale, -border).overlap(own) < TIGHT_OVERLAP:
            return None
        return Found(own, best.score)

    def _find_doubtful(self, picture: Picture) -> list[Found]:
        """The best of the large faces in the middle, if there is any."""
        faces = self._scan_coarsely(picture, DOUBTFUL_THRESHOLD)
        central = [one for one in faces if _is_central(one.box, picture)]
        return central[:1] if _largest_share(picture, central[:1]) >= PORTRAIT_SHARE else []

    def _scan_coarsely(self, picture: Picture, threshold: float = FRAME_THRESHOLD) -> list[Found]:
        shorter, longer = sorted(picture.shape[:2])
        scale = min(max(1.0, FRAME_SIDE / shorter), MAX_FINE_SIDE / longer)
        return self._scan(picture, scale, threshold)

    def _scan(
        self, picture: Picture, scale: float, threshold: float = FRAME_THRESHOLD
    ) -> list[Found]:
        """Surest first."""
        found = self._hog(_resized(picture, scale), threshold)
        return [Found(one.box.mapped(1 / scale), one.score) for one in found]

    def _hog(self, picture: Picture, threshold: float) -> list[Found]:
        if not hasattr(self._local, "hog"):
            # Not safe to share: two threads in one detector crash the process.
            self._local.hog = dlib.get_frontal_face_detector()
        boxes, scores, _ = self._local.hog.run(picture, 0, threshold)
        return [
            Found(Box(box.left(), box.top(), box.right() + 1, box.bottom() + 1), score)
            for box, score in zip(boxes, scores, strict=True)
        ]


def _largest_share(picture: Picture, found: list[Found]) -> float:
    """Width of the largest face, as a share of the picture's shorter side."""
    height, width = picture.shape[:2]
    share: float = max((one.box.width for one in found), default=0.0) / min(height, width)
    return share


def _is_central(box: Box, picture: Picture) -> bool:
    height, width = picture.shape[:2]
    aside, above = (box.left + box.right - width) / 2, (box.top + box.bottom - height) / 2
    return bool(abs(aside) <= MIDDLE * width and abs(above) <= MIDDLE * height)


def _without_bystanders(faces: list[Face]) -> list[Face]:
    """The faces that the photo may be of, in the same order: all but the much less sure ones."""
    least = min(RIVAL_SCORE, max(face.score for face in faces) - RIVAL_GAP)
    return [face for face in faces if face.score >= least]


def _locate_all(picture: Picture, found: list[Found]) -> list[Face]:
    """Largest first."""
    ordered = sorted(found, key=lambda one: -one.box.width)
    return [locate(picture, one.box, one.score) for one in ordered]


def _padded(picture: Picture, border: int) -> Picture:
    """With the last rows repeated around it."""
    sides = (border,) * 4
    return np.asarray(cv2.copyMakeBorder(picture, *sides, cv2.BORDER_REPLICATE), np.uint8)


def _resized(picture: Picture, scale: float) -> Picture:
    if scale == 1:
        return picture
    height, width = picture.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    # Averaging areas keeps what is reduced free of moiré, which HOG would take for edges.
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized: Any = cv2.resize(picture, size, interpolation=how)
    return np.asarray(resized, np.uint8)
