"""Decodes enrolment photos, which come in more formats than cameras' pictures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from importlib.util import find_spec
from pathlib import Path

import numpy as np

import susracker
from susracker.errors import PictureError, PictureTooLargeError
from susracker.faces import images
from susracker.faces.headers import format_of
from susracker.models import Picture

APART = {
    "GIF": "image/gif",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
    "HEIF": "image/heic",
}
"""Formats that are decoded in a process of their own, with their media types."""

ALL = "JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF or HEIC"

WALL_SECONDS = 120
"""How long such a process may take. Its own limit is in seconds of a processor, which others may
need at the same time."""

AT_ONCE = 2
"""How many photos are enrolled by such processes at the same time: each may take 2 GB. Thumbnails
do not wait for them, as alerts wait for thumbnails."""

PACKAGE_FOLDER = Path(susracker.__file__).parents[1]
"""Where the process begins, so that nothing is imported from the folder in which a user is."""

_turns = threading.BoundedSemaphore(AT_ONCE)


def decode_photo(data: bytes, max_pixels: int = images.MAX_PIXELS) -> Picture:
    """Decode an enrolment photo, and turn it upright; of several pictures in a file the first.

    HEIC needs the extra `heic`.

    Returns:
        shape (height, width, 3), R, G, B; transparent parts are black.

    Raises:
        PictureError: as `images.decode` raises it.
    """
    form = _form(data)
    if form not in APART:
        return images.decode(data, max_pixels)
    with _turns:
        return _decode_apart(data, form, max_pixels)


def photo_media_type(data: bytes) -> str:
    """Return the media type of an encoded enrolment photo, such as "image/heic".

    Raises:
        PictureError: the data is empty or has an unknown format.
    """
    form = _form(data)
    return APART[form] if form in APART else images.media_type(data)


def photo_thumbnail(data: bytes, max_bytes: int, side: int = images.THUMBNAIL_SIDE) -> bytes:
    """A small copy of an encoded enrolment photo; see `images.thumbnail`.

    Raises:
        PictureError: as `decode_photo` raises it.
    """
    form = _form(data)
    if form in APART:
        # Its size was limited when it was enrolled, perhaps with another limit.
        return images.thumbnail_of(_decode_apart(data, form, sys.maxsize), max_bytes, side)
    return images.thumbnail(data, max_bytes, side)


def _form(data: bytes) -> str:
    form = format_of(data)
    if data and not form:
        raise PictureError(f"not a {ALL} picture")
    return form


def _decode_apart(data: bytes, form: str, max_pixels: int) -> Picture:
    if form == "HEIF" and find_spec("pi_heif") is None:
        raise PictureError("HEIC pictures need: pip install 'susracker[heic]'")
    answer = _run([sys.executable, "-m", "susracker.faces.apart", form, str(max_pixels)], data)
    if answer is None:
        raise PictureError(
            f"the {form} picture is damaged, or takes too long or too much memory to decode"
        )
    end = answer.index(b"\n")
    head = json.loads(answer[:end])
    if "problem" in head:
        kind = PictureTooLargeError if head["too_large"] else PictureError
        raise kind(head["problem"])
    return np.frombuffer(answer, np.uint8, offset=end + 1).reshape(head["shape"])


def _run(program: list[str], data: bytes) -> bytes | None:
    """What a program answers; None if it fails, or is not done in time."""
    try:
        done = subprocess.run(
            program,
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=PACKAGE_FOLDER,
            env=_environment(),
            timeout=WALL_SECONDS,
            check=False,
            start_new_session=True,  # Ctrl-C is for the parent, which ends after this photo
        )
    except subprocess.TimeoutExpired:
        return None
    return None if done.returncode else done.stdout


def _environment() -> dict[str, str]:
    """What the process is to know: no setting, and so no key. Its threads and arenas would take
    address space."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("SUSRACKER_")}
    return inherited | {"MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1"}
