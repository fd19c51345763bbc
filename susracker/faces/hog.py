"""dlib's HOG detector, one for each thread that uses it at the same time."""

from __future__ import annotations

import logging
from collections import deque
from pathlib import Path
from typing import Any

import dlib

from susracker.faces.boxes import Box, Found
from susracker.faces.cache import cache_folder, replacing
from susracker.models import Picture

log = logging.getLogger(__name__)

_idle: deque[Any] = deque()
"""Detectors that no thread is using, for all of this process."""


def find(picture: Picture, threshold: float) -> list[Found]:
    """Find the faces that score above `threshold`, highest score first."""
    # Two threads in the same detector would crash the process.
    try:
        hog = _idle.pop()
    except IndexError:
        hog = load(_kept_file())
    boxes, scores, _ = hog.run(picture, 0, threshold)
    _idle.append(hog)
    return [
        Found(Box(box.left(), box.top(), box.right() + 1, box.bottom() + 1), score)
        for box, score in zip(boxes, scores, strict=True)
    ]


def load(file: Path) -> Any:
    """Make a detector from a file that dlib has written, in 2 ms; without it, dlib needs 0.3 s, and
    the file is written."""
    if file.exists():
        try:
            return dlib.fhog_object_detector(str(file))
        except RuntimeError as error:
            log.warning("cannot read %s, making it again: %s", file, error)
    made = dlib.get_frontal_face_detector()
    try:
        with replacing(file) as temporary:
            made.save(str(temporary))
    except OSError as error:
        log.warning("each start takes 0.3 s longer, as %s cannot be written: %s", file, error)
    return made


def _kept_file() -> Path:
    return cache_folder() / f"frontal-faces-{dlib.__version__}.svm"
