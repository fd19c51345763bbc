"""Sharing the cores with native libraries."""

from __future__ import annotations

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
