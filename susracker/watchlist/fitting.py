"""Fits a scoring to development faces: a cohort of virtual people, and impostor distributions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from susracker.errors import InputError
from susracker.models import Vectors
from susracker.watchlist.fusion import fuse
from susracker.watchlist.scoring import (
    MAX_TEMPLATE_COUNT,
    PROBE_COUNTS,
    SCORES,
    CohortStatistics,
    LogShares,
    Scores,
    Scoring,
    normalise,
)

COHORT_SIZE = 8000

SPLITS, FOLDS = 2, 5
"""The people of the cohort are split this many times into this many parts, and each part is scored
with a cohort of the others, which is nearly as large as the final one."""

TRUSTED_FOR_COUNT, TRUSTED_FOR_ALL = 100, 20
"""Measured shares are used where at least this many comparisons score as high. Beyond that, the
distribution for one template count follows that for all counts, whose tail has the same shape, and
the latter follows a fitted curve."""

TAIL_START, TAIL_COMPARISONS = 1e-3, 200
"""The curve is fitted to the scores that at most this share of comparisons reach; of few
comparisons, to those that at most this number reach."""

MIN_PASSAGES = 50
"""With fewer people who have so many photos, the distribution of that many fused probes follows
those of fewer probes."""

Histogram = NDArray[np.float64]


def virtual_people(faces: Vectors, count: int, random: np.random.Generator) -> Vectors:
    """Embeddings of people who do not exist, unit length, shape (count, dimension).

    Each is `mu + (a + b - 2 mu) / sqrt(2)` of two people's embeddings. Two independent halves have
    the variance of one whole, so virtual people scatter around the mean as real ones do.

    Args:
        faces: one embedding of each person, shape (n, dimension), n >= 2.
    """
    mean = faces.mean(axis=0)
    first = random.integers(0, len(faces), count)
    second = (first + random.integers(1, len(faces), count)) % len(faces)
    people = mean + (faces[first] + faces[second] - 2 * mean) / np.sqrt(2)
    return np.asarray(people / np.linalg.norm(people, axis=1, keepdims=True), np.float32)


def fit_scoring(
    faces: Vectors,
    enrolled: Sequence[Vectors],
    passages: Mapping[int, Vectors] | None = None,
    seed: int = 0,
) -> Scoring:
    """Fit a scoring to development people.

    Args:
        faces: one embedding of each person, unit length, shape (n, dimension). The cohort is made
            of them. To measure what impostors score, each part of them is compared with `enrolled`,
            with a cohort of the other parts.
        enrolled: embeddings of other people, shape (photos, dimension) each. If too few of
            them have some template count, it gets the impostor distribution of the count below.
        passages: further embeddings of some people of `enrolled`, by their index, shape
            (photos, dimension). As many of them as `PROBE_COUNTS` says are fused and compared with
            everyone else. Without them, fused probes have the distribution of one.

    Raises:
        InputError: there are too few people.
    """
    random = np.random.default_rng(seed)
    histograms = np.zeros((2, len(PROBE_COUNTS), MAX_TEMPLATE_COUNT, len(SCORES) + 1))
    galleries = _galleries(enrolled)
    several = list(_fused_probes(passages or {}))
    for _ in range(SPLITS):
        for fold, part in enumerate(np.array_split(random.permutation(len(faces)), FOLDS)):
            cohort = virtual_people(np.delete(faces, part, axis=0), COHORT_SIZE, random)
            # Once for each split, as a face is: more often would pass for more people.
            probes = [Probes(faces[part], None), *(() if fold else several)]
            histograms += _impostor_histograms(cohort, probes, galleries)
    _check_enough(histograms[:, 0], len(faces), len(enrolled))
    log_shares, member_log_shares = (_by_probes(tables) for tables in histograms)
    return Scoring(
        cohort=virtual_people(faces, COHORT_SIZE, random),
        log_shares=log_shares,
        member_log_shares=member_log_shares,
        measured_members=len(enrolled),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Probes:
    """Probes of impostors.

    Attributes:
        vectors: unit length, shape (n, dimension).
        own: index of each probe's person among the enrolled people, with whom it is not compared;
            None if they are not enrolled.
    """

    vectors: Vectors
    own: NDArray[np.intp] | None


def _fused_probes(passages: Mapping[int, Vectors]) -> Iterator[Probes]:
    """For each of `PROBE_COUNTS` but the first, as far as enough people have so many photos."""
    for count in PROBE_COUNTS[1:]:
        people = {one: photos for one, photos in passages.items() if len(photos) >= count}
        if len(people) < MIN_PASSAGES:
            return
        vectors = np.stack([fuse(photos[:count]) for photos in people.values()])
        yield Probes(vectors, np.array(list(people), np.intp))


Galleries = Mapping[int, tuple[Vectors, NDArray[np.bool_]]]
"""By template count: everyone's vector, fused from at most that many templates, shape
(n, dimension), and flags of the people with at least that many, shape (n,)."""


def _galleries(people: Sequence[Vectors]) -> Galleries:
    galleries = {}
    for count in range(1, MAX_TEMPLATE_COUNT + 1):
        chosen = np.array([len(photos) >= count for photos in people])
        if chosen.any():
            galleries[count] = np.stack([fuse(photos[:count]) for photos in people]), chosen
    return galleries


def _impostor_histograms(
    cohort: Vectors, probes: Sequence[Probes], galleries: Galleries
) -> Histogram:
    """Shape (2, len(PROBE_COUNTS), MAX_TEMPLATE_COUNT, bins): without and with the gallery in the
    cohort. There are zeros where there are no probes."""
    histograms = np.zeros((2, len(PROBE_COUNTS), MAX_TEMPLATE_COUNT, len(SCORES) + 1))
    for templates, (gallery, chosen) in galleries.items():
        for with_members, whole in enumerate((cohort, np.concatenate([cohort, gallery]))):
            scoring = _only_cohort(whole)
            criminals = scoring.statistics(gallery)
            members_from = len(cohort) if with_members else None
            for number, several in enumerate(probes):
                compared = several.vectors @ gallery.T
                scores = normalise(compared, _statistics(scoring, several, members_from), criminals)
                others = _others(several, chosen)
                histograms[with_members, number, templates - 1] = _histogram(scores[others])
    return histograms


def _only_cohort(cohort: Vectors) -> Scoring:
    none = np.empty((0, 0))
    return Scoring(cohort, none, none, measured_members=1)


def _statistics(scoring: Scoring, probes: Probes, members_from: int | None) -> CohortStatistics:
    """Statistics of probes, none of which is compared with its own person in the cohort.

    Args:
        members_from: the row of the cohort with the first enrolled person; None without them.
    """
    if members_from is None or probes.own is None:
        return scoring.statistics(probes.vectors)
    return scoring.statistics(probes.vectors, probes.own + members_from)


def _others(probes: Probes, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which comparisons are of two people, one of them chosen, shape (probes, enrolled)."""
    others = np.tile(chosen, (len(probes.vectors), 1))
    if probes.own is not None:
        others[np.arange(len(others)), probes.own] = False
    return others


