"""How alike a probe and a criminal are, and from which score on it is a match.

Similarities are normalised with AS-norm (Matejka et al., "Analysis of score normalization in
multilingual speaker recognition", Interspeech 2017): for the probe and for the criminal, the mean
of its highest similarities to a cohort of impostors is subtracted and their deviation divided by,
and the two are averaged. A score then says by how many deviations the two are more alike than the
cohort's most similar strangers, whoever they are, so that one threshold is right for everyone.

How often a comparison of strangers scores higher than a score was measured once, on people who are
not in the cohort. From it follows how often a search of the present watch-list by a stranger does,
and the threshold for a target of that (`target_fpir`).

The enrolled people join the cohort: whom a probe resembles as much as it resembles somebody else
on the watch-list is then less likely a match.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from susracker.errors import ConfigError
from susracker.models import Vectors

Scores = NDArray[np.float32]
LogShares = NDArray[np.float64]

NEAREST = 300
"""How many of a vector's highest similarities to the cohort are looked at."""

ADDED_DEVIATION = 0.004
"""Added to each deviation, a third of the usual one: 300 similarities tell it only roughly, and
what is divided by a deviation that came out too small scores too high."""

OWN = 0.99999
"""A similarity above it is to the vector itself, which has joined the cohort, and is left out."""

ROWS_AT_ONCE = 256
"""Vectors compared with the cohort at once: 8 MB of similarities."""

MAX_CLASS = 3
"""Criminals of so many templates and more have impostor scores of one distribution."""

SCORES = np.arange(-2.0, 12.0, 0.05)
"""Scores at which the share of higher impostor scores is tabulated."""

ClassCounts = Mapping[int, int]
"""How many criminals have one template, two, and `MAX_CLASS` or more."""


def distance_of(similarity: float) -> float:
    """Euclidean distance, 0 to 2, between two unit vectors whose cosine is `similarity`."""
    return math.sqrt(max(0.0, 2.0 - 2.0 * similarity))


def template_class(templates: int) -> int:
    """Which distribution of impostor scores a criminal of so many templates has."""
    return min(templates, MAX_CLASS)


def fuse(templates: Vectors) -> Vectors:
    """One vector of unit length, shape (dimension,), for all templates of a criminal."""
    total = templates.sum(axis=0)
    return np.asarray(total / np.linalg.norm(total), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class CohortStatistics:
    """What normalises the similarities of vectors.

    Attributes:
        means, deviations: of the `NEAREST` highest similarities to the cohort, shape (n,); the
            deviations with `ADDED_DEVIATION`.
    """

    means: Scores
    deviations: Scores

    def row(self, index: int) -> CohortStatistics:
        """The statistics of one vector, as those of one."""
        rows = slice(index, index + 1)
        return CohortStatistics(self.means[rows], self.deviations[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Scoring:
    """A cohort, and what impostors score with it. Immutable, so safe to use from any thread.

    Attributes:
        cohort: embeddings of virtual people, unit length, shape (n, dimension).
        log_shares: natural logarithm of the share of comparisons between strangers that score at
            least `SCORES[j]`, shape (MAX_CLASS, len(SCORES)), by class of the criminal.
        joined_log_shares: the same, measured when `joined_people` had joined the cohort.
    """

    cohort: Vectors
    log_shares: LogShares
    joined_log_shares: LogShares
    joined_people: int

    def join(self, people: Vectors) -> Scoring:
        """The scoring with `people`, shape (n, dimension), in the cohort, where none have joined
        yet; what impostors score is between what was measured without and with."""
        weight = min(1.0, len(people) / self.joined_people)
        return replace(
            self,
            cohort=np.concatenate([self.cohort, people]),
            log_shares=(1 - weight) * self.log_shares + weight * self.joined_log_shares,
        )

    def statistics(self, vectors: Vectors) -> CohortStatistics:
        """What normalises similarities of `vectors`, shape (n, dimension)."""
        means = np.empty(len(vectors), np.float32)
        deviations = np.empty(len(vectors), np.float32)
        for start in range(0, len(vectors), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            similarities = vectors[rows] @ self.cohort.T
            similarities[similarities > OWN] = -1
            nearest = np.partition(similarities, -NEAREST, axis=1)[:, -NEAREST:]
            means[rows] = nearest.mean(axis=1)
            deviations[rows] = nearest.std(axis=1) + ADDED_DEVIATION
        return CohortStatistics(means, deviations)

    def share_above(self, score: float, kind: int) -> float:
        """How often a stranger scores at least `score` against one criminal of a class."""
        return math.exp(np.interp(score, SCORES, self.log_shares[kind - 1]))

    def fpir(self, score: float, counts: ClassCounts) -> float:
        """How often the search of a stranger returns someone who scores at least `score`.

        Args:
            counts: the watch-list; comparisons with its criminals are taken as independent.
        """
        nobody = sum(
            count * math.log1p(-min(self.share_above(score, kind), 1 - 1e-12))
            for kind, count in counts.items()
        )
        return -math.expm1(nobody)

    def threshold(self, target_fpir: float, counts: ClassCounts) -> float:
        """The score that a share of `target_fpir` of strangers' searches reaches.

        Infinite on an empty watch-list, and where no score that is tabulated is rare enough.
        """
        rates = np.array([self.fpir(score, counts) for score in SCORES])
        low_enough = np.flatnonzero(rates <= target_fpir)
        if not len(low_enough) or not any(counts.values()):
            return math.inf
        first = max(1, low_enough[0])
        around = slice(first - 1, first + 1)
        return float(np.interp(-target_fpir, -rates[around], SCORES[around]))


def normalise(
    similarities: Scores, probes: CohortStatistics, criminals: CohortStatistics
) -> Scores:
    """AS-norm scores, shape (n, m), of similarities of n probes to m criminals."""
    to_probe = (similarities - probes.means[:, None]) / probes.deviations[:, None]
    to_criminal = (similarities - criminals.means) / criminals.deviations
    return np.asarray((to_probe + to_criminal) / 2, np.float32)


def load_scoring(encoder_id: str) -> Scoring:
    """The scoring that comes with susracker for an encoder.

    Raises:
        ConfigError: there is none for that encoder.
    """
    data = _development(encoder_id)
    cohort = data["cohort"].astype(np.float32)
    cohort /= np.linalg.norm(cohort, axis=1, keepdims=True)
    alone, joined = data["log_shares"].astype(np.float64)
    return Scoring(cohort, alone, joined, int(data["joined_people"]))


def development_share(encoder_id: str, photos: Sequence[Path]) -> float:
    """Share of photos that the scoring of an encoder was made of.

    Raises:
        ConfigError: there is none for that encoder.
    """
    known = set(_development(encoder_id)["photos"].tolist())
    return sum(photo_mark(photo) in known for photo in photos) / max(1, len(photos))


def photo_mark(photo: Path) -> int:
    """32 bits by which a photo is known again, and from which nothing of it can be told."""
    return int.from_bytes(hashlib.sha256(photo.read_bytes()).digest()[:4], "big")


def _development(encoder_id: str) -> dict[str, NDArray[Any]]:
    """What was made of development faces: see tools/make_cohort.py."""
    resource = files("susracker.watchlist") / "data" / f"{encoder_id}.npz"
    if not resource.is_file():
        raise ConfigError(
            f"there is no cohort for the encoder {encoder_id}: make one of your own faces with"
            " tools/make_cohort.py"
        )
    with as_file(resource) as file, np.load(file) as data:
        return dict(data)
