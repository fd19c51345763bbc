"""Error rates from scores, as ISO/IEC 19795-1 defines them; higher scores are more alike.

Where a rate has to be at most something, the threshold is the lowest at which it is: never an
interpolation between two scores, which nobody could set.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]
Interval = tuple[float, float]

RESAMPLES = 1000
"""Bootstrap samples: the ends of a 95% interval then have 25 samples beyond them."""

NORMAL_95 = 1.959964
"""Standard deviations that 95% of a normal distribution lie within."""


def threshold_for(impostors: Numbers, rate: float, weights: Numbers | None = None) -> float:
    """The lowest threshold that at most a share `rate` of `impostors` reach.

    Args:
        weights: how often each counts; once by default.
    """
    order = np.argsort(-impostors, kind="stable")
    scores = impostors[order]
    reaching = np.cumsum(np.ones(len(scores)) if weights is None else weights[order])
    # Equal scores reach a threshold together.
    ends = np.flatnonzero(np.append(scores[1:] != scores[:-1], True))
    too_many = ends[reaching[ends] > rate * reaching[-1] + 1e-9]
    if not len(too_many):
        return float(scores[-1])
    return float(np.nextafter(scores[too_many[0]], math.inf))


def tar_at_far(genuine: Numbers, impostors: Numbers, rate: float) -> float:
    """Share of genuine comparisons accepted where at most `rate` of impostors' are."""
    return float(np.mean(genuine >= threshold_for(impostors, rate)))


def roc(genuine: Numbers, impostors: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """False and true accept rates at every threshold that matters, ascending, and these
    thresholds, descending; they begin with a threshold that nothing reaches."""
    thresholds = np.concatenate([[math.inf], np.unique(np.concatenate([genuine, impostors]))[::-1]])
    return _reaching(impostors, thresholds), _reaching(genuine, thresholds), thresholds


def _reaching(scores: Numbers, thresholds: Numbers) -> Numbers:
    """Share of scores that reach each threshold."""
    below = np.searchsorted(np.sort(scores), thresholds, side="left")
    return np.asarray(1 - below / len(scores), np.float64)


def auc(genuine: Numbers, impostors: Numbers) -> float:
    """How often a genuine comparison scores above an impostor's; a tie is half."""
    ordered = np.sort(impostors)
    below = np.searchsorted(ordered, genuine, side="left")
    not_above = np.searchsorted(ordered, genuine, side="right")
    return float(np.mean(below + not_above) / 2 / len(impostors))


def equal_error_rate(genuine: Numbers, impostors: Numbers) -> float:
    """Where the rates of false accepts and of false rejects cross: their mean at the threshold at
    which they are nearest to each other."""
    far, tar, _ = roc(genuine, impostors)
    nearest = np.argmin(np.abs(far - (1 - tar)))
    return float((far[nearest] + 1 - tar[nearest]) / 2)


def fold_accuracies(scores: Numbers, same: Flags, folds: Sequence[Indices]) -> Numbers:
    """Share of pairs decided right in each fold, at the threshold best for the other folds.

    Args:
        same: whether each pair is of one person.
        folds: the pairs of each, of which there are two or more.
    """
    accuracies = []
    for fold in folds:
        others = np.setdiff1d(np.arange(len(scores)), fold)
        threshold = _most_accurate(scores[others], same[others])
        accuracies.append(np.mean((scores[fold] >= threshold) == same[fold]))
    return np.array(accuracies)


def _most_accurate(scores: Numbers, same: Flags) -> float:
    """Halfway between two scores, in the middle of where most pairs are decided right."""
    values = np.unique(scores)
    thresholds = np.concatenate([values[:1] - 1, (values[:-1] + values[1:]) / 2, values[-1:] + 1])
    accepted = _reaching(scores[same], thresholds) * same.sum()
    rejected = (1 - _reaching(scores[~same], thresholds)) * (~same).sum()
    right = np.round(accepted + rejected)
    best = np.flatnonzero(right == right.max())
    return float(thresholds[best[len(best) // 2]])


def fnir(right: Flags, scores: Numbers, threshold: float, weights: Numbers | None = None) -> float:
    """Share of mated searches that return another person first, or no one.

    Args:
        right: whether the person searched for came first.
        scores: of who came first.
    """
    return 1 - float(np.average(right & (scores >= threshold), weights=weights))


def fpir(scores: Numbers, threshold: float) -> float:
    """Share of strangers' searches whose first candidate scores the threshold."""
    return float(np.mean(scores >= threshold))


def proportion_interval(share: float, count: int) -> Interval:
    """95% interval of a share of `count` independent trials, by Wilson (1927): unlike others it
    has a width where nothing, or everything, was seen."""
    square = NORMAL_95**2 / count
    middle = (share + square / 2) / (1 + square)
    half = math.sqrt(share * (1 - share) * square + square**2 / 4) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)


def bootstrap_interval(
    statistic: Callable[[Numbers, Numbers], float], enrolled: int, strangers: int, seed: int
) -> Interval:
    """95% interval of `statistic` over people drawn with replacement.

    Searches of one person are alike, so people are drawn, not searches.

    Args:
        statistic: of how often each enrolled person, and each stranger, was drawn.
    """
    random = np.random.default_rng(seed)
    values = [
        statistic(_draw(random, enrolled), _draw(random, strangers)) for _ in range(RESAMPLES)
    ]
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)


def _draw(random: np.random.Generator, count: int) -> Numbers:
    return np.bincount(random.integers(0, count, count), minlength=count).astype(np.float64)
