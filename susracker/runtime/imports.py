"""Importing less."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def as_if_missing(*packages: str) -> Iterator[None]:
    """Import nothing of these packages within the block, even if they are installed.

    For packages that another one imports only to offer something that this program does not use.
    What is imported within the block takes them for missing, for the rest of this process; later
    imports find them again. Packages that are imported already are left alone.
    """
    hidden = [name for name in packages if name not in sys.modules]
    # `None` makes an import raise ModuleNotFoundError ("The module cache" in Python's reference).
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
