"""Finds the faces in a picture.

A picture may be a crop that an edge camera cut tight to its detector's box, a crop with a margin,
or a whole frame.

To add a detector, register a class under the entry-point group `susracker.detectors`. The class
takes no arguments and implements `Detector`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from susracker.errors import FaceRefusedError
from susracker.faces.boxes import Box, Found
from susracker.faces.face import Face, locate
from susracker.faces.images import MAX_PIXELS, decode
from susracker.faces.photos import decode_photo
from susracker.faces.quality import check_enrolable
from susracker.models import Picture

CLEARLY_LARGER = 1.4
"""How many times wider than the next face the subject's face in an enrolment photo must be. It is
two of HOG's scale steps, of 1.2 each: a clipped box can be off by one step."""

MOST_FACES = 3
"""An enrolment photo with more faces is a group photo, even if one face is clearly the largest: who
is meant is for a person to say. Of LFW's development photos none has more."""


MIDDLE = 0.15
"""How far the centre of a central face may be from the centre of the picture, as a share of the
picture's sides."""


class Detector(ABC):
    """What finds faces. Safe to use from any thread.

    Every method that finds a face raises EncoderError if a model is missing or wrong. Boxes are as
    dlib's HOG detector draws them, from the brows to the chin, for landmarks are found from them.
    """

    @abstractmethod
    def find(self, picture: Picture) -> list[Face]:
        """Find all faces in a picture.

        Returns:
            the faces, largest first; an empty list if there are none.
        """

    @abstractmethod
    def find_in_frame(self, picture: Picture, smallest: float) -> list[Face]:
        """Find the faces in a camera's frame.

        Args:
            smallest: width in pixels of the smallest faces to find. Half the width takes four
                times as long.

        Returns:
            the faces, largest first; an empty list if there are none.
        """

    @abstractmethod
    def find_in_photo(self, picture: Picture) -> list[Face]:
        """Find the faces in an enrolment photo, where a wrong face is worse than none.

        Returns:
            the faces, largest first; an empty list if there are none.
        """

    @abstractmethod
    def may_be_subject(self, faces: list[Face]) -> list[Face]:
        """Leave out the bystanders of an enrolment photo.

        Args:
            faces: at least one, largest first.

        Returns:
            at least one of them, in the same order.
        """

    def find_in_bytes(self, data: bytes, max_pixels: int = MAX_PIXELS) -> list[Face]:
        """Find all faces in an encoded picture, as `find` does.

        Raises:
            PictureError: the picture cannot be read, or has more than `max_pixels` pixels.
        """
        return self.find(decode(data, max_pixels))

    def enrolment_face(self, picture: Picture) -> Face:
        """Find the face of the subject of an enrolment photo.

        Raises:
            FaceRefusedError: there is no face, there are several of similar size or more than
                `MOST_FACES` of any size, or the face is too small or too blurred.
        """
        faces = self.find_in_photo(picture)
        if not faces:
            raise FaceRefusedError("no face", "no face was found in the photo")
        if len(faces) > MOST_FACES:
            detail = f"{len(faces)} faces in the photo: cut it to the person's head and shoulders"
            raise FaceRefusedError("group photo", detail)
        sure = self.may_be_subject(faces)
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


def locate_all(picture: Picture, found: list[Found]) -> list[Face]:
    """Return the faces in these boxes, largest first."""
    ordered = sorted(found, key=lambda one: -one.box.width)
    return [locate(picture, one.box, one.score) for one in ordered]


def largest_share(picture: Picture, found: list[Found]) -> float:
    """Return the width of the widest face, as a share of the picture's shorter side."""
    height, width = picture.shape[:2]
    share: float = max((one.box.width for one in found), default=0.0) / min(height, width)
    return share


def is_central(box: Box, picture: Picture) -> bool:
    """Whether a box lies in the middle of a picture."""
    height, width = picture.shape[:2]
    aside, above = (box.left + box.right - width) / 2, (box.top + box.bottom - height) / 2
    return bool(abs(aside) <= MIDDLE * width and abs(above) <= MIDDLE * height)
