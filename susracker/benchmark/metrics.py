"""Error rates as ISO/IEC 19795-1 defines them, from scores of which higher ones are more alike.

The threshold for a rate is the lowest at which the rate is not exceeded. It is never interpolated
between two scores, because no such threshold could be set.
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
"""Bootstrap samples: 25 of them lie beyond each end of a 95% interval."""

NORMAL_95 = 1.959964
"""95% of a normal distribution lie within this many standard deviations."""


def threshold_for(impostors: Numbers, rate: float, weights: Numbers | None = None) -> float:
    """The lowest threshold that a share of at most `rate` of `impostors` reach.

    Args:
        impostors: scores, shape (n,).
        weights: how often each of them counts, shape (n,); once by default.
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
    """Share of genuine comparisons accepted at a false accept rate of at most `rate`."""
    return float(np.mean(genuine >= threshold_for(impostors, rate)))


def roc(genuine: Numbers, impostors: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """False accept rates, true accept rates, and the thresholds at which they change.

    Thresholds descend from infinity, which nothing reaches; the rates ascend.
    """
    thresholds = np.concatenate([[math.inf], np.unique(np.concatenate([genuine, impostors]))[::-1]])
    return _reaching(impostors, thresholds), _reaching(genuine, thresholds), thresholds


def _reaching(scores: Numbers, thresholds: Numbers) -> Numbers:
    """Share of scores that reach each threshold."""
    below = np.searchsorted(np.sort(scores), thresholds, side="left")
    return np.asarray(1 - below / len(scores), np.float64)


def auc(genuine: Numbers, impostors: Numbers) -> float:
    """How often a genuine comparison scores higher than an impostor comparison; ties count half."""
    ordered = np.sort(impostors)
    below = np.searchsorted(ordered, genuine, side="left")
    not_above = np.searchsorted(ordered, genuine, side="right")
    return float(np.mean(below + not_above) / 2 / len(impostors))


def equal_error_rate(genuine: Numbers, impostors: Numbers) -> float:
    """The mean of the false accept rate and the false reject rate at the threshold at which they
    are nearest to each other."""
    far, tar, _ = roc(genuine, impostors)
    nearest = np.argmin(np.abs(far - (1 - tar)))
    return float((far[nearest] + 1 - tar[nearest]) / 2)


def fold_accuracies(scores: Numbers, same: Flags, folds: Sequence[Indices]) -> Numbers:
    """Share of pairs decided correctly in each fold, at the best threshold of the other folds.

    Args:
        scores: score of each pair, shape (n,).
        same: whether each pair shows one person, shape (n,).
        folds: indices of each fold's pairs; two folds or more.
    """
    accuracies = []
    for fold in folds:
        others = np.setdiff1d(np.arange(len(scores)), fold)
        threshold = _most_accurate(scores[others], same[others])
        accuracies.append(np.mean((scores[fold] >= threshold) == same[fold]))
    return np.array(accuracies)


def _most_accurate(scores: Numbers, same: Flags) -> float:
    """The threshold that decides most pairs correctly, halfway between two scores; of several, the
    middle one."""
    values = np.unique(scores)
    thresholds = np.concatenate([values[:1] - 1, (values[:-1] + values[1:]) / 2, values[-1:] + 1])
    accepted = _reaching(scores[same], thresholds) * same.sum()
    rejected = (1 - _reaching(scores[~same], thresholds)) * (~same).sum()
    correct = np.round(accepted + rejected)
    best = np.flatnonzero(correct == correct.max())
    return float(thresholds[best[len(best) // 2]])


def fnir(
    correct: Flags, scores: Numbers, threshold: float, weights: Numbers | None = None
) -> float:
    """False negative identification rate: the share of mated searches that return another person
    first, or nobody.

    Args:
        correct: whether the right person came first in each search, shape (n,).
        scores: score of the first candidate, shape (n,).
        weights: how often each search counts, shape (n,); once by default.
    """
    return 1 - float(np.average(correct & (scores >= threshold), weights=weights))


def fpir(scores: Numbers, threshold: float) -> float:
    """False positive identification rate: the share of non-mated searches whose first candidate
    reaches the threshold."""
    return float(np.mean(scores >= threshold))


def proportion_interval(share: float, count: int) -> Interval:
    """95% interval of a share of `count` independent trials, by Wilson (1927). Unlike others, it
    has a width even if the share is 0 or 1."""
    square = NORMAL_95**2 / count
    middle = (share + square / 2) / (1 + square)
    half = math.sqrt(share * (1 - share) * square + square**2 / 4) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)


def bootstrap_interval(
    statistic: Callable[[Numbers, Numbers], float], enrolled: int, non_mated: int, seed: int
) -> Interval:
    """95% interval of `statistic` over people drawn with replacement.

    People are drawn, not searches, because searches for one person are correlated.

    Args:
        statistic: takes how often each enrolled person was drawn, shape (enrolled,), and how often
            each person who is not enrolled was, shape (non_mated,). NaN is left out.
    """
    random = np.random.default_rng(seed)
    values = [
        statistic(_draw(random, enrolled), _draw(random, non_mated)) for _ in range(RESAMPLES)
    ]
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)


def _draw(random: np.random.Generator, count: int) -> Numbers:
    return np.bincount(random.integers(0, count, count), minlength=count).astype(np.float64)
