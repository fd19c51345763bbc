"""1:N open-set identification: how often non-mated searches return someone and mated ones miss."""

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
"""How many times the people who are not enrolled are halved for cross-fitting."""

MIN_NOT_ENROLLED, MIN_ENROLLED = 100, 20
"""With fewer people, there are too few comparisons to fit a scoring to."""

RuleMaker = Callable[[Sequence[Sequence[Embedded]], Scoring], Rule]
"""Makes a rule from the templates of each enrolled person and a scoring."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """The searches of one watch-list.

    Attributes:
        correct: whether the right person came first in each mated search.
        mated_scores: score of the first candidate in each mated search.
        mated_first: index of that candidate among the enrolled people.
        non_mated: which of the non-mated searches were made, as indices.
        non_mated_scores: score of the first candidate in each of them.
        non_mated_first: index of that candidate among the enrolled people.
        threshold: the rule's own.
    """

    correct: Flags
    mated_scores: Numbers
    mated_first: Indices
    non_mated: Indices
    non_mated_scores: Numbers
    non_mated_first: Indices
    threshold: float


@dataclass(frozen=True, slots=True, eq=False)
class Identification:
    """The results of an experiment. Rates are means over the trials; intervals are of 95%.

    Attributes:
        trials: one, or with cross-fitting several, each with half of the non-mated searches.
    """

    rule: str
    photos_each: int
    target_fpir: float
    search: Search
    trials: list[Trial]
    seed: int

    @property
    def enrolled(self) -> int:
        """The number of people enrolled."""
        return len(self.search.enrolled)

    @property
    def threshold(self) -> float:
        """The rule's own; the mean over the trials."""
        return _mean(trial.threshold for trial in self.trials)

    def rank1(self) -> float:
        """Share of mated searches in which the right person came first, whatever the score."""
        return _mean(float(trial.correct.mean()) for trial in self.trials)

    def rank1_interval(self) -> Interval:
        """The interval of `rank1`."""
        return self._bootstrap(lambda trial, people, _: 1 - _fnir(trial, -np.inf, weights=people))

    def fnir_at_fpir(self, rate: float) -> float:
        """FNIR at the lowest threshold that a share of at most `rate` of the non-mated searches
        reach."""
        return _mean(
            _fnir(trial, threshold_for(trial.non_mated_scores, rate)) for trial in self.trials
        )

    def fnir_at_fpir_interval(self, rate: float) -> Interval:
        """The interval of `fnir_at_fpir`; mated and non-mated people are both resampled."""

        def statistic(trial: Trial, people: Numbers, non_mated: Numbers) -> float:
            threshold = threshold_for(trial.non_mated_scores, rate, non_mated)
            return _fnir(trial, threshold, weights=people)

        return self._bootstrap(statistic)

    def realised_fpir(self, chosen: Flags | None = None) -> float:
        """Share of non-mated searches that return someone at the rule's own threshold.

        Args:
            chosen: which of `search.non_mated` to count; by default all of them.
        """
        return _mean(
            fpir(trial.non_mated_scores[_among(trial, chosen)], trial.threshold)
            for trial in self.trials
        )

    def realised_fpir_interval(self, chosen: Flags | None = None) -> Interval:
        """The interval of `realised_fpir`."""
        count = len(self.search.non_mated) if chosen is None else int(chosen.sum())
        return proportion_interval(self.realised_fpir(chosen), count)

    def realised_fnir(self, chosen: Flags | None = None) -> float:
        """Share of mated searches that miss at the rule's own threshold.

        Args:
            chosen: which of `search.mated` to count; by default all of them.
        """
        weights = None if chosen is None else chosen.astype(np.float64)
        return _mean(_fnir(trial, trial.threshold, weights) for trial in self.trials)

    def realised_fnir_interval(self, chosen: Flags | None = None) -> Interval:
        """The interval of `realised_fnir`."""
        weights = np.ones(len(self.search.mated)) if chosen is None else chosen.astype(np.float64)

        def statistic(trial: Trial, people: Numbers, _: Numbers) -> float:
            if not (people * weights).any():
                return np.nan
            return _fnir(trial, trial.threshold, people * weights)

        return self._bootstrap(statistic)

    def _bootstrap(self, statistic: Callable[[Trial, Numbers, Numbers], float]) -> Interval:
        def of_draw(people: Numbers, non_mated: Numbers) -> float:
            drawn = people[self.search.owners]
            return _mean(
                statistic(trial, drawn, non_mated[trial.non_mated]) for trial in self.trials
            )

        return bootstrap_interval(of_draw, self.enrolled, len(self.search.non_mated), self.seed)


def identify(
    search: Search,
    embedded: Mapping[Path, Embedded],
    make_rule: RuleMaker,
    scorings: Sequence[tuple[Scoring, Indices]],
) -> list[Trial]:
    """Make a trial with each scoring: all mated searches, and the non-mated ones given with it."""
    people = photos_of(search.enrolled, embedded)
    trials = []
    for scoring, indices in scorings:
        with closing(make_rule(people, scoring)) as rule:
            mated = rule.search([embedded[photo] for photo in search.mated])
            non_mated = rule.search([embedded[search.non_mated[index]] for index in indices])
        trials.append(
            Trial(
                correct=mated.best == search.owners,
                mated_scores=mated.scores,
                mated_first=mated.best,
                non_mated=indices,
                non_mated_scores=non_mated.scores,
                non_mated_first=non_mated.best,
                threshold=rule.threshold,
            )
        )
    return trials


def cross_fitted(
    search: Search, embedded: Mapping[Path, Embedded], seed: int
) -> Iterator[tuple[Scoring, Indices]]:
    """Fit scorings to half of the people who are not enrolled; each comes with the indices of the
    other half's non-mated searches, which test it.

    Raises:
        InputError: there are too few people.
    """
    if len(search.non_mated) < MIN_NOT_ENROLLED or len(search.enrolled) < MIN_ENROLLED:
        raise InputError(
            f"--cross-fit needs {MIN_NOT_ENROLLED} people with one photo and {MIN_ENROLLED} with"
            f" several; here are {len(search.non_mated)} and {len(search.enrolled)}"
        )
    faces = stack_templates([embedded[photo] for photo in search.non_mated])
    people = [stack_templates(photos) for photos in photos_of(search.enrolled, embedded)]
    for halving in range(seed, seed + HALVINGS):
        order = np.random.default_rng(halving).permutation(len(faces))
        halves = np.array_split(order, 2)
        for fit, test in (halves, halves[::-1]):
            yield fit_scoring(faces[fit], people, seed=halving), test


def _among(trial: Trial, chosen: Flags | None) -> Flags | slice:
    return slice(None) if chosen is None else chosen[trial.non_mated]


def _fnir(trial: Trial, threshold: float, weights: Numbers | None = None) -> float:
    return fnir(trial.correct, trial.mated_scores, threshold, weights)


def _mean(values: Iterator[float]) -> float:
    return float(np.mean(list(values)))
