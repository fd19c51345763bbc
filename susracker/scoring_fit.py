"""Fits a scoring to development faces: the cohort of virtual people, and what impostors score."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from susracker.models import Vectors
from susracker.scoring import MAX_CLASS, SCORES, Scoring, normalise

COHORT_SIZE = 8000

SPLITS, FOLDS = 2, 5
"""How many times the people are split into how many parts, to measure impostor scores of each part
with a cohort of the others: nearly as many people as the final cohort has."""

TRUSTED_COMPARISONS = 20
"""Below so many comparisons a share is extrapolated, not measured."""

TAIL_START = 1e-2
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


def fit_scoring(
    faces: Vectors, enrolled: Mapping[int, Vectors] | None = None, seed: int = 0
) -> Scoring:
    """A scoring from development people.

    Args:
        faces: one embedding a person; the cohort is made of all of them.
        enrolled: by class, fused templates of further people to compare `faces` with as
            impostors; a class that is left out is taken to be like the class before it, and the
            first class to be like `faces` compared with each other.
    """
    random = np.random.default_rng(seed)
    histograms = np.zeros((MAX_CLASS, len(SCORES) + 1))
    for _ in range(SPLITS):
        for part in np.array_split(random.permutation(len(faces)), FOLDS):
            cohort = virtual_people(np.delete(faces, part, axis=0), COHORT_SIZE, random)
            _count_impostors(histograms, Scoring(cohort, np.empty(0)), faces[part], enrolled or {})
    tables: list[NDArray[np.float64]] = []
    for histogram in histograms:
        tables.append(_log_shares(histogram) if histogram.any() else tables[-1])
    return Scoring(virtual_people(faces, COHORT_SIZE, random), np.array(tables))


def _count_impostors(
    histograms: Histogram, scoring: Scoring, strangers: Vectors, enrolled: Mapping[int, Vectors]
) -> None:
    probes = scoring.statistics(strangers)
    if 1 not in enrolled:
        scores = normalise(strangers @ strangers.T, probes, probes)
        histograms[0] += _histogram(scores[~np.eye(len(strangers), dtype=bool)])
    for kind, people in enrolled.items():
        scores = normalise(strangers @ people.T, probes, scoring.statistics(people))
        histograms[kind - 1] += _histogram(scores.ravel())


def _histogram(scores: NDArray[np.float32]) -> Histogram:
    """Counts below the first of `SCORES`, between each two, and from the last on."""
    edges = np.concatenate([[-np.inf], SCORES, [np.inf]])
    return np.histogram(scores, edges)[0].astype(np.float64)


def _log_shares(histogram: Histogram) -> Histogram:
    """Logarithm of the share of scores at or above each of `SCORES`.

    Where too few comparisons are left to count, the tail goes on as the parabola, which is a
    normal distribution's, or the straight line, if that is what fits where there are enough.
    """
    above = histogram[::-1].cumsum()[::-1][1:]
    shares = above / histogram.sum()
    counted = above >= TRUSTED_COMPARISONS
    tail = counted & (shares <= TAIL_START)
    logs: Histogram = np.log(np.maximum(shares, 1e-300))
    curve = np.polyfit(SCORES[tail], logs[tail], 2)
    if curve[0] > 0:
        curve = np.polyfit(SCORES[tail], logs[tail], 1)
    fitted = np.polyval(curve, SCORES)
    last = np.flatnonzero(counted)[-1]
    return np.where(counted, logs, logs[last] + fitted - fitted[last])
