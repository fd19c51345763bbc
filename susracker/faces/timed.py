"""How much time the network takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from susracker.faces.encoder import Chips, Encoder
from susracker.faces.face import Face
from susracker.models import Picture, Vectors


class TimedEncoder(Encoder):
    """Another encoder, whose calls are counted and timed.

    Attributes:
        calls: how often it was called, with one or more chips each time.
        seconds: how long these calls took in all.
    """

    def __init__(self, encoder: Encoder) -> None:
        self.id, self.dimension = encoder.id, encoder.dimension
        self.chip_size, self.mirrors = encoder.chip_size, encoder.mirrors
        self.calls = 0
        self.seconds = 0.0
        self._encoder = encoder
        self._lock = threading.Lock()

    def align(self, face: Face) -> Picture:
        return self._encoder.align(face)

    def embed(self, chips: Chips) -> Vectors:
        with self._timed():
            return self._encoder.embed(chips)

    def embed_fast(self, chips: Chips) -> Vectors:
        with self._timed():
            return self._encoder.embed_fast(chips)

    def encode(self, chips: Chips) -> Vectors:
        if not len(chips):  # the network has nothing to do
            return self._encoder.encode(chips)
        with self._timed():
            return self._encoder.encode(chips)

    def add(self, calls: int, seconds: float) -> None:
        """Count calls that were made elsewhere."""
        with self._lock:
            self.calls += calls
            self.seconds += seconds

    @contextmanager
    def _timed(self) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.add(1, time.perf_counter() - began)
