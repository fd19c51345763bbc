"""Gives memory back to the operating system."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

ARENA_MAX, TRIM_THRESHOLD, MMAP_THRESHOLD = -8, -1, -3
"""Options of glibc's mallopt, by their numbers in malloc.h."""

ARENAS = 2
LARGE = 1_000_000
"""Bytes; from there on, memory comes from the system and goes back to it."""


def hold_little_memory() -> None:
    """Let this process keep less of what it frees. Call it before threads are started.

    By default glibc has up to eight arenas a core, each of which keeps what was once freed in it,
    and it lets its thresholds grow with what is allocated. A server with 20 threads held 100 MB
    more and grew by 10 MB in ten minutes; it is not slower without (`MALLOC_ARENA_MAX` and so on
    in its environment, eight turns). Other C libraries do not need this.
    """
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        for option, value in (
            (ARENA_MAX, ARENAS),
            (TRIM_THRESHOLD, LARGE),
            (MMAP_THRESHOLD, LARGE),
        ):
            mallopt(option, value)


def give_memory_back() -> None:
    """Give back what was freed between pieces that are still in use.

    glibc keeps it for the process. Other C libraries give it back by themselves.
    """
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)


@contextmanager
def memory_given_back() -> Iterator[None]:
    """Give back, at the end, what was allocated and freed inside: a process might otherwise hold as
    much as the largest picture took, once for each thread."""
    try:
        yield
    finally:
        give_memory_back()
