"""1:N with strangers: how often one raises an alert, and how often a wanted person does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from susracker.benchmark.embedding import Embedded
from susracker.benchmark.metrics import (
    Flags,
    Indices,
    Interval,
    Numbers,
    bootstrap_interval,
    fnir,
    fpir,
    proportion_interval,
    threshold_for,
)
from susracker.benchmark.protocols import Search
from susracker.benchmark.rules import Rule, photos_of, stack_templates
from susracker.errors import InputError
from susracker.watchlist.fitting import fit_scoring
from susracker.watchlist.scoring import Scoring

HALVINGS = 3
"""How many times the strangers are halved for cross-fitting."""

MIN_STRANGERS, MIN_ENROLLED = 100, 20
"""Fewer do not have the comparisons that the tail of impostor scores is fitted to."""

RuleMaker = Callable[[Sequence[Sequence[Embedded]], Scoring], Rule]
"""Makes a rule for people who are enrolled, and a scoring."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One watch-list, searched.

    Attributes:
        right: of each mated search, whether its person came first.
        mated: score of who came first in each mated search.
        strangers: indices of the strangers that were searched.
        others: score of who came first in their searches.
        first: index of who came first in the mated searches, and in the strangers'.
        threshold: the product's own.
    """

    right: Flags
    mated: Numbers
    mated_first: Indices
    strangers: Indices
    others: Numbers
    others_first: Indices
    threshold: float


@dataclass(frozen=True, slots=True, eq=False)
class Identification:
    """What searching showed; rates are means over `trials`, intervals are of 95%.

    Attributes:
        trials: several where they were cross-fitted, each with half of the strangers.
    """

    rule: str
    photos_each: int
    target_fpir: float
    search: Search
    trials: list[Trial]
    seed: int

    @property
    def enrolled(self) -> int:
        """People on the watch-list."""
        return len(self.search.enrolled)

    @property
    def threshold(self) -> float:
        """The product's own."""
        return _mean(trial.threshold for trial in self.trials)

    def rank1(self) -> float:
        """Share of mated searches in which the person came first, at whatever score."""
        return _mean(float(trial.right.mean()) for trial in self.trials)

    def rank1_interval(self) -> Interval:
        """Of `rank1`."""
        return self._bootstrap(
            lambda trial, people, strangers: 1 - fnir(trial.right, trial.mated, -np.inf, people)
        )

    def fnir_at_fpir(self, rate: float) -> float:
        """FNIR at the lowest threshold that a share `rate` of these strangers reach."""
        return _mean(
            fnir(trial.right, trial.mated, threshold_for(trial.others, rate))
            for trial in self.trials
        )

    def fnir_at_fpir_interval(self, rate: float) -> Interval:
        """Of `fnir_at_fpir`: both the strangers and the enrolled are drawn again."""

        def statistic(trial: Trial, people: Numbers, strangers: Numbers) -> float:
            threshold = threshold_for(trial.others, rate, strangers)
            return fnir(trial.right, trial.mated, threshold, people)

        return self._bootstrap(statistic)

    def realised_fpir(self, chosen: Flags | None = None) -> float:
        """Share of strangers, or of those `chosen`, who raise an alert at the product's own
        threshold."""
        return _mean(
            fpir(trial.others[_among(trial, chosen)], trial.threshold) for trial in self.trials
        )

    def realised_fpir_interval(self, chosen: Flags | None = None) -> Interval:
        """Of `realised_fpir`."""
        count = len(self.search.strangers) if chosen is None else int(chosen.sum())
        return proportion_interval(self.realised_fpir(chosen), count)

    def realised_fnir(self, chosen: Flags | None = None) -> float:
        """Share of mated searches, or of those `chosen`, that the product misses."""
        return _mean(
            fnir(trial.right[_all(chosen)], trial.mated[_all(chosen)], trial.threshold)
            for trial in self.trials
        )

    def realised_fnir_interval(self, chosen: Flags | None = None) -> Interval:
        """Of `realised_fnir`."""
        weights = np.ones(len(self.search.mated)) if chosen is None else chosen.astype(np.float64)

        def statistic(trial: Trial, people: Numbers, strangers: Numbers) -> float:
            if not (people * weights).any():
                return np.nan
            return fnir(trial.right, trial.mated, trial.threshold, people * weights)

        return self._bootstrap(statistic)

    def _bootstrap(self, statistic: Callable[[Trial, Numbers, Numbers], float]) -> Interval:
        def of_draw(people: Numbers, strangers: Numbers) -> float:
            drawn = people[self.search.owners]
            return _mean(
                statistic(trial, drawn, strangers[trial.strangers]) for trial in self.trials
            )

        return bootstrap_interval(of_draw, self.enrolled, len(self.search.strangers), self.seed)


def identify(
    search: Search,
    embedded: Mapping[Path, Embedded],
    make_rule: RuleMaker,
    scorings: Sequence[tuple[Scoring, Indices]],
) -> list[Trial]:
    """Search for everyone, once for each scoring, with the strangers that go with it."""
    people = photos_of(search.enrolled, embedded)
    trials = []
    for scoring, strangers in scorings:
        with closing(make_rule(people, scoring)) as rule:
            mated = rule.search([embedded[photo] for photo in search.mated])
            others = rule.search([embedded[search.strangers[index]] for index in strangers])
        trials.append(
            Trial(
                right=mated.best == search.owners,
                mated=mated.scores,
                mated_first=mated.best,
                strangers=strangers,
                others=others.scores,
                others_first=others.best,
                threshold=rule.threshold,
            )
        )
    return trials


def cross_fitted(
    search: Search, embedded: Mapping[Path, Embedded], seed: int
) -> Iterator[tuple[Scoring, Indices]]:
    """Scorings of one half of the strangers, each with the other half, that tests it.

    Raises:
        InputError: there are too few people for it.
    """
    if len(search.strangers) < MIN_STRANGERS or len(search.enrolled) < MIN_ENROLLED:
        raise InputError(
            f"--cross-fit needs {MIN_STRANGERS} strangers and {MIN_ENROLLED} enrolled people; "
            f"here are {len(search.strangers)} and {len(search.enrolled)}"
        )
    strangers = stack_templates([embedded[photo] for photo in search.strangers])
    people = [stack_templates(photos) for photos in photos_of(search.enrolled, embedded)]
    for halving in range(seed, seed + HALVINGS):
        order = np.random.default_rng(halving).permutation(len(strangers))
        halves = np.array_split(order, 2)
        for fit, test in (halves, halves[::-1]):
            yield fit_scoring(strangers[fit], people, seed=halving), test


def _among(trial: Trial, chosen: Flags | None) -> Flags | slice:
    return slice(None) if chosen is None else chosen[trial.strangers]


def _all(chosen: Flags | None) -> Flags | slice:
    return slice(None) if chosen is None else chosen


def _mean(values: Iterator[float]) -> float:
    return float(np.mean(list(values)))
