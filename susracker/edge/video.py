"""Frames of a video file, a stream or a device, through OpenCV."""

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

SUFFIXES = frozenset({".mp4", ".mkv", ".avi", ".mov", ".webm", ".m4v", ".mpg", ".mpeg", ".ts"})
"""What is taken for a video file without asking OpenCV."""

USUAL_FPS = 25.0
"""Of a video file that does not say how many frames a second it has."""

# What is raised here OpenCV and FFmpeg would print as well.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame.

    Attributes:
        number: from 0, frames that were passed over included.
        seconds: since the video began; of a stream, since it was opened.
    """

    number: int
    seconds: float
    picture: Picture


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which frames are looked at.

    Attributes:
        fps: so many a second.
        every: every n-th frame, in place of `fps`.
    """

    fps: float = 5.0
    every: int | None = None

    def takes(self, number: int, native_fps: float) -> bool:
        """Whether a video file's frame is looked at."""
        if self.every:
            return number % self.every == 0
        step = self.fps / native_fps
        return step >= 1 or int(number * step) != int((number - 1) * step) or number == 0


def is_live(source: str) -> bool:
    """Whether a source is a stream's URL or a device's number, which have no end."""
    return source.isdecimal() or "://" in source


def is_video_file(path: Path) -> bool:
    """Whether a file is taken for a video, by its name."""
    return path.suffix.lower() in SUFFIXES


def frame_count(source: str) -> int | None:
    """How many frames a video file says that it has; None where it does not say, or is live."""
    if is_live(source):
        return None
    with _opened(source) as capture:
        count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    return count if count > 0 else None


def frames(source: str, sampling: Sampling) -> Iterator[Frame]:
    """The sampled frames of a video, until it ends or breaks.

    Raises:
        InputError: it cannot be opened, or holds no frame.
    """
    with _opened(source) as capture:
        found = _live_frames(capture, sampling) if is_live(source) else _file(capture, sampling)
        empty = True
        for frame in found:
            empty = False
            yield frame
    if empty:
        raise InputError(f"{source} holds no frame that can be read")


@contextmanager
def _opened(source: str) -> Iterator[Any]:
    if not is_live(source) and not Path(source).is_file():
        raise InputError(f"there is no file {source}")
    capture = cv2.VideoCapture(int(source) if source.isdecimal() else source)
    try:
        if not capture.isOpened():
            raise InputError(
                f"{source} cannot be opened as a video: is it one, and, if it is a stream or a "
                "device, is it there?"
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
    """By the clock: a stream does not say reliably how many frames a second it has."""
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
