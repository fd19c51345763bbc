"""Sharing the cores with native libraries, and Python's lock among threads."""

from __future__ import annotations

import sys

import cv2
from threadpoolctl import threadpool_limits


def one_core_a_thread() -> None:
    """Let BLAS and OpenCV compute on the thread that calls them, for the rest of this process.

    Use it in programs whose own pool has a thread for each core: a library's threads would only
    compete with them. OpenMP holds its limit for each calling thread apart, so a library that uses
    it must be limited where it is called.
    """
    threadpool_limits(1)
    cv2.setNumThreads(1)


SWITCH_SECONDS = 0.0005
"""A tenth of Python's own. A thread gives up the lock at each read and write, and may then wait so
long for each of the others. In an overload, the slowest of a hundred refusals then took 62 ms in
place of 117, and as many faces a second were recognised as before."""


def switch_often() -> None:
    """Let a thread of this process that computes in Python give way to others soon."""
    sys.setswitchinterval(SWITCH_SECONDS)
