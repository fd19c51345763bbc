"""Who a probe is, by the rule of the product, or by the one that it is compared with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from susracker.benchmark.embedding import Embedded
from susracker.benchmark.metrics import Indices, Numbers
from susracker.errors import InputError
from susracker.models import Vectors
from susracker.plugins import open_matcher
from susracker.watchlist.scoring import CohortStatistics, Scoring, fuse, normalise, template_class
from susracker.watchlist.watchlist import SCORED, joining

AS_NORM = "as-norm"
DISTANCE = "distance-"

PROBES_AT_ONCE = 64


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """Who came first in each search, as an index among the enrolled, and with which score."""

    best: Indices
    scores: Numbers


class Rule(ABC):
    """Searches one watch-list.

    Attributes:
        threshold: the score from which on the first candidate is a match.
    """

    threshold: float

    @abstractmethod
    def search(self, probes: Sequence[Embedded]) -> Results:
        """Who each probe is."""

    def close(self) -> None:  # noqa: B027 - most rules hold nothing
        """Close what searches."""


class AsNorm(Rule):
    """The product's rule. The matcher only says who is near; similarities and scores are computed
    here from the vectors.

    Args:
        people: the templates of each person who is enrolled.
        shift: the setting `threshold_shift`.
    """

    def __init__(
        self,
        people: Sequence[Sequence[Embedded]],
        scoring: Scoring,
        matcher: str,
        target_fpir: float,
        shift: float = 0.0,
    ) -> None:
        self._vectors = np.stack([fuse(stack_templates(photos)) for photos in people])
        self._scoring = scoring.join(self._vectors[joining(len(people))])
        self._statistics = self._scoring.statistics(self._vectors)
        self._matcher = open_matcher(matcher, self._vectors.shape[1])
        self._matcher.load([str(index) for index in range(len(people))], self._vectors.copy())
        counts = Counter(template_class(len(photos)) for photos in people)
        self.threshold = self._scoring.threshold(target_fpir, counts) + shift

    def search(self, probes: Sequence[Embedded]) -> Results:
        parts = [
            self._search(stack_templates(probes[start : start + PROBES_AT_ONCE]))
            for start in range(0, len(probes), PROBES_AT_ONCE)
        ]
        return Results(
            np.concatenate([part.best for part in parts]),
            np.concatenate([part.scores for part in parts]),
        )

    def close(self) -> None:
        self._matcher.close()

    def _search(self, probes: Vectors) -> Results:
        best, scores = [], []
        statistics = self._scoring.statistics(probes)
        for row, neighbours in enumerate(self._matcher.search(probes, SCORED)):
            near = np.array([int(neighbour.criminal_id) for neighbour in neighbours])
            people = CohortStatistics(
                self._statistics.means[near], self._statistics.deviations[near]
            )
            similarities = probes[row : row + 1] @ self._vectors[near].T
            found = normalise(similarities, statistics.row(row), people)[0]
            best.append(near[found.argmax()])
            scores.append(float(found.max()))
        return Results(np.array(best, np.int64), np.array(scores))


class Distance(Rule):
    """The rule of dlib's own examples: whose nearest photo is within a Euclidean distance, of the
    network's output for the face as it is. Its scores are distances below zero.

    Args:
        people: the templates of each person who is enrolled.
        limit: the distance, usually 0.6.
    """

    def __init__(self, people: Sequence[Sequence[Embedded]], limit: float) -> None:
        self._owners = np.repeat(np.arange(len(people)), [len(photos) for photos in people])
        self._views = np.stack([one.view for photos in people for one in photos])
        self._squares = (self._views**2).sum(axis=1)
        self.threshold = -limit

    def search(self, probes: Sequence[Embedded]) -> Results:
        nearest, distances = [], []
        for probe in probes:
            squares = self._squares - 2 * self._views @ probe.view + probe.view @ probe.view
            nearest.append(self._owners[squares.argmin()])
            distances.append(float(np.sqrt(max(squares.min(), 0.0))))
        return Results(np.array(nearest, np.int64), -np.array(distances))


def distance_limit(rule: str) -> float:
    """The limit of a rule such as `distance-0.6`.

    Raises:
        InputError: it is neither that nor `as-norm`.
    """
    try:
        if not rule.startswith(DISTANCE):
            raise ValueError
        return float(rule.removeprefix(DISTANCE))
    except ValueError:
        raise InputError(
            f"no rule is called {rule!r}; there are: {AS_NORM}, {DISTANCE}N with a number as"
            f" in {DISTANCE}0.6"
        ) from None


def stack_templates(photos: Sequence[Embedded]) -> Vectors:
    """Shape (n, dimension)."""
    return np.stack([photo.template for photo in photos])


def photos_of(
    enrolled: Mapping[str, Sequence[Path]], embedded: Mapping[Path, Embedded]
) -> list[list[Embedded]]:
    """What is known of each person who is enrolled."""
    return [[embedded[photo] for photo in photos] for photos in enrolled.values()]
