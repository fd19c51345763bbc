"""Photos that are named on the command line, to be looked at and not enrolled."""

from __future__ import annotations

from pathlib import Path

import click

from susracker.errors import InputError

PHOTO = click.Path(path_type=Path, exists=True, dir_okay=False)


def read_photo(file: Path) -> bytes:
    """The bytes of a photo.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from error
