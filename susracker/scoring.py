"""The decision rule: whether a neighbour of a probe is a match."""

from __future__ import annotations

import math


def distance_of(similarity: float) -> float:
    """Euclidean distance, 0 to 2, between two unit vectors whose cosine is `similarity`."""
    return math.sqrt(max(0.0, 2.0 - 2.0 * similarity))


def is_match(distance: float, max_distance: float) -> bool:
    """Whether a criminal at `distance` from the probe is taken for the same person."""
    return distance <= max_distance
