"""What is particular to dlib's HOG detector."""

from __future__ import annotations

import pytest

from susracker.errors import FaceRefusedError
from susracker.faces.boxes import Box
from susracker.faces.hog_detector import HogDetector
from susracker.faces.images import crop, decode
from tests.contracts.test_detector import scaled
from tests.pictures import HOPPER, portrait, shared

detector = HogDetector()


@pytest.mark.parametrize("factor", [0.4, 1.0, 2.5])
def test_a_tight_crop_is_aligned_from_its_own_rectangle(factor):
    picture = portrait(HOPPER)
    tight = scaled(crop(picture, detector.find(picture)[0].box, 0), factor)
    (face,) = detector.find(tight)
    assert (face.box.left, face.box.top) == (0, 0)
    assert (face.box.right, face.box.bottom) == (tight.shape[1], tight.shape[0])


@pytest.mark.parametrize(
    "name", ["Chung_Mong-hun/1", "Colin_Montgomerie/4", "Jane_Fonda/2", "John_Thune/1"]
)
def test_a_face_in_the_middle_is_found_where_hog_is_in_doubt(name):
    person, number = name.split("/")
    photo = shared("lfw-dev") / person / f"{person}_{int(number):04}.jpg"
    picture = decode(photo.read_bytes())
    (face,) = detector.find(picture)
    assert face.quality.detector_score < 0
    assert face.box.overlap(Box(72, 72, 178, 178)) > 0.4
    with pytest.raises(FaceRefusedError, match="no face"):
        detector.enrolment_face(picture)
