"""Figures that a torture program prints: what was measured, and which promises were kept."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Iterable
from datetime import datetime, timezone

import numpy as np


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


def slope(hours: Iterable[float], values: Iterable[float]) -> tuple[float, float]:
    """How much a value grows in an hour by least squares, and half of the 95% interval of that.

    The interval takes the points as independent, which readings of memory are not: it is too narrow
    where they hang together.
    """
    x, y = np.fromiter(hours, float), np.fromiter(values, float)
    x = x - x.mean()
    grows = float(x @ y / (x @ x))
    left = y - y.mean() - grows * x
    error = float(np.sqrt(left @ left / (len(y) - 2) / (x @ x)))
    return grows, 1.96 * error
