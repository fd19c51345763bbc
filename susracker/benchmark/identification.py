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
from susracker.benchmark.protocols import NOT_ENROLLED, Frames, Search
from susracker.benchmark.rules import Results, Rule, fillers, fused, photos_of, stack_templates
from susracker.errors import InputError
from susracker.watchlist.fitting import fit_scoring
from susracker.watchlist.scoring import Scoring

HALVINGS = 3
"""How many times the people who are not enrolled are halved for cross-fitting."""

MIN_NOT_ENROLLED, MIN_ENROLLED = 100, 20
"""With fewer people, there are too few comparisons to fit a scoring to."""

PARTS = 10
"""Enrolled people whose photos are searched for as strangers' are left out of the watch-list in so
many parts, one after another."""

RuleMaker = Callable[[Sequence[Sequence[Embedded]], Scoring], Rule]
"""Makes a rule from the templates of each enrolled person and a scoring."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """The searches of one watch-list.

    Attributes:
        correct: whether the right person came first in each mated search.
        mated_scores: score of the first candidate in each mated search.
        mated_first: index of that candidate among the enrolled people, whom virtual ones follow.
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
        frames: how many photos each probe was fused from.
        fpirs: the rates at which FNIR is reported.
    """

    rule: str
    photos_each: int
    target_fpir: float
    search: Search
    trials: list[Trial]
    seed: int
    frames: int = 1
    fpirs: Sequence[float] = (0.1, 0.01, 0.001)

    def can_tell(self, rate: float) -> bool:
        """Whether there are enough non-mated searches to tell the threshold for an FPIR: at `rate`,
        one or more would return someone."""
        return rate * min(len(trial.non_mated) for trial in self.trials) >= 1

    @property
    def enrolled(self) -> int:
        """The number of people enrolled, without virtual ones."""
        return len(self.search.enrolled)

    @property
    def listed(self) -> int:
        """The length of the watch-list."""
        return self.enrolled + self.search.virtual

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
    enrolled = photos_of(search.enrolled, embedded)
    trials = []
    for scoring, indices in scorings:
        people = enrolled + fillers(search.virtual, scoring, enrolled)
        with closing(make_rule(people, scoring)) as rule:
            mated = rule.search([_probe(frames, embedded) for frames in search.mated_frames])
            probes = [_probe(search.non_mated_frames[index], embedded) for index in indices]
            left_out = search.left_out[indices]
            non_mated = _non_mated(rule, make_rule, scoring, people, probes, left_out)
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


def _non_mated(
    rule: Rule,
    make_rule: RuleMaker,
    scoring: Scoring,
    people: Sequence[Sequence[Embedded]],
    probes: Sequence[Embedded],
    left_out: Indices,
) -> Results:
    """Search for each probe without the person who is left out for it.

    A watch-list without some people is shorter: its scores are moved by the difference between the
    two thresholds, as if it were not.
    """
    best, scores = np.zeros(len(probes), np.int64), np.zeros(len(probes))
    whole = np.flatnonzero(left_out == NOT_ENROLLED)
    if len(whole):
        found = rule.search([probes[index] for index in whole.tolist()])
        best[whole], scores[whole] = found.best, found.scores
    owners = np.unique(left_out[left_out != NOT_ENROLLED])
    for part in np.array_split(owners, min(PARTS, len(owners)) or 1):
        chosen = np.flatnonzero(np.isin(left_out, part))
        if len(chosen):
            others = np.setdiff1d(np.arange(len(people)), part)
            listed = [people[index] for index in others.tolist()]
            with closing(make_rule(listed, scoring)) as shorter:
                found = shorter.search([probes[index] for index in chosen.tolist()])
            best[chosen] = others[found.best]
            moved = rule.threshold - shorter.threshold if np.isfinite(rule.threshold) else 0.0
            scores[chosen] = found.scores + moved
    return Results(best, scores)


def _probe(frames: Frames, embedded: Mapping[Path, Embedded]) -> Embedded:
    return fused([embedded[photo] for photo in frames])


def cross_fitted(
    search: Search, embedded: Mapping[Path, Embedded], seed: int
) -> Iterator[tuple[Scoring, Indices]]:
    """Fit scorings to half of the people who are not enrolled; each comes with the indices of the
    other half's non-mated searches, which test it.

    Raises:
        InputError: there are too few people.
    """
    if len(search.singles) < MIN_NOT_ENROLLED or len(search.enrolled) < MIN_ENROLLED:
        raise InputError(
            f"--cross-fit needs {MIN_NOT_ENROLLED} people with one photo and {MIN_ENROLLED} with"
            f" several; here are {len(search.singles)} and {len(search.enrolled)}"
        )
    faces = stack_templates([embedded[photo] for photo in search.singles])
    people = [stack_templates(photos) for photos in photos_of(search.enrolled, embedded)]
    everything = [np.stack([embedded[one].probe for one in photos]) for photos in search.photos]
    for halving in range(seed, seed + HALVINGS):
        random = np.random.default_rng(halving)
        halves = np.array_split(random.permutation(len(faces)), 2)
        people_halves = np.array_split(random.permutation(len(people)), 2)
        for fit in (0, 1):
            known = {} if search.is_of_single_photos else people_halves[fit].tolist()
            scoring = fit_scoring(
                faces[halves[fit]], people, {one: everything[one] for one in known}, seed=halving
            )
            yield scoring, _unknown(search, halves[1 - fit], people_halves[fit])


def _unknown(search: Search, faces: Indices, known_people: Indices) -> Indices:
    """The non-mated searches for people whom a scoring was not fitted to.

    Args:
        faces: indices of the single photos that it was not fitted to.
        known_people: indices of the enrolled people whose photos it was fitted to.
    """
    if search.is_of_single_photos:
        return faces
    return np.flatnonzero(~np.isin(search.left_out, known_people))


def _among(trial: Trial, chosen: Flags | None) -> Flags | slice:
    return slice(None) if chosen is None else chosen[trial.non_mated]


def _fnir(trial: Trial, threshold: float, weights: Numbers | None = None) -> float:
    return fnir(trial.correct, trial.mated_scores, threshold, weights)


def _mean(values: Iterator[float]) -> float:
    return float(np.mean(list(values)))
