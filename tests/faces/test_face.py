"""A face that was found aligns, crops and measures itself."""

from __future__ import annotations

import dlib
import numpy as np
import pytest

from susracker.edge.cutter import FaceCutter
from susracker.errors import FaceRefusedError, PictureError
from susracker.faces import face as face_module
from susracker.faces.detector import Detector
from susracker.faces.face import Face
from susracker.faces.images import crop, decode, encode_jpeg
from susracker.faces.quality import measure
from susracker.faces.weights import LANDMARKS, weights_file
from tests.pictures import COLLINS, HOPPER, encoded, portrait, shared

detector = Detector()


def real_photos() -> list[np.ndarray]:
    """Twenty of LFW's photos."""
    photos = sorted(shared("lfw-dev").glob("*/*.jpg"))[::170]
    return [decode(photo.read_bytes()) for photo in photos]


def hopper() -> Face:
    return detector.find(portrait(HOPPER))[0]


@pytest.fixture
def alignments(monkeypatch) -> list[int]:
    """One entry for each chip that is made."""
    made: list[int] = []
    align = dlib.get_face_chip

    def counted(*given):
        made.append(1)
        return align(*given)

    monkeypatch.setattr(face_module.dlib, "get_face_chip", counted)
    return made


def test_the_chip_is_dlibs_own():
    predictor, compared = dlib.shape_predictor(str(weights_file(LANDMARKS))), 0
    for picture in [portrait(HOPPER), portrait(COLLINS), *real_photos()]:
        for face in detector.find(picture):
            left, top, right, bottom = map(
                round, (face.box.left, face.box.top, face.box.right, face.box.bottom)
            )
            shape = predictor(picture, dlib.rectangle(left, top, right - 1, bottom - 1))
            assert np.array_equal(face.landmarks, [(one.x, one.y) for one in shape.parts()])
            assert np.array_equal(face.chip, dlib.get_face_chip(picture, shape, 150, 0.25))
            compared += 1
    assert compared > 20


def test_the_chip_is_made_once_and_only_when_it_is_asked_for(alignments):
    face = hopper()
    face.crop(0.2)
    face.jpeg(0.2)
    assert alignments == []
    assert face.chip is face.chip
    assert face.quality is face.quality
    assert alignments == [1]


def test_a_camera_that_cuts_faces_out_aligns_none(alignments):
    assert FaceCutter().cut(portrait(HOPPER))
    assert alignments == []


def test_enrolment_aligns_the_one_face_it_takes(alignments):
    frame = np.zeros((700, 1100, 3), np.uint8)
    frame[:600, :512] = portrait(HOPPER)
    frame[:512, 560:1072] = portrait(COLLINS)
    assert len(detector.find(frame)) > 1
    assert detector.enrolment_face(frame).chip.any()
    assert alignments == [1]


def test_a_view_of_a_picture_gives_the_same_chip_as_a_copy():
    mirrored = portrait(HOPPER)[:, ::-1]
    (view,), (copy,) = detector.find(mirrored), detector.find(mirrored.copy())
    assert np.array_equal(view.chip, copy.chip)


@pytest.mark.parametrize("margin", [0, 0.2, 5])
def test_a_face_is_cut_out_with_its_margin(margin):
    picture, face = portrait(HOPPER), hopper()
    expected = crop(picture, face.box, margin)
    assert np.array_equal(face.crop(margin), expected)
    assert face.jpeg(margin) == encode_jpeg(expected)


def test_the_quality_is_that_of_the_landmarks_and_the_chip():
    face = hopper()
    assert face.quality == measure(face.landmarks, face.chip, face.score)


def test_nothing_of_dlib_leaves_this_room():
    face = hopper()
    assert face.chip.any()
    homes = {type(value).__module__ for value in vars(face).values()}
    assert not [home for home in homes if "dlib" in home]


def test_an_encoded_picture_has_the_faces_of_the_decoded_one():
    data = encoded(portrait(HOPPER))
    (direct,), (decoded,) = detector.find_in_bytes(data), detector.find(decode(data))
    assert direct.box == decoded.box
    assert np.array_equal(direct.chip, decoded.chip)
    assert direct.jpeg(0.2) == decoded.jpeg(0.2)
    enrolled = detector.enrolment_face_in_bytes(data)
    assert np.array_equal(enrolled.chip, detector.enrolment_face(decode(data)).chip)


@pytest.mark.parametrize("find", [detector.find_in_bytes, detector.enrolment_face_in_bytes])
def test_an_encoded_picture_is_refused_as_decoding_refuses_it(find):
    data = encoded(portrait(HOPPER))
    find(data, max_pixels=512 * 600)
    with pytest.raises(PictureError, match="at most 307,199"):
        find(data, max_pixels=512 * 600 - 1)
    with pytest.raises(PictureError, match="not a JPEG"):
        find(b"no picture at all")


def test_an_encoded_picture_without_a_face_is_not_enrolled():
    blank = encoded(np.full((300, 300, 3), 200, np.uint8))
    assert detector.find_in_bytes(blank) == []
    with pytest.raises(FaceRefusedError) as caught:
        detector.enrolment_face_in_bytes(blank)
    assert caught.value.reason == "no face"
