"""Figures that a torture program prints: what was measured, and which promises were kept."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from typing import Any

import numpy as np

HIGHEST_CORRELATION = 0.98
"""Of neighbouring readings; closer to 1, nothing could be said of a slope."""


class Figures:
    """Figures of one program, printed as rows of a Markdown table.

    Args:
        title: the program and what it was asked to do.

    Attributes:
        broken: names of the promises that were not kept.
    """

    def __init__(self, title: str) -> None:
        self.broken: list[str] = []
        self._title = title
        self._rows: list[tuple[str, str, str]] = []
        self._began = time.monotonic()

    def note(self, name: str, value: object) -> None:
        """A figure that promises nothing."""
        self._rows.append((name, str(value), ""))

    def promise(self, name: str, value: object, kept: bool) -> None:
        """A figure that must hold, and whether it does."""
        self._rows.append((name, str(value), "kept" if kept else "BROKEN"))
        if not kept:
            self.broken.append(f"{name}: {value}")

    def show(self) -> None:
        """Print everything."""
        seconds = time.monotonic() - self._began
        day = datetime.now(timezone.utc).date()
        print(f"\n{self._title}: {seconds:.0f} s on {day}, Python {platform.python_version()}\n")
        print("| figure | measured | promise |\n|---|---|---|")
        for row in self._rows:
            print("| " + " | ".join(row) + " |")
        print(flush=True)

    def exit(self) -> None:
        """Print everything, and end the program with status 1 if a promise was broken."""
        self.show()
        sys.exit(1 if self.broken else 0)


def milliseconds(seconds: Iterable[float]) -> str:
    """Median, 99th percentile and largest of some times."""
    times = np.fromiter(seconds, float) * 1000
    if not times.size:
        return "none"
    median, high = np.percentile(times, (50, 99))
    return f"{median:.1f} ms median, {high:.1f} p99, {times.max():.1f} most, of {times.size}"


def megabytes(count: float) -> str:
    """Bytes as megabytes."""
    return f"{count / 1e6:.1f} MB"


def slope(
    hours: Sequence[float], values: Sequence[float], beside: Sequence[float] | None = None
) -> tuple[float, float]:
    """How much a value grows in an hour by least squares, and half of the 95% interval of that.

    Readings that follow one another hang together, so the interval is widened as for a
    first-order autoregressive error: by sqrt((1 + r) / (1 - r)), where r is the correlation of
    neighbouring residuals.

    Args:
        beside: something else that the value depends on, whose effect is taken out.
    """
    columns = [np.ones(len(values)), np.asarray(hours, float)]
    if beside is not None and np.ptp(beside) > 0:
        columns.append(np.asarray(beside, float))
    x, y = np.stack(columns, axis=1), np.asarray(values, float)
    grows = np.linalg.lstsq(x, y, rcond=None)[0]
    left = y - x @ grows
    variance = left @ left / (len(y) - x.shape[1]) * np.linalg.inv(x.T @ x)[1, 1]
    return float(grows[1]), 1.96 * float(np.sqrt(variance)) * _widening(left)


def _widening(left: np.ndarray[Any, Any]) -> float:
    size = float(left @ left)
    r = float(left[1:] @ left[:-1]) / size if size > 0 else 0.0
    r = min(max(r, 0.0), HIGHEST_CORRELATION)
    return float(np.sqrt((1 + r) / (1 - r)))