def _histogram(scores: Scores) -> Histogram:
    """Counts below the first of `SCORES`, between each two, and from the last on."""
    edges = np.concatenate([[-np.inf], SCORES, [np.inf]])
    return np.histogram(scores.ravel(), edges)[0].astype(np.float64)


def _check_enough(histograms: Histogram, faces: int, enrolled: int) -> None:
    """Raise an InputError if comparisons with one template have too few scores in the table."""
    fewest = min(_counts_above(rows[0])[0] for rows in histograms)
    if fewest < TAIL_COMPARISONS:
        needed = math.ceil(faces * enrolled * TAIL_COMPARISONS / max(1, fewest))
        raise InputError(
            f"too few people to fit a scoring: {faces:,} faces for the cohort times {enrolled:,}"
            f" enrolled people are {faces * enrolled:,} comparisons; about {needed:,} are needed"
        )


def _by_probes(histograms: Histogram) -> LogShares:
    """`_all_log_shares` for each of `PROBE_COUNTS`, shape (len(PROBE_COUNTS), MAX_TEMPLATE_COUNT,
    len(SCORES)).

    A fused probe's variance is that of people plus that of photos divided by their number, and so
    logarithms of shares are nearly linear in one over the number. What was not measured continues
    that line from one probe through the highest number that was.
    """
    measured = [_all_log_shares(one) for one in histograms if one.any()]
    first, last = measured[0], measured[-1]
    reached = 1 - 1 / PROBE_COUNTS[len(measured) - 1]
    for count in PROBE_COUNTS[len(measured) :]:
        further = (1 - 1 / count) / reached if reached else 0.0
        measured.append(first + further * (last - first))
    return np.array(measured)


def _all_log_shares(histograms: Histogram) -> LogShares:
    """Logarithm of the share of scores at or above each of `SCORES`, by template count."""
    overall = _overall_log_shares(histograms.sum(axis=0))
    table: list[LogShares] = []
    for histogram in histograms:
        enough = _counts_above(histogram)[0] >= TRUSTED_FOR_COUNT
        table.append(_count_log_shares(histogram, overall) if enough else table[-1])
    return np.array(table)


def _count_log_shares(histogram: Histogram, overall: LogShares) -> LogShares:
    above = _counts_above(histogram)
    trusted = above >= TRUSTED_FOR_COUNT
    last = np.flatnonzero(trusted)[-1]
    logs = np.log(np.maximum(above, 1) / histogram.sum())
    return np.asarray(np.where(trusted, logs, logs[last] + overall - overall[last]))


def _overall_log_shares(histogram: Histogram) -> LogShares:
    """The tail continues as a parabola, as that of a normal distribution does, or as a straight
    line if the best parabola opens upwards."""
    above = _counts_above(histogram)
    total = histogram.sum()
    logs: LogShares = np.log(np.maximum(above, 1) / total)
    trusted = above >= TRUSTED_FOR_ALL
    tail = trusted & (above <= max(TAIL_START * total, TAIL_COMPARISONS))
    curve = np.polyfit(SCORES[tail], logs[tail], 2)
    if curve[0] > 0:
        curve = np.polyfit(SCORES[tail], logs[tail], 1)
    fitted = np.polyval(curve, SCORES)
    last = np.flatnonzero(trusted)[-1]
    return np.where(trusted, logs, logs[last] + fitted - fitted[last])


def _counts_above(histogram: Histogram) -> Histogram:
    """How many scores are at or above each of `SCORES`."""
    above: Histogram = histogram[::-1].cumsum()[::-1][1:]
    return above
