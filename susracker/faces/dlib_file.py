"""Reads what dlib's own serialisation writes, one value after another.

An integer is one byte that holds the number of bytes and, in its top bit, the sign, followed by
those bytes, lowest first. A real number is a mantissa and an exponent of two, both integers. A
tensor is its version, 2, four sizes, then float32 numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float32]

TENSOR_VERSION = 2


class DlibFile:
    """The bytes of a file, and the position up to which they were read.

    Every method raises ValueError or IndexError if something else is there.
    """

    def __init__(self, data: bytes, position: int = 0) -> None:
        self._data = data
        self._position = position

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return len(self._data) - self._position

    def integer(self) -> int:
        """Read an integer."""
        first = self._data[self._position]
        value = int.from_bytes(self._taken(1 + (first & 0x7F))[1:], "little")
        return -value if first & 0x80 else value

    def integers(self, count: int) -> list[int]:
        """Read several integers."""
        return [self.integer() for _ in range(count)]

    def real(self) -> float:
        """Read a real number."""
        mantissa, exponent = self.integers(2)
        return float(np.ldexp(float(mantissa), exponent))

    def text(self) -> str:
        """Read a string."""
        return self._taken(self.integer()).decode("ascii")

    def tensor(self) -> Weights:
        """Read a tensor, as one row of numbers."""
        version = self.integer()
        if version != TENSOR_VERSION:
            raise ValueError(f"it has a tensor of version {version}")
        size = int(np.prod(self.integers(4)))
        return np.frombuffer(self._taken(4 * size), "<f4")

    def skip(self, count: int) -> None:
        """Read bytes whose meaning does not matter."""
        self._taken(count)

    def expect(self, found: object, wanted: object) -> None:
        """Raise ValueError if what was read is not what a file of this kind has."""
        if found != wanted:
            raise ValueError(f"it has {found!r} where {wanted!r} belongs")

    def _taken(self, count: int) -> bytes:
        if count > self.left:
            raise IndexError("it ends too early")
        self._position += count
        return self._data[self._position - count : self._position]
