"""8-bit codes of rows: a quarter of the memory to read, with a bound on the error.

A row is `x = centre + scale * code + e`, where `e` is the error of its code. Each number of a probe
is written in two digits: `p = coarse * first + fine * second + f`, where `f` is the rest. Then

    x·p = centre·p + scale * (coarse * code·first + fine * code·second) + scale * code·f + e·p

The products of whole numbers are exact, and the last two terms are at most
`|scale * code| |f| + |e| |p|` by the Cauchy-Schwarz inequality. A search compares codes first, and
then every row that may be among the nearest in full, so that codes do not change its result.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from susracker.matchers.products import DIGIT, onnx_session, product
from susracker.models import Vectors

ROWS_AT_ONCE = 16_384
"""So few that their products with a few probes stay in the processor's cache."""

CODED_AT_ONCE = 1024
"""Rows whose codes are made together: what each step leaves is still in the processor's cache. With
`ROWS_AT_ONCE`, a million take five times as long."""

CODERS = 2
"""Threads that code the first rows."""

ROOM = 1.1
"""Codes reach this many times as far from the centre as the rows that they are made for."""

TINY = 1e-12
"""In place of a zero that would be divided by: lengths near one, divided by it, are finite, and its
square is no zero."""

LEVELS = 255
MIDDLE = 128

UNIT = np.float32(2**-24)
"""How far a 32-bit number may be off by rounding, as a share of it."""


class Codes:
    """Codes of the rows of an array.

    Centre and scale are chosen for the first rows. Rows that are put later may lie out of reach of
    the codes, which makes the bound wider but never wrong.

    Args:
        rows: the first rows, shape (n, dimension), n at least 1.
        capacity: number of rows that there is room for, at least n.
        rows_at_once: number of rows that are compared together.
    """

    def __init__(self, rows: Vectors, capacity: int, rows_at_once: int = ROWS_AT_ONCE) -> None:
        self._rows_at_once = rows_at_once
        self._centre = rows.mean(axis=0)
        parts = _parts(len(rows), CODED_AT_ONCE)
        reach = max(_furthest(rows[part] - self._centre) for part in parts)
        self._scale = np.float32(2 * ROOM * max(reach, TINY) / LEVELS)
        self._codes = np.empty((capacity, rows.shape[1]), np.uint8)
        self._longest = self._worst = np.float32(0)
        with ThreadPoolExecutor(CODERS) as pool:
            for lengths in pool.map(lambda part: self._code(part.start, rows[part]), parts):
                self._widen(*lengths)
        onnx_session()  # so that the first search need not make it

    def put(self, start: int, rows: Vectors) -> None:
        """Set the codes of the rows from `start` on."""
        self._widen(*self._code(start, rows))

    def _code(self, start: int, rows: Vectors) -> tuple[np.float32, np.float32]:
        """Set codes, and return the greatest lengths of what they stand for and of their errors.
        From any thread."""
        offsets = rows - self._centre
        coded = offsets / self._scale
        # In place, as memory that was not used before costs more than the arithmetic.
        np.rint(coded, out=coded)
        coded += MIDDLE
        np.clip(coded, 0, LEVELS, out=coded)
        self._codes[start : start + len(rows)] = coded
        coded -= MIDDLE
        coded *= self._scale
        offsets -= coded
        return _longest(coded), _longest(offsets)

    def _widen(self, longest: np.float32, worst: np.float32) -> None:
        self._longest = max(self._longest, longest)
        self._worst = max(self._worst, worst)

    def move(self, to: NDArray[np.intp], at: NDArray[np.intp]) -> None:
        """Copy the codes of some rows to others."""
        self._codes[to] = self._codes[at]

    def wipe(self, start: int, end: int) -> None:
        """Forget the codes of some rows."""
        self._codes[start:end] = 0

    def resize(self, capacity: int) -> None:
        """Change the number of rows that there is room for. Rows beyond it are lost."""
        self._codes = resized(self._codes, capacity, min(capacity, len(self._codes)))

    def similarities(
        self, probes: Vectors, count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Compare probes, shape (probes, dimension), with the first `count` rows.

        Returns:
            similarities, shape (probes, count), and a bound on the error of each probe's, shape
            (probes,).
        """
        digits, steps, left = in_digits(probes)
        # The first digits of all probes, then the second digits.
        worth = np.concatenate([np.diag(self._scale * one) for one in steps], axis=1)
        multiply = product(digits.reshape(-1, digits.shape[2]), worth)
        found = np.empty((len(probes), count), np.float32)
        for part in _parts(count, self._rows_at_once):
            found[:, part] = multiply(self._codes[part])
        middle = worth @ (MIDDLE * digits.sum(axis=2, dtype=np.float32).ravel())
        found += (probes @ self._centre - middle)[:, None]
        lengths = np.linalg.norm(probes, axis=1)
        rounding = self._rounding(lengths, steps[0])
        return found, self._longest * left + self._worst * lengths + rounding

    def _rounding(
        self, lengths: NDArray[np.float32], coarse: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """A bound on what rounding adds to the error, for probes of these lengths.

        A sum of d products is off by at most d units of |x| |p| (Higham, Accuracy and Stability of
        Numerical Algorithms, section 3.1). There are two, `centre·p` and the similarity that this
        one is compared with, and the lengths in the bound are such sums, too. What is computed of
        the digits adds a few units of the largest product that there may be.
        """
        dimension = self._codes.shape[1]
        furthest = np.linalg.norm(self._centre) + self._longest + self._worst
        largest = 4 * DIGIT * LEVELS * dimension * self._scale * coarse
        bound: NDArray[np.float32] = UNIT * (
            (5 * dimension + 16) * furthest * lengths + 16 * largest
        )
        return bound


def resized(array: NDArray[Any], capacity: int, count: int) -> NDArray[Any]:
    """A new array with room for `capacity` rows that starts with the first `count` of `array`."""
    larger = np.empty((capacity, *array.shape[1:]), array.dtype)
    larger[:count] = array[:count]
    return larger


def _parts(count: int, size: int) -> list[slice]:
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


def _furthest(offsets: Vectors) -> float:
    """The largest of all numbers, without their signs; overwrites them."""
    return float(np.abs(offsets, out=offsets).max())


def _longest(rows: Vectors) -> np.float32:
    return np.float32(np.sqrt(np.einsum("ij,ij->i", rows, rows).max(initial=0)))


def in_digits(
    probes: Vectors,
) -> tuple[NDArray[np.int8], NDArray[np.float32], NDArray[np.float32]]:
    """Write probes, shape (n, dimension), in two digits a number.

    Returns:
        the first and second digits, shape (2, n, dimension); `coarse` and `fine`, the values of
        one unit of them, shape (2, n); and the length of the rest, shape (n,).
    """
    most = np.maximum(np.abs(probes).max(axis=1), TINY)
    coarse = most / DIGIT
    first = np.rint(probes / coarse[:, None])
    rest = probes - first * coarse[:, None]
    fine = coarse / (2 * DIGIT)
    second = np.rint(rest / fine[:, None])
    left = np.linalg.norm(rest - second * fine[:, None], axis=1)
    return np.stack([first, second]).astype(np.int8), np.stack([coarse, fine]), left
