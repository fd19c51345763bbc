"""Reads frames from a video file, a stream or a device with OpenCV."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from susracker.errors import InputError
from susracker.models import Picture
from susracker.passwords import without_password

USUAL_FPS = 25.0
"""Frames per second of a video file that does not state its own."""

# OpenCV and FFmpeg would print the same errors that this module raises.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame of a video.

    Attributes:
        number: its place in the video, from 0; skipped frames count, too.
        seconds: time since the video's beginning, or since a stream was opened.
    """

    number: int
    seconds: float
    picture: Picture


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which frames to use.

    Attributes:
        fps: how many frames a second.
        every: use every n-th frame and ignore `fps`.
    """

    fps: float = 5.0
    every: int | None = None

    def takes(self, number: int, native_fps: float) -> bool:
        """Return whether to use this frame of a video file.

        Args:
            native_fps: how many frames a second the file has.
        """
        if self.every:
            return number % self.every == 0
        step = self.fps / native_fps
        return step >= 1 or int(number * step) != int((number - 1) * step) or number == 0


def is_live(source: str) -> bool:
    """Return whether a source is a stream's URL or a device's number; these have no end."""
    return source.isdecimal() or "://" in source


def frame_count(source: str) -> int | None:
    """Return the number of frames that a video file states; None if it states none or is live.

    Raises:
        InputError: the source cannot be opened.
    """
    if is_live(source):
        return None
    with _opened(source) as capture:
        count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    return count if count > 0 else None


def frames(source: str, sampling: Sampling) -> Iterator[Frame]:
    """Yield the sampled frames of a video until it ends or breaks off.

    Raises:
        InputError: the source cannot be opened, or has no frame.
    """
    with _opened(source) as capture:
        found = _live_frames(capture, sampling) if is_live(source) else _file(capture, sampling)
        empty = True
        for frame in found:
            empty = False
            yield frame
    if empty:
        raise InputError(f"no frame of {without_password(source)} can be read: is it a video?")


@contextmanager
def _opened(source: str) -> Iterator[Any]:
    if not is_live(source) and not Path(source).is_file():
        raise InputError(f"there is no file {without_password(source)}")
    capture = cv2.VideoCapture(int(source) if source.isdecimal() else source)
    try:
        if not capture.isOpened():
            raise InputError(
                f"{without_password(source)} cannot be opened as a video: check that it is one, "
                "or that the stream or device is available"
            )
        yield capture
    finally:
        capture.release()


def _file(capture: Any, sampling: Sampling) -> Iterator[Frame]:
    fps = capture.get(cv2.CAP_PROP_FPS) or USUAL_FPS
    number = 0
    while capture.grab():
        if sampling.takes(number, fps):
            there, picture = capture.retrieve()
            if there:
                yield Frame(number, number / fps, _rgb(picture))
        number += 1


def _live_frames(capture: Any, sampling: Sampling) -> Iterator[Frame]:
    """Sample by the clock, because streams often misstate how many frames a second they have."""
    began, due, number = time.monotonic(), 0.0, 0
    while capture.grab():
        seconds = time.monotonic() - began
        taken = number % sampling.every == 0 if sampling.every else seconds >= due
        if taken:
            due = max(due + 1 / sampling.fps, seconds)
            there, picture = capture.retrieve()
            if there:
                yield Frame(number, seconds, _rgb(picture))
        number += 1


def _rgb(picture: Any) -> Picture:
    return np.ascontiguousarray(picture[:, :, ::-1])
