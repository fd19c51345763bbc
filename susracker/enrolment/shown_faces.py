"""Shows which face of each photo was enrolled."""

from __future__ import annotations

import re
from pathlib import Path

from susracker.enrolment.enroller import PreparedPhoto
from susracker.enrolment.writer import Written
from susracker.errors import InputError
from susracker.faces.images import crop, encode_jpeg
from susracker.faces.photos import decode_photo
from susracker.models import Criminal

MARGIN = 0.2
"""Around the face, as a share of its size."""


class ShownFaces:
    """A folder that gets a crop of each enrolled face, named after the person and the photo.

    Raises:
        InputError: the folder cannot be made.
    """

    def __init__(self, folder: Path, max_pixels: int) -> None:
        self._folder = folder
        self._max_pixels = max_pixels
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot make the folder {folder}: {error.strerror}") from error

    def write(self, written: Written) -> None:
        """Write the crops of photos that were stored.

        Raises:
            InputError: one cannot be written.
        """
        for photo in written.photos:
            self._write(written.criminal, photo)

    def _write(self, criminal: Criminal, photo: PreparedPhoto) -> None:
        face = crop(decode_photo(photo.content, self._max_pixels), photo.box, MARGIN)
        name = re.sub(r"\W+", "_", criminal.name)[:80]
        path = self._folder / f"{name}_{photo.digest[:8]}.jpg"
        try:
            path.write_bytes(encode_jpeg(face))
        except OSError as error:
            raise InputError(f"cannot write {path}: {error.strerror}") from error
