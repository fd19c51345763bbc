"""Operating points: what a target FPIR means for a watch-list."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from susracker.watchlist.looks import LAST_LOOKS, LOOKS, ONLY, Look

OPERATING_POINTS = (0.01, 0.001, 1 / 6000)
"""The usual default, and what forces that run live face recognition state: 1/1,000 by their own
rules, and 1/6,000 as measured by NPL (2023)."""

PASSAGES = 10_000

MEASURED_PEOPLE = 1202
"""The longest watch-list on which the realised FPIR was measured (docs/accuracy.md)."""


@dataclass(frozen=True, slots=True)
class Misses:
    """How many wanted people were missed when it was measured (docs/accuracy.md).

    Attributes:
        photos: that each person was enrolled with.
        probes: faces of a passage, a second apart; 1 where each face is decided on alone.
        enrolled: length of the watch-list.
    """

    photos: int
    probes: int
    enrolled: int
    fnir: float


MEASURED_ENCODER = "dlib-resnet-v1"
"""The encoder that they were measured with; of another one nothing is known."""

OF_PASSAGES = {
    0.01: (0.211, 0.088, 0.052, 0.036),
    0.001: (0.322, 0.170, 0.148, 0.170),
}
"""FNIR of people enrolled with one photo, by target FPIR, for passages of 1, 2, 3 and 4 faces."""

OF_FACES = {
    0.01: (Misses(1, 1, 802, 0.209), Misses(3, 1, 127, 0.027)),
    0.001: (Misses(1, 1, 802, 0.330), Misses(3, 1, 127, 0.080)),
}
"""The same where each face is decided on alone."""


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What one target means.

    Attributes:
        thresholds: of each look at a passage, the first of one face; infinite while nobody is
            matched.
        last_look_thresholds: of the last look at a passage that ended with one face, two and so on;
            empty where each face is decided on alone.
        false_alerts: to expect in `PASSAGES` passages of strangers, at most.
        misses: what was measured at this target; empty where nothing was.
    """

    target_fpir: float
    thresholds: tuple[float, ...]
    last_look_thresholds: tuple[float, ...]
    false_alerts: float
    misses: tuple[Misses, ...]

    def fields(self) -> dict[str, Any]:
        """The point as JSON has it: null for an infinite threshold."""
        return {
            "target_fpir": round(self.target_fpir, 6),
            "thresholds": [finite(one) for one in self.thresholds],
            "last_look_thresholds": [finite(one) for one in self.last_look_thresholds],
            "false_alerts": round(self.false_alerts, 2),
            "measured_fnir": [asdict(one) for one in self.misses],
        }


def operating_points(
    threshold_for: Callable[[float, float], float],
    target_fpir: float,
    *,
    encoder_id: str,
    has_passages: bool,
) -> tuple[OperatingPoint, ...]:
    """The usual operating points and the present target, the loosest first.

    Args:
        encoder_id: what made the templates.
        threshold_for: the threshold of a watch-list for a target FPIR and a number of probes.
        has_passages: whether faces are decided on by passages, and not each alone.
    """
    looks = LOOKS if has_passages else (ONLY,)
    targets = sorted({*OPERATING_POINTS, target_fpir}, reverse=True)
    found = (_point(threshold_for, target, looks) for target in targets)
    if encoder_id != MEASURED_ENCODER:
        return tuple(replace(one, misses=()) for one in found)
    return tuple(found)


def extrapolation(people: int) -> str | None:
    """What to know about the rates of a watch-list that is longer than those measured."""
    if people <= MEASURED_PEOPLE:
        return None
    return (
        f"false alert rates were measured on watch-lists of up to {MEASURED_PEOPLE:,} people; this "
        f"one has {people:,}, {people / MEASURED_PEOPLE:.1f} times as many, for which they are "
        "extrapolated: judge alerts, and compare `susracker alerts stats` with the target"
    )


def finite(threshold: float) -> float | None:
    """A threshold as JSON has it, which knows no infinity."""
    return round(threshold, 3) if math.isfinite(threshold) else None


def _point(
    threshold_for: Callable[[float, float], float], target: float, looks: tuple[Look, ...]
) -> OperatingPoint:
    def thresholds(of: tuple[Look, ...]) -> tuple[float, ...]:
        return tuple(threshold_for(look.share * target, look.probes) for look in of)

    has_passages = len(looks) > 1
    last = LAST_LOOKS if has_passages else ()
    return OperatingPoint(
        target,
        thresholds(looks),
        thresholds(last),
        PASSAGES * target,
        _misses(target, has_passages),
    )


def _misses(target: float, has_passages: bool) -> tuple[Misses, ...]:
    if not has_passages:
        return OF_FACES.get(target, ())
    return tuple(Misses(1, n, 804, fnir) for n, fnir in enumerate(OF_PASSAGES.get(target, ()), 1))
