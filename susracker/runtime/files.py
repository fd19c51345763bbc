"""Files and folders that only the user who runs the program may read.

They have that mode from the moment they exist. Files and folders that exist already keep theirs.

A new file or folder is there after a power cut if the folder that it is in was synced; to sync the
file is not enough (see fsync(2)).
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from susracker.errors import ConfigError

FILE_MODE, FOLDER_MODE = 0o600, 0o700

USUAL_MODE = 0o666
"""Of a file without secrets, which others may read as far as the umask allows."""

NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY)
"""Why a file cannot be replaced, although it can perhaps be written."""


def expanded(path: Path | str) -> Path:
    """A path with the home folder in place of `~` or `~user` at its beginning.

    Raises:
        ConfigError: there is no such user. The path is not shown: it may be a key, with a slip.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise ConfigError(
            "a path begins with ~ and the name of no user: write it in full"
        ) from error


def create_private(path: Path) -> None:
    """Create an empty file, unless there is one.

    Raises:
        OSError: it cannot be created.
    """
    # An existing file must not be opened: closing it would release the locks that SQLite holds.
    with suppress(FileExistsError):
        # Resolved: a link to a file that is missing counts as one that exists.
        file = path.resolve()
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE))
        sync_folder(file.parent)


def make_private_folder(path: Path) -> None:
    """Create a folder, and those above it, unless they exist.

    Raises:
        OSError: it cannot be created.
    """
    if path.parent != path and not path.parent.exists():
        make_private_folder(path.parent)
    if not path.is_dir():
        path.mkdir(mode=FOLDER_MODE, exist_ok=True)
        sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Wait until the disk has the names of the files and folders in a folder.

    Raises:
        OSError: it cannot be synced.
    """
    if os.name == "nt":
        return  # Windows opens no folders; NTFS writes names to its journal
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def draft(path: Path, content: bytes, mode: int = FILE_MODE) -> Iterator[Path]:
    """A new file beside `path` with all of its content on disk, to be renamed or linked: nobody
    reads half of it. It is gone at the end, unless it was renamed.

    Raises:
        OSError: it cannot be written.
    """
    written = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
    handle = os.open(written, os.O_CREAT | os.O_WRONLY | os.O_EXCL, mode)
    try:
        with open(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(handle)
        yield written
    finally:
        written.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes, mode: int = FILE_MODE) -> None:
    """Write a file so that a crash or a power cut leaves what it held before, or all of `content`.

    An existing file keeps its mode and owner, and a link to it stays a link. One that cannot be
    replaced is overwritten, and may be left half-written: one that is mounted alone into a
    container, is another user's, or is in a folder that is read-only.

    Args:
        mode: of a new file, less what the umask forbids.

    Raises:
        OSError: it cannot be written.
    """
    file = path.resolve()
    if not file.exists():
        with draft(file, content, mode) as written:
            written.replace(file)
    elif not _replace(file, content):
        _overwrite(file, content)
        return
    sync_folder(file.parent)


def _replace(file: Path, content: bytes) -> bool:
    """Put a new file in the place of one, as far as that is allowed; whether it is."""
    try:
        with draft(file, content) as written:
            _make_like(file, written)
            written.replace(file)
    except OSError as error:
        if error.errno not in NOT_ALLOWED:
            raise
        return False
    return True


def _overwrite(file: Path, content: bytes) -> None:
    with file.open("r+b") as opened:
        opened.write(content)
        opened.truncate()
        opened.flush()
        os.fsync(opened.fileno())


def _make_like(existing: Path, written: Path) -> None:
    """Give a file the owner and the mode of another one."""
    if os.name != "nt":
        owned = existing.stat()
        os.chown(written, owned.st_uid, owned.st_gid)
    shutil.copymode(existing, written)


def open_private(path: Path, mode: str, **options: Any) -> Any:
    """Open a file as `open` does; if that creates it, it is private.

    Raises:
        OSError: it cannot be opened.
    """
    return open(path, mode, opener=_opener, **options)


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags, FILE_MODE)
