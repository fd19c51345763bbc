"""By how much the threshold is off for the strangers of a dataset."""

from __future__ import annotations

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
"""Strangers above a threshold that it takes to measure one: the rate is then within a factor of
two of the true one, nineteen times in twenty."""

MOST_RATE = 0.2
"""Above it a threshold says nothing of the tail that false alerts come from."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What strangers showed.

    Attributes:
        shift: for the setting `threshold_shift`.
        rate: the FPIR at which it was measured: the target, or a higher one where there are too
            few strangers for that.
    """

    shift: float
    rate: float
    strangers: int


def calibrate(
    search: Search,
    embedded: Mapping[Path, Embedded],
    scoring: Scoring,
    matcher: str,
    target_fpir: float,
) -> Calibration:
    """Compare the threshold that a share of these strangers reaches with the product's.

    Raises:
        InputError: there are too few strangers.
    """
    strangers = [embedded[photo] for photo in search.strangers]
    if len(strangers) < ALERTS / MOST_RATE:
        raise InputError(
            f"{len(strangers)} strangers are too few to measure a threshold on: it takes"
            f" {ALERTS / MOST_RATE:.0f}, people with one photo each; nothing was changed"
        )
    rate = max(target_fpir, ALERTS / len(strangers))
    people = photos_of(search.enrolled, embedded)
    with closing(AsNorm(people, scoring, matcher, rate)) as rule:
        measured = threshold_for(rule.search(strangers).scores, rate)
    return Calibration(round(measured - rule.threshold, 3), rate, len(strangers))
