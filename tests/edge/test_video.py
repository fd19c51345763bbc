"""Frames are sampled as requested; a file that is not a video is an error."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from susracker.edge.cutter import FaceCutter
from susracker.edge.video import Sampling, frame_count, frames, is_live
from susracker.errors import InputError
from susracker.faces.images import decode
from tests.pictures import HOPPER, portrait


def write_video(path, pictures, fps: float = 10):
    height, width = pictures[0].shape[:2]
    out = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), fps, (width, height))
    for picture in pictures:
        out.write(np.ascontiguousarray(picture[:, :, ::-1]))
    out.release()
    return str(path)


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """30 frames in 3 seconds, each brighter than the one before."""
    pictures = [np.full((64, 96, 3), 8 * number, np.uint8) for number in range(30)]
    return write_video(tmp_path_factory.mktemp("video") / "grey.mp4", pictures)


def test_every_nth_frame(video):
    found = list(frames(video, Sampling(every=7)))
    assert [frame.number for frame in found] == [0, 7, 14, 21, 28]
    assert [frame.seconds for frame in found] == pytest.approx([0, 0.7, 1.4, 2.1, 2.8])
    assert [frame.picture.mean() for frame in found] == pytest.approx(
        [8 * frame.number for frame in found], abs=4
    )


@pytest.mark.parametrize(("fps", "count"), [(1, 3), (5, 15), (10, 30), (60, 30), (3, 9)])
def test_so_many_frames_a_second(video, fps, count):
    assert len(list(frames(video, Sampling(fps=fps)))) == count


def test_colours_are_red_green_blue(tmp_path):
    red = np.zeros((64, 64, 3), np.uint8)
    red[:, :, 0] = 200
    (frame,) = frames(write_video(tmp_path / "red.mp4", [red]), Sampling(every=1))
    assert frame.picture[32, 32, 0] > 150 > 50 > frame.picture[32, 32, 2]


def test_a_video_says_how_long_it_is(video):
    assert frame_count(video) == 30


def test_what_is_no_video_is_an_error_that_names_it(tmp_path, capfd):
    text = tmp_path / "notes.mp4"
    text.write_text("not a video")
    with pytest.raises(InputError, match=r"notes\.mp4 cannot be opened as a video"):
        next(frames(str(text), Sampling()))
    with pytest.raises(InputError, match="there is no file"):
        next(frames(str(tmp_path / "missing.mp4"), Sampling()))
    assert capfd.readouterr() == ("", "")


def test_a_stream_that_is_not_there_is_an_error():
    with pytest.raises(InputError, match="cannot be opened"):
        next(frames("http://127.0.0.1:1/stream", Sampling()))


def test_streams_and_devices_are_live():
    assert is_live("0")
    assert is_live("rtsp://10.0.0.7/main")
    assert not is_live("clip.mp4")


def test_faces_are_cut_out_of_frames():
    face = cv2.resize(portrait(HOPPER), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    frame = np.full((400, 600, 3), 60, np.uint8)
    frame[50 : 50 + face.shape[0], 200 : 200 + face.shape[1]] = face
    tight, wide = (FaceCutter(margin).cut(frame) for margin in (0, 0.2))
    assert len(tight) == len(wide) == 1
    ratio = decode(wide[0]).shape[0] / decode(tight[0]).shape[0]
    assert ratio == pytest.approx(1.4, abs=0.02)
    assert FaceCutter().cut(np.full((200, 300, 3), 60, np.uint8)) == []


def test_smaller_faces_are_found_where_they_are_asked_for():
    face = portrait(HOPPER)
    frame = np.full((360, 640, 3), 60, np.uint8)
    small = cv2.resize(face, None, fx=0.16, fy=0.16, interpolation=cv2.INTER_AREA)
    frame[100 : 100 + small.shape[0], 200 : 200 + small.shape[1]] = small
    assert FaceCutter(smallest=80).cut(frame) == []
    assert len(FaceCutter(smallest=20).cut(frame)) == 1
