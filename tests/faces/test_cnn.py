"""dlib's CNN detector on ONNX Runtime, against dlib's own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import dlib
import numpy as np
import pytest

from susracker.errors import EncoderError
from susracker.faces import built, cnn, dlib_cnn
from susracker.faces.cnn import Cnn, faces_of
from susracker.faces.images import decode, resized
from susracker.faces.weights import DETECTION, weights_file
from tests.pictures import COLLINS, HOPPER, portrait, shared

network = Cnn()


def windows_of(found: Cnn, scale: float = 80 / 187) -> np.ndarray:
    return found.windows(portrait(HOPPER), scale, 0.0)


def test_the_exact_network_scores_as_dlibs_own():
    session = built.open_session(dlib_cnn.build(weights_file(DETECTION)).SerializeToString())
    theirs = dlib.cnn_face_detection_model_v1(str(weights_file(DETECTION)))
    for path, scale in ((HOPPER, 80 / 187), (COLLINS, 76 / 89)):
        # dlib goes on with smaller copies; a face of 80 pixels scores most in this one.
        small = resized(portrait(path), scale)
        sides = (cnn.DLIB_BORDER + 100,) * 4
        around = (100,) * 4
        seen = cv2.copyMakeBorder(small, *around, cv2.BORDER_CONSTANT, value=cnn.MEAN)
        framed = cv2.copyMakeBorder(small, *sides, cv2.BORDER_CONSTANT, value=cnn.MEAN)
        ours = session.run(None, {"pixels": framed[None]})[0][0, 0]
        confidences = [one.confidence for one in theirs(seen, 0)]
        assert ours.max() == pytest.approx(max(confidences), abs=cnn.MAX_DIFFERENCE)


def test_a_face_is_found_where_dlib_finds_it():
    picture = portrait(HOPPER)[50:450, 50:450]
    theirs = dlib.cnn_face_detection_model_v1(str(weights_file(DETECTION)))(
        resized(picture, 0.5), 0
    )
    (one,) = theirs
    windows = np.concatenate(network.windows_of_copies(picture, (0.6, 0.43, 0.3), 0.0))
    (found,) = faces_of(windows)
    rect = one.rect
    middle = (rect.left() + rect.right()) / 2, (rect.top() + rect.bottom()) / 2
    width = found.box.width
    assert (found.box.left + found.box.right) / 2 == pytest.approx(2 * middle[0], abs=0.12 * width)
    assert (found.box.top + found.box.bottom) / 2 == pytest.approx(2 * middle[1], abs=0.12 * width)
    assert width == pytest.approx(2 * rect.width(), rel=0.2)


def test_8_bits_find_what_the_exact_network_finds():
    exact = built.open_session(dlib_cnn.build(weights_file(DETECTION)).SerializeToString())
    differences = []
    for photo in sorted(shared("lfw-dev").glob("*/*.jpg"))[::170]:
        framed = cnn.framed(resized(decode(photo.read_bytes()), 0.7))
        ours, theirs = network.scores(framed), exact.run(None, {"pixels": framed[None]})[0][0, 0]
        assert (ours.max() > 0.5) == (theirs.max() > 0.5)
        differences.append(ours.max() - theirs.max())
    assert len(differences) > 20
    assert np.abs(differences).max() < cnn.MAX_INT8_DIFFERENCE


def test_the_network_is_built_once_and_kept(tmp_path, monkeypatch):
    first = windows_of(Cnn(cache=tmp_path))
    (file,) = tmp_path.iterdir()
    assert "int8" in file.name
    monkeypatch.setattr(dlib_cnn, "build", None)
    assert np.array_equal(windows_of(Cnn(cache=tmp_path)), first)
    assert list(tmp_path.iterdir()) == [file]


def test_where_8_bits_are_inexact_the_exact_network_is_used_and_that_is_said(
    tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(cnn, "MAX_INT8_DIFFERENCE", 1e-7)
    assert len(windows_of(Cnn(cache=tmp_path)))
    assert "using the exact detector, at half the speed" in caplog.text
    (file,) = tmp_path.iterdir()
    assert "fp32" in file.name


def test_a_network_that_differs_from_dlibs_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr(dlib_cnn, "SCALE", 1 / 250)
    with pytest.raises(EncoderError, match="use --detector hog"):
        windows_of(Cnn(cache=tmp_path))
    assert not list(tmp_path.iterdir())


def test_a_kept_network_that_is_damaged_is_built_again(tmp_path):
    first = windows_of(Cnn(cache=tmp_path))
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:1000])
    assert np.array_equal(windows_of(Cnn(cache=tmp_path)), first)


@pytest.mark.parametrize("damage", ["cut", "longer", "text", "missing", "layer", "size"])
def test_weights_that_are_wrong_are_named(tmp_path, damage):
    data = weights_file(DETECTION).read_bytes()
    wrong = {
        "cut": data[: len(data) // 2],
        "longer": data + b"\x00",
        "text": b"no weights at all",
        "layer": data.replace(b"bn_con2", b"bn_fc_2", 1),
        "size": data.replace(b"\x01\x50\x01\x50", b"\x01\x50\x01\x51", 1),
    }
    file = tmp_path / "weights.dat"
    if damage in wrong:
        assert wrong[damage] != data
        file.write_bytes(wrong[damage])
    with pytest.raises(EncoderError, match=r"weights\.dat"):
        windows_of(Cnn(cache=tmp_path / "cache", weights=file))
    assert not (tmp_path / "cache").exists()


def test_threads_share_one_network(tmp_path):
    shared_one, expected = Cnn(cache=tmp_path), windows_of(network)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(windows_of, [shared_one] * 8))
    for one in found:
        assert np.array_equal(one, expected)


def test_windows_of_two_faces_are_told_apart():
    windows = np.array(
        [[50, 50, 80, 1.0], [54, 50, 80, 0.9], [50, 50, 110, 0.9], [200, 60, 80, 1.1]], float
    )
    right, left = faces_of(windows)
    assert (right.score, left.score) == (1.1, 1.0)
    assert 50 < (left.box.left + left.box.right) / 2 < 54
    assert 80 < left.box.width * 0.97 < 110


def test_nothing_is_found_where_there_are_no_windows():
    assert faces_of(np.empty((0, 4))) == []
