"""What is particular to dlib's CNN detector."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from susracker.benchmark.embedding import meant_face
from susracker.errors import FaceRefusedError
from susracker.faces import hog
from susracker.faces.boxes import Box
from susracker.faces.cnn_detector import CnnDetector
from susracker.faces.images import crop, decode, encode_jpeg, resized
from tests.pictures import COLLINS, HOPPER, portrait, shared

detector = CnnDetector()


def share_found(spoil, margin: float) -> float:
    """Share of LFW's faces that are found in crops of spoilt photos."""
    photos = sorted(shared("lfw-dev").glob("*/*.jpg"))[::60]
    found = []
    for photo in photos:
        picture = decode(photo.read_bytes())
        box = meant_face(detector.find(picture)).box
        cut = np.ascontiguousarray(crop(spoil(picture, box), box, margin))
        found.append(bool(detector.find(decode(encode_jpeg(cut)))))
    assert len(found) > 50
    return float(np.mean(found))


def dark(picture: np.ndarray, box: Box) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 2, picture.shape)
    return np.clip(picture * 0.1 + noise, 0, 255).astype(np.uint8)


def covered(picture: np.ndarray, box: Box) -> np.ndarray:
    changed = picture.copy()
    middle = round((box.top + box.bottom) / 2)
    changed[middle:, max(0, round(box.left)) : round(box.right)] = (60, 90, 150)
    return changed


def blurred(picture: np.ndarray, box: Box) -> np.ndarray:
    return cv2.GaussianBlur(picture, (0, 0), 4)


def turned(picture: np.ndarray, box: Box) -> np.ndarray:
    middle = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    turn = cv2.getRotationMatrix2D(middle, 35, 1)
    return cv2.warpAffine(picture, turn, picture.shape[1::-1], borderMode=cv2.BORDER_REFLECT)


@pytest.mark.parametrize("spoil", [dark, covered, turned])
def test_faces_that_are_dark_covered_or_turned_are_found(spoil):
    assert share_found(spoil, 0.2) >= 0.9


@pytest.mark.parametrize(("spoil", "least"), [(covered, 0.6), (blurred, 0.93)])
def test_most_faces_are_found_although_a_tight_crop_spoils_them_more(spoil, least):
    assert share_found(spoil, 0) >= least


def test_hog_does_not_run(monkeypatch):
    """HOG would hold Python's lock, and with it a server's answers, for milliseconds."""
    monkeypatch.setattr(hog, "find", None)
    picture = portrait(HOPPER)
    (face,) = detector.find(picture)
    assert detector.find(face.crop(0.2))
    assert detector.find(face.crop(0))
    assert detector.enrolment_face(picture).chip.any()
    assert detector.find(np.full((300, 400, 3), 90, np.uint8)) == []


@pytest.mark.parametrize("margin", [0, 0.2, 0.6])
def test_a_box_does_not_depend_on_how_the_picture_was_cut(margin):
    picture = resized(portrait(COLLINS), 1.5)
    box = detector.find(picture)[0].box
    (face,) = detector.find(crop(picture, box, margin))
    left, top = (max(0, round(edge - margin * box.width)) for edge in (box.left, box.top))
    here = Box(
        *(
            edge + shift
            for edge, shift in zip(
                (face.box.left, face.box.top, face.box.right, face.box.bottom),
                (left, top) * 2,
                strict=True,
            )
        )
    )
    assert here.overlap(box) > 0.9


@pytest.mark.parametrize("seen", [0.7, 1.1])
def test_the_face_in_the_middle_is_enrolled_beside_one_whose_head_is_cut_off(seen):
    picture = portrait(COLLINS)
    box = detector.find(picture)[0].box
    middle, seen = round((box.left + box.right) / 2), round(seen * box.width)
    picture = picture[: round(box.top + box.bottom)]  # the face is in the middle
    photo = np.ascontiguousarray(picture[:, : 2 * middle])
    photo[:, -seen - 20 :] = picture[:, round(box.left) - 20 : round(box.left) + seen]
    assert len(detector.find_in_photo(photo)) == 2
    assert detector.enrolment_face(photo).box.overlap(box) > 0.9


def test_two_whole_faces_of_a_size_are_refused_even_if_one_is_in_the_middle():
    picture = portrait(COLLINS)[:, 100:400]
    three = np.hstack([picture, picture, picture])
    with pytest.raises(FaceRefusedError, match="several faces"):
        detector.enrolment_face(three)
