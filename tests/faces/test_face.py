"""A face that was found aligns, crops and measures itself."""

from __future__ import annotations

import cv2
import dlib
import numpy as np
import pytest

from susracker.edge.cutter import FaceCutter
from susracker.errors import FaceRefusedError, PictureError
from susracker.faces import face as face_module
from susracker.faces.boxes import Box
from susracker.faces.face import Face, locate
from susracker.faces.hog_detector import HogDetector
from susracker.faces.images import crop, decode, encode_jpeg, resized
from susracker.faces.quality import measure
from susracker.faces.weights import LANDMARKS, weights_file
from susracker.plugins import open_detector, open_encoder
from tests.pictures import COLLINS, HOPPER, encoded, portrait, shared

detector = open_detector()
LANDMARK_MODEL = dlib.shape_predictor(str(weights_file(LANDMARKS)))


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
    align = face_module.chip_of

    def counted(*given):
        made.append(1)
        return align(*given)

    monkeypatch.setattr(face_module, "chip_of", counted)
    return made


def by_dlib(picture: np.ndarray, face: Face) -> tuple[np.ndarray, np.ndarray]:
    """The landmarks and the chip as dlib makes them."""
    left, top, right, bottom = map(
        round, (face.box.left, face.box.top, face.box.right, face.box.bottom)
    )
    shape = LANDMARK_MODEL(picture, dlib.rectangle(left, top, right - 1, bottom - 1))
    points = np.array([(one.x, one.y) for one in shape.parts()])
    return points, dlib.get_face_chip(picture, shape, 150, 0.25)


def test_landmarks_and_chip_are_dlibs_own():
    compared = 0
    for picture in [portrait(COLLINS), *real_photos()]:
        for face in HogDetector().find(picture):
            height, width = picture.shape[:2]
            reach = face.box.width / 2
            left, top = face.box.left - reach, face.box.top - reach
            right, bottom = face.box.right + reach, face.box.bottom + reach
            if min(left, top) < 0 or right > width or bottom > height or face.light.gain != 1:
                continue
            landmarks, chip = by_dlib(picture, face)
            assert np.array_equal(face.landmarks, landmarks)
            # dlib cuts fractions of a grey level off.
            assert np.abs(face.chip.astype(int) - chip).max() <= 1
            compared += 1
    assert compared > 10


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_a_large_face_is_nearly_what_dlib_makes_of_it(factor):
    """dlib halves a picture again and again; here it is reduced once."""
    picture = resized(portrait(HOPPER), factor)
    (face,) = HogDetector().find(picture)
    landmarks, chip = by_dlib(picture, face)
    assert np.abs(face.landmarks - landmarks).max() < 0.02 * face.box.width
    templates = open_encoder("dlib").encode(np.stack([face.chip, chip]))
    # Two photos of one person reach about 0.9, photos of two people 0.7 to 0.8.
    assert templates[0] @ templates[1] > 0.98


def test_a_dark_face_is_brightened():
    bright = hopper()
    dark = (portrait(HOPPER) * 0.1).astype(np.uint8)
    (face,) = detector.find(dark)
    assert face.light.gain > 3
    assert np.abs(face.landmarks - bright.landmarks).max() < 0.03 * bright.box.width
    assert face.chip.mean() > 3 * dark.mean()
    assert face.quality.brightness == pytest.approx(0.1 * bright.quality.brightness, rel=0.2)
    templates = open_encoder("dlib").encode(np.stack([face.chip, bright.chip]))
    assert templates[0] @ templates[1] > 0.95


def test_beyond_the_picture_its_outermost_pixels_go_on():
    picture = resized(portrait(HOPPER), 0.6)
    cut = np.ascontiguousarray(crop(picture, detector.find(picture)[0].box, 0))
    height, width = cut.shape[:2]
    face = locate(cut, Box(0, 0, width, height), 1.0)
    padded = cv2.copyMakeBorder(cut, *(200,) * 4, cv2.BORDER_REPLICATE)
    around = locate(padded, Box(200, 200, 200 + width, 200 + height), 1.0)
    assert np.array_equal(around.landmarks - 200, face.landmarks)
    assert np.abs(around.chip.astype(int) - face.chip).max() <= 1


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
