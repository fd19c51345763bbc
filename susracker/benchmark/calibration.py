"""How far the threshold is off for the people of a dataset."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from susracker.benchmark.embedding import Embedded
from susracker.benchmark.metrics import threshold_for
from susracker.benchmark.protocols import Search
from susracker.benchmark.rules import AsNorm, photos_of
from susracker.errors import InputError
from susracker.watchlist.scoring import Scoring

ALERTS = 10
"""Non-mated searches above a threshold that are needed to measure it. The rate is then within a
factor of two of the true one, 19 times in 20."""

MAX_RATE = 0.2
"""A threshold for a higher rate says nothing about the tail that false alerts come from."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """The shift that fits a dataset.

    Attributes:
        shift: for the setting `threshold_shift`.
        rate: the FPIR at which it was measured: the target, or a higher one if there are too few
            searches to measure the target.
        non_mated: how many non-mated searches it was measured on.
    """

    shift: float
    rate: float
    non_mated: int


def searches_needed(target_fpir: float) -> int:
    """How many non-mated searches measure a rate."""
    return math.ceil(ALERTS / target_fpir)


def calibrate(
    search: Search,
    embedded: Mapping[Path, Embedded],
    scoring: Scoring,
    matcher: str,
    target_fpir: float,
) -> Calibration:
    """Compare the product's threshold with the one that has its FPIR in these searches.

    Raises:
        InputError: there are too few non-mated searches.
    """
    probes = [embedded[photo] for photo in search.non_mated]
    if len(probes) < ALERTS / MAX_RATE:
        raise InputError(
            f"{len(probes)} people with one photo are too few to measure a threshold on:"
            f" {ALERTS / MAX_RATE:.0f} are needed; nothing was changed"
        )
    rate = max(target_fpir, ALERTS / len(probes))
    people = photos_of(search.enrolled, embedded)
    with closing(AsNorm(people, scoring, matcher, rate)) as rule:
        measured = threshold_for(rule.search(probes).scores, rate)
    return Calibration(round(measured - rule.threshold, 3), rate, len(probes))
