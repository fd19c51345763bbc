"""Comparison scores, and the score at which a candidate becomes a match.

Similarities are normalised with AS-norm (Matejka et al., "Analysis of score normalization in
multilingual speaker recognition", Interspeech 2017). Both the probe and the criminal have
statistics: the mean and the deviation of their highest similarities to a cohort of impostors. The
similarity is normalised by the statistics of each, and the two results are averaged. A score says
by how many deviations the two are more alike than the most similar people of the cohort are, so
that one threshold is right for everyone.

The impostor distribution, which is how often a comparison of two different people reaches a score,
was measured once, on people who are not in the cohort. It gives the false positive identification
rate (FPIR) of the present watch-list at any score, and the threshold for a target FPIR. Probes that
are fused from several faces have distributions of their own: the more faces, the higher a stranger
scores.

Enrolled people are members of the cohort, too: a probe that resembles two of them equally is less
likely to match either.
"""

from __future__ import annotations

import hashlib
import io
import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_data_path

from susracker.errors import ConfigError
from susracker.models import Vectors

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

Scores = NDArray[np.float32]
LogShares = NDArray[np.float64]

GENUINE_DISTANCE = 0.286
"""The median distance between two of dlib's templates of one person, as LFW's people have it
(View 1, training, 804 pairs)."""

PLAIN_DISTANCE = 1.5
"""How many times as long as the distance between two templates that between dlib's own embeddings
of the same faces is: these are 1.42 long, and not averaged with those of mirror images. Of pairs of
photos of one person the median is 1.51 (LFW, View 1, training; 10% to 90%: 1.39 to 1.64)."""

NEAREST = 300
"""How many of a vector's highest similarities to the cohort its statistics are made of."""

ADDED_DEVIATION = 0.004
"""Added to each deviation; a third of a usual one. An estimate from 300 similarities is rough, and
one that comes out too small makes scores too high."""

OWN = 0.99999
"""A higher similarity is that of a cohort member to itself, and is left out."""

ROWS_AT_ONCE = 256
"""How many vectors are compared with the cohort at once: 8 MB of similarities."""

MAX_TEMPLATE_COUNT = 3
"""Criminals with this many templates or more share one impostor distribution."""

PROBE_COUNTS = (1, 2, 4, 8)
"""Numbers of probes, fused into one, for which impostor distributions are tabulated. Between them,
logarithms of shares are interpolated by one over the number, as the variance of a mean is; more
probes than the last are taken for the last."""

SCORES = np.arange(-2.0, 12.0, 0.05)
"""The scores at which impostor distributions are tabulated."""

TemplateCounts = Mapping[int, int]
"""How many criminals have one template, two, and `MAX_TEMPLATE_COUNT` or more."""


def distance_of(similarity: float) -> float:
    """Euclidean distance, 0 to 2, between two unit vectors whose cosine is `similarity`."""
    return math.sqrt(max(0.0, 2.0 - 2.0 * similarity))


