"""Gives memory back to the operating system."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def memory_given_back() -> Iterator[None]:
    """Give back, at the end, what was allocated and freed inside.

    glibc keeps freed memory for the process, which may then hold as much as the largest picture
    took, once for each thread. Other C libraries give it back by themselves.
    """
    try:
        yield
    finally:
        if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
            trim(0)
