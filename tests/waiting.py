"""Waits in tests: long enough for a machine that has much else to do."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 60.0
"""Seconds to wait for what takes a moment on an idle machine. What never comes fails all the same,
only later; what comes late does not fail."""


def wait_until(
    condition: Callable[[], bool],
    seconds: float = PATIENCE,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Whether a condition comes true in time.

    Args:
        sleep: pauses between two looks; `gevent.sleep` where greenlets of the test do the work.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        sleep(0.02)
    return True