@dataclass(frozen=True, slots=True, eq=False)
class CohortStatistics:
    """The statistics of n vectors, which normalise their similarities.

    Attributes:
        means: mean of each vector's highest similarities to the cohort, shape (n,).
        deviations: their standard deviation plus `ADDED_DEVIATION`, shape (n,).
    """

    means: Scores
    deviations: Scores

    def row(self, index: int) -> CohortStatistics:
        """The statistics of one of the vectors; n is 1."""
        rows = slice(index, index + 1)
        return CohortStatistics(self.means[rows], self.deviations[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Scoring:
    """A cohort and the impostor distributions that go with it. Immutable and thread-safe.

    Attributes:
        cohort: embeddings of virtual people, unit length, shape (n, dimension), n >= nearest.
        log_shares: natural logarithm of the share of comparisons between different people that
            score at least `SCORES[j]`, by the number of probes that were fused and the criminal's
            number of templates; shape (len(PROBE_COUNTS), MAX_TEMPLATE_COUNT, len(SCORES)).
        member_log_shares: the same with `measured_members` enrolled people in the cohort.
        nearest: how many of a vector's highest similarities its statistics are made of.
        distance_scale: what makes distances between the encoder's templates comparable with those
            between dlib's; see `GENUINE_DISTANCE`.
    """

    cohort: Vectors
    log_shares: LogShares
    member_log_shares: LogShares
    measured_members: int
    nearest: int = NEAREST
    distance_scale: float = 1.0

    def with_members(self, members: Vectors) -> Scoring:
        """Add enrolled people to a cohort that has none yet.

        The impostor distribution is interpolated between those measured without members and with
        `measured_members`.

        Args:
            members: shape (n, dimension).
        """
        weight = min(1.0, len(members) / self.measured_members)
        return replace(
            self,
            cohort=np.concatenate([self.cohort, members]),
            log_shares=(1 - weight) * self.log_shares + weight * self.member_log_shares,
        )

    def statistics(self, vectors: Vectors, own: NDArray[np.intp] | None = None) -> CohortStatistics:
        """The statistics of `vectors`, shape (n, dimension); NaN for a vector of NaN.

        Args:
            own: for each vector, the row of the cohort that is the same person and is left out.
        """
        means = np.empty(len(vectors), np.float32)
        deviations = np.empty(len(vectors), np.float32)
        for start in range(0, len(vectors), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            similarities = vectors[rows] @ self.cohort.T
            similarities[similarities > OWN] = -1
            if own is not None:
                similarities[np.arange(len(similarities)), own[rows]] = -1
            nearest = np.partition(similarities, -self.nearest, axis=1)[:, -self.nearest :]
            means[rows] = nearest.mean(axis=1)
            deviations[rows] = nearest.std(axis=1) + ADDED_DEVIATION
        return CohortStatistics(means, deviations)

    def distance_of(self, similarity: float) -> float:
        """The distance between two templates with this cosine, as it is told and shown: as if they
        were dlib's."""
        return self.distance_scale * distance_of(similarity)

    def share_above(self, score: float, template_count: int, probes: float = 1) -> float:
        """How often a comparison with someone else's probe scores at least `score`.

        Args:
            template_count: the criminal's, at most `MAX_TEMPLATE_COUNT`.
            probes: how many independent probes were fused, at least 1.
        """
        logs = self._log_shares_of(probes)[template_count - 1]
        return math.exp(np.interp(score, SCORES, logs))

    def fpir(self, score: float, counts: TemplateCounts, probes: float = 1) -> float:
        """The share of non-mated searches that return someone who scores at least `score`.

        Args:
            counts: the watch-list. Comparisons with its criminals are assumed to be independent.
            probes: how many independent probes were fused, at least 1.
        """
        nobody = sum(
            count * math.log1p(-min(self.share_above(score, template_count, probes), 1 - 1e-12))
            for template_count, count in counts.items()
        )
        return -math.expm1(nobody)

    def threshold(self, target_fpir: float, counts: TemplateCounts, probes: float = 1) -> float:
        """The score that a share of `target_fpir` of non-mated searches reach.

        Infinite if the watch-list is empty, or if no tabulated score is rare enough.

        Args:
            probes: how many independent probes were fused, at least 1.
        """
        shares = np.minimum(np.exp(self._log_shares_of(probes)), 1 - 1e-12)
        nobody = np.zeros(len(SCORES))
        for template_count, count in counts.items():
            nobody += count * np.log1p(-shares[template_count - 1])
        rates = -np.expm1(nobody)
        low_enough = np.flatnonzero(rates <= target_fpir)
        if not len(low_enough) or not any(counts.values()):
            return math.inf
        first = max(1, low_enough[0])
        around = slice(first - 1, first + 1)
        return float(np.interp(-target_fpir, -rates[around], SCORES[around]))

    def _log_shares_of(self, probes: float) -> LogShares:
        """By template count, shape (MAX_TEMPLATE_COUNT, len(SCORES))."""
        inverse = 1 / min(max(probes, PROBE_COUNTS[0]), PROBE_COUNTS[-1])
        upper = next(n for n, count in enumerate(PROBE_COUNTS) if 1 / count <= inverse)
        lower = max(0, upper - 1)
        if lower == upper:
            return np.asarray(self.log_shares[upper])
        least, most = 1 / PROBE_COUNTS[upper], 1 / PROBE_COUNTS[lower]
        weight = (inverse - least) / (most - least)
        between = weight * self.log_shares[lower] + (1 - weight) * self.log_shares[upper]
        return np.asarray(between)


def normalise(
    similarities: Scores, probes: CohortStatistics, criminals: CohortStatistics
) -> Scores:
    """The AS-norm scores of similarities between n probes and m criminals, shape (n, m)."""
    to_probe = (similarities - probes.means[:, None]) / probes.deviations[:, None]
    to_criminal = (similarities - criminals.means) / criminals.deviations
    return np.asarray((to_probe + to_criminal) / 2, np.float32)


@lru_cache
def load_scoring(encoder_id: str) -> Scoring:
    """The scoring for an encoder: the one that comes with susracker, or else the one that was
    fitted on this machine; loaded once.

    Raises:
        ConfigError: there is none for this encoder, or its file is damaged.
    """
    data = _development(encoder_id)
    cohort = data["cohort"].astype(np.float32)
    cohort /= np.linalg.norm(cohort, axis=1, keepdims=True)
    alone, with_members = data["log_shares"].astype(np.float64)
    scale = float(data.get("distance_scale", 1.0))
    return Scoring(cohort, alone, with_members, int(data["joined_people"]), distance_scale=scale)


def scoring_bytes(scoring: Scoring, photos: Sequence[Path]) -> bytes:
    """The content of a scoring's file, in which no row is a real person's embedding.

    Args:
        photos: that it was fitted to.

    Raises:
        OSError: a photo cannot be read.
    """
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        cohort=scoring.cohort.astype(np.float16),
        log_shares=np.array([scoring.log_shares, scoring.member_log_shares], np.float32),
        joined_people=scoring.measured_members,
        photos=np.array([photo_mark(photo) for photo in photos], np.uint32),
        distance_scale=scoring.distance_scale,
    )
    return buffer.getvalue()


def scoring_file(encoder_id: str) -> Path:
    """Where the scoring of an encoder is once it is fitted: in the user's data directory."""
    return user_data_path("susracker") / "scoring" / f"{encoder_id}.npz"


def is_shipped(encoder_id: str) -> bool:
    """Whether the scoring of an encoder comes with susracker."""
    return _shipped(encoder_id).is_file()


def development_share(encoder_id: str, photos: Sequence[Path]) -> float:
    """The share of `photos` that the scoring of an encoder was fitted to, 0 to 1.

    Raises:
        ConfigError: there is no scoring for this encoder.
    """
    known = set(_development(encoder_id)["photos"].tolist())
    return sum(photo_mark(photo) in known for photo in photos) / max(1, len(photos))


def photo_mark(photo: Path) -> int:
    """32 bits that identify a photo without revealing anything about it.

    Raises:
        OSError: the photo cannot be read.
    """
    return int.from_bytes(hashlib.sha256(photo.read_bytes()).digest()[:4], "big")


def _shipped(encoder_id: str) -> Traversable:
    return files("susracker.watchlist") / "data" / f"{encoder_id}.npz"


def _development(encoder_id: str) -> dict[str, NDArray[Any]]:
    """Everything in the file of an encoder's scoring."""
    fitted, shipped = scoring_file(encoder_id), _shipped(encoder_id)
    if not shipped.is_file() and not fitted.is_file():
        raise ConfigError(
            f"there is no scoring for the encoder {encoder_id}, which would be in {fitted}: make "
            "it from photos of people who are not on the watch-list, with susracker encoder fit "
            "FACES and the same --encoder"
        )
    try:
        with as_file(shipped if shipped.is_file() else fitted) as file, np.load(file) as data:
            return dict(data)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ConfigError(
            f"cannot read the scoring in {fitted}, which is damaged: make it again with susracker "
            "encoder fit FACES"
        ) from error


def plain_confidence(distance: float) -> float:
    """100 x (1 - d), from 0 on: what plain dlib servers call a confidence. It is no probability.

    Args:
        distance: between templates. d is that of dlib's own embeddings: see `PLAIN_DISTANCE`.
    """
    return max(0.0, 100 * (1 - PLAIN_DISTANCE * distance))
