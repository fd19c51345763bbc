"""How native libraries share the cores."""

from __future__ import annotations

import cv2
from threadpoolctl import threadpool_limits


def one_core_a_thread() -> None:
    """Let BLAS and OpenCV compute on the thread that calls them, for the rest of this process.

    For programs whose own pool has a thread a core: threads of a library's own would only take
    turns with them.
    """
    threadpool_limits(1)
    cv2.setNumThreads(1)
