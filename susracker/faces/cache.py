"""The folder in which networks are kept once they are made."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_path


def cache_folder() -> Path:
    """The user's cache folder; it may not exist yet."""
    return user_cache_path("susracker")


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """A path to write to: at the end, what was written becomes `file`, whole or not at all. Another
    process may be reading or writing the same file.

    Raises:
        OSError: it cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=file.name) as folder:
        temporary = Path(folder) / file.name
        yield temporary
        os.replace(temporary, file)
