"""Fits a scoring to development faces: the cohort of virtual people, and what impostors score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from susracker.models import Vectors
from susracker.watchlist.scoring import (
    MAX_CLASS,
    SCORES,
    LogShares,
    Scores,
    Scoring,
    fuse,
    normalise,
)

COHORT_SIZE = 8000

SPLITS, FOLDS = 2, 5
"""How many times the people are split into how many parts, to measure impostor scores of each part
with a cohort of the others: nearly as many people as the final cohort has."""

TRUSTED_OF_CLASS, TRUSTED_OF_ALL = 100, 20
"""Where fewer comparisons score as high, the share in a class goes on as that in all classes does,
whose tails are alike; and that goes on as fitted."""

TAIL_START = 1e-3
"""The share of impostor scores from which on the extrapolated tail is fitted."""

Histogram = NDArray[np.float64]


def virtual_people(faces: Vectors, count: int, random: np.random.Generator) -> Vectors:
    """Embeddings of people who do not exist, shape (count, dimension).

    Each is `mu + (a + b - 2 mu) / sqrt(2)` of two people's embeddings: two independent halves
    have the variance of one whole, so virtual people scatter around the mean as real ones do.

    Args:
        faces: one embedding a person, at least two of them.
    """
    mean = faces.mean(axis=0)
    first = random.integers(0, len(faces), count)
    second = (first + random.integers(1, len(faces), count)) % len(faces)
    people = mean + (faces[first] + faces[second] - 2 * mean) / np.sqrt(2)
    return np.asarray(people / np.linalg.norm(people, axis=1, keepdims=True), np.float32)


def fit_scoring(strangers: Vectors, people: Sequence[Vectors], seed: int = 0) -> Scoring:
    """A scoring from development people.

    Args:
        strangers: one embedding a person, shape (n, dimension). The cohort is made of them, and
            they are compared with `people`, each part with a cohort of the other parts.
        people: other people's embeddings, shape (photos, dimension) each: whom the strangers are
            mistaken for. Of a class that none of them has photos enough for, scores are taken to
            be as of the class before.
    """
    random = np.random.default_rng(seed)
    histograms = np.zeros((2, MAX_CLASS, len(SCORES) + 1))
    galleries = _galleries(people)
    for _ in range(SPLITS):
        for part in np.array_split(random.permutation(len(strangers)), FOLDS):
            cohort = virtual_people(np.delete(strangers, part, axis=0), COHORT_SIZE, random)
            for kind, (gallery, chosen) in galleries.items():
                for joined, members in enumerate((cohort, np.concatenate([cohort, gallery]))):
                    histograms[joined, kind - 1] += _histogram(
                        _scores(members, strangers[part], gallery[chosen])
                    )
    log_shares, joined_log_shares = (_all_log_shares(rows, len(galleries)) for rows in histograms)
    return Scoring(
        cohort=virtual_people(strangers, COHORT_SIZE, random),
        log_shares=log_shares,
        joined_log_shares=joined_log_shares,
        joined_people=len(people),
    )


def _galleries(people: Sequence[Vectors]) -> dict[int, tuple[Vectors, NDArray[np.bool_]]]:
    """By class, everyone's fused templates of so many photos at most, and who has so many."""
    galleries = {}
    for kind in range(1, MAX_CLASS + 1):
        chosen = np.array([len(photos) >= kind for photos in people])
        if chosen.any():
            galleries[kind] = np.stack([fuse(photos[:kind]) for photos in people]), chosen
    return galleries


def _scores(cohort: Vectors, strangers: Vectors, criminals: Vectors) -> Scores:
    """What strangers score against criminals, shape (n, m)."""
    none = np.empty((0, 0))
    scoring = Scoring(cohort, none, none, joined_people=1)
    probes, enrolled = scoring.statistics(strangers), scoring.statistics(criminals)
    return normalise(strangers @ criminals.T, probes, enrolled)


def _histogram(scores: Scores) -> Histogram:
    """Counts below the first of `SCORES`, between each two, and from the last on."""
    edges = np.concatenate([[-np.inf], SCORES, [np.inf]])
    return np.histogram(scores.ravel(), edges)[0].astype(np.float64)


def _all_log_shares(histograms: Histogram, known: int) -> LogShares:
    """Logarithm of the share of scores at or above each of `SCORES`, by class, of which the first
    `known` were measured."""
    pooled = _pooled_log_shares(histograms.sum(axis=0))
    table = [_class_log_shares(histogram, pooled) for histogram in histograms[:known]]
    return np.array(table + (MAX_CLASS - known) * table[-1:])


def _class_log_shares(histogram: Histogram, pooled: LogShares) -> LogShares:
    above = _counts_above(histogram)
    last = np.flatnonzero(above >= TRUSTED_OF_CLASS)[-1]
    logs = np.log(np.maximum(above, 1) / histogram.sum())
    return np.asarray(np.where(above >= TRUSTED_OF_CLASS, logs, logs[last] + pooled - pooled[last]))


def _pooled_log_shares(histogram: Histogram) -> LogShares:
    """The tail goes on as the parabola, which is a normal distribution's, or the straight line, if
    that is what fits where there are comparisons enough."""
    above = _counts_above(histogram)
    logs: LogShares = np.log(np.maximum(above, 1) / histogram.sum())
    tail = (above >= TRUSTED_OF_ALL) & (above <= TAIL_START * histogram.sum())
    curve = np.polyfit(SCORES[tail], logs[tail], 2)
    if curve[0] > 0:
        curve = np.polyfit(SCORES[tail], logs[tail], 1)
    fitted = np.polyval(curve, SCORES)
    last = np.flatnonzero(above >= TRUSTED_OF_ALL)[-1]
    return np.where(above >= TRUSTED_OF_ALL, logs, logs[last] + fitted - fitted[last])


def _counts_above(histogram: Histogram) -> Histogram:
    """How many scores are at or above each of `SCORES`."""
    above: Histogram = histogram[::-1].cumsum()[::-1][1:]
    return above
