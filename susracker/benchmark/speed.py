"""How long each stage takes, on one core."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from susracker.benchmark.embedding import Embedded
from susracker.errors import PictureError
from susracker.faces.detector import Detector
from susracker.faces.encoder import Encoder
from susracker.faces.images import decode
from susracker.models import Picture

PHOTOS = 30
"""How many photos are timed. The median is taken because machines are noisy."""

Value = TypeVar("Value")


def seconds_per_face(
    photos: Sequence[Path], detector: Detector, encoder: Encoder
) -> dict[str, float]:
    """Median seconds to decode a photo, to find and align its faces, and to encode one of them with
    its mirror image. A stage that no photo reaches is left out."""
    times: dict[str, list[float]] = {"decode": [], "detect": [], "encode": []}
    for photo in photos[:: max(1, len(photos) // PHOTOS)]:
        picture = _timed(times["decode"], _decoded, photo.read_bytes())
        if picture is None:
            continue
        chips = _timed(times["detect"], _aligned, detector, encoder, picture)
        if chips:
            _timed(times["encode"], encoder.encode, chips[0][None])
    return {stage: float(np.median(spent)) for stage, spent in times.items() if spent}


def seconds_per_search(
    search: Callable[[Sequence[Embedded]], object], probes: Sequence[Embedded]
) -> float:
    """Median seconds to search for one probe."""
    times: list[float] = []
    for probe in probes[:: max(1, len(probes) // PHOTOS)]:
        _timed(times, search, [probe])
    return float(np.median(times))


def _decoded(data: bytes) -> Picture | None:
    try:
        return decode(data)
    except PictureError:
        return None


def _aligned(detector: Detector, encoder: Encoder, picture: Picture) -> list[Picture]:
    """The chips of all faces, as recognition needs them."""
    return [encoder.align(face) for face in detector.find(picture)]


def _timed(times: list[float], function: Callable[..., Value], *given: Any) -> Value:
    began = time.perf_counter()
    value = function(*given)
    times.append(time.perf_counter() - began)
    return value
