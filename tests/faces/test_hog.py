"""dlib's HOG detectors: quickly made, and never two threads in one."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import dlib
import pytest

from susracker.faces import hog
from susracker.faces.hog_detector import HogDetector
from tests.pictures import COLLINS, HOPPER, portrait


def found(detector, path) -> list[tuple]:
    boxes, scores, _ = detector.run(portrait(path), 1, -1)
    return [(str(box), score) for box, score in zip(boxes, scores, strict=True)]


def test_the_kept_detector_is_dlibs_own(tmp_path):
    file = tmp_path / "cache" / "detector.svm"
    hog.load(file)
    kept, own = hog.load(file), dlib.get_frontal_face_detector()
    for path in (HOPPER, COLLINS):
        assert found(kept, path) == found(own, path) != []


def test_a_detector_is_made_once_and_kept(tmp_path, monkeypatch):
    hog.load(tmp_path / "detector.svm")
    monkeypatch.setattr(hog.dlib, "get_frontal_face_detector", None)
    hog.load(tmp_path / "detector.svm")
    assert [file.name for file in tmp_path.iterdir()] == ["detector.svm"]


@pytest.mark.parametrize("damage", [b"", b"no detector", None])
def test_a_damaged_file_is_made_again_and_that_is_said(tmp_path, caplog, damage):
    file = tmp_path / "detector.svm"
    hog.load(file)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    assert found(hog.load(file), HOPPER)
    assert file.read_bytes() == whole
    assert "making it again" in caplog.text


def test_without_a_folder_to_write_to_faces_are_found_all_the_same(tmp_path, caplog):
    (tmp_path / "file").touch()
    assert found(hog.load(tmp_path / "file" / "detector.svm"), HOPPER)
    assert "cannot be written" in caplog.text


def test_threads_that_take_turns_share_one_detector(monkeypatch):
    made = []
    load = hog.load

    monkeypatch.setattr(hog, "_idle", deque())
    monkeypatch.setattr(hog, "load", lambda file: made.append(load(file)) or made[-1])
    for _ in range(3):
        with ThreadPoolExecutor(1) as pool:
            assert len(pool.submit(HogDetector().find, portrait(HOPPER)).result()) == 1
    assert len(made) == 1


def test_threads_at_once_each_have_a_detector(monkeypatch):
    """dlib crashes where two threads use the same one."""
    together, used = Barrier(3, timeout=60), []

    class Hog:
        def run(self, *_):
            used.append(self)
            together.wait()
            return [], [], []

    monkeypatch.setattr(hog, "_idle", deque())
    monkeypatch.setattr(hog, "load", lambda file: Hog())
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(hog.find, [portrait(HOPPER)] * 3, [0.0] * 3))
    assert len(set(used)) == len(used) == 3
