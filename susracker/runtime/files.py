"""Files and folders that only the user who runs the program may read.

They have that mode from the moment they exist. Files and folders that exist already keep theirs.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

FILE_MODE, FOLDER_MODE = 0o600, 0o700


def expanded(path: Path | str) -> Path:
    """A path with the home folder in place of `~` or `~user` at its beginning; as it is if there is
    no such user."""
    return Path(os.path.expanduser(path))


def create_private(path: Path) -> None:
    """Create an empty file, unless there is one.

    Raises:
        OSError: it cannot be created.
    """
    # An existing file must not be opened: closing it would release the locks that SQLite holds.
    with suppress(FileExistsError):
        # Resolved: a link to a file that is missing counts as one that exists.
        os.close(os.open(path.resolve(), os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE))


def make_private_folder(path: Path) -> None:
    """Create a folder, and those above it, unless they exist.

    Raises:
        OSError: it cannot be created.
    """
    if path.parent != path and not path.parent.exists():
        make_private_folder(path.parent)
    path.mkdir(mode=FOLDER_MODE, exist_ok=True)


def open_private(path: Path, mode: str, **options: Any) -> Any:
    """Open a file as `open` does; if that creates it, it is private.

    Raises:
        OSError: it cannot be opened.
    """
    return open(path, mode, opener=_opener, **options)


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags, FILE_MODE)
