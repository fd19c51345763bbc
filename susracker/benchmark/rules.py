"""Rules that identify a probe: the product's, and one to compare it with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from susracker.benchmark.embedding import Embedded
from susracker.benchmark.metrics import Indices, Numbers
from susracker.errors import InputError
from susracker.models import Vectors
from susracker.plugins import open_matcher
from susracker.watchlist.fitting import virtual_people
from susracker.watchlist.fusion import fuse, fuse_all
from susracker.watchlist.gallery import ScoredGallery
from susracker.watchlist.scoring import Scoring

AS_NORM = "as-norm"
DISTANCE = "distance-"

PROBES_AT_ONCE = 64


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """The first candidate of each search.

    Attributes:
        best: index among the enrolled people, shape (n,).
        scores: shape (n,).
    """

    best: Indices
    scores: Numbers


class Rule(ABC):
    """Searches one watch-list.

    Attributes:
        threshold: the lowest score at which the first candidate is a match.
    """

    threshold: float

    @abstractmethod
    def search(self, probes: Sequence[Embedded]) -> Results:
        """Search for each probe."""

    def close(self) -> None:  # noqa: B027 - most rules hold nothing
        """Close what searches."""


class AsNorm(Rule):
    """The product's rule: its own gallery, without a store.

    Args:
        people: the templates of each person who is enrolled, at least one each.
        matcher: name of the matcher.
        target_fpir: share of non-mated searches that may reach the threshold.
        shift: the setting `threshold_shift`.
        frames: how many probes each probe was fused from.
    """

    def __init__(
        self,
        people: Sequence[Sequence[Embedded]],
        scoring: Scoring,
        matcher: str,
        target_fpir: float,
        shift: float = 0.0,
        frames: int = 1,
    ) -> None:
        templates = stack_templates([photo for photos in people for photo in photos])
        owners = [str(index) for index, photos in enumerate(people) for _ in photos]
        self._matcher = open_matcher(matcher, templates.shape[1])
        self._gallery = ScoredGallery(self._matcher, scoring, target_fpir, shift)
        self._gallery.update(fuse_all(owners, templates))
        self._gallery.prepare(len(people))
        self.threshold = self._gallery.threshold_for(target_fpir, frames)

    def search(self, probes: Sequence[Embedded]) -> Results:
        found = [
            scored[0]
            for start in range(0, len(probes), PROBES_AT_ONCE)
            for scored in self._gallery.search(
                np.stack([one.probe for one in probes[start : start + PROBES_AT_ONCE]])
            )
        ]
        return Results(
            np.array([int(one.criminal_id) for one in found], np.int64),
            np.array([one.score for one in found]),
        )

    def close(self) -> None:
        self._matcher.close()


class Distance(Rule):
    """The rule of dlib's own examples: the person with the nearest photo matches if the Euclidean
    distance is small, between the network's outputs without mirror images. Scores are negative
    distances.

    Args:
        people: the photos of each person who is enrolled, at least one each.
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
            squares = (
                self._squares
                - 2 * self._views @ probe.probe_view
                + probe.probe_view @ probe.probe_view
            )
            nearest.append(self._owners[squares.argmin()])
            distances.append(float(np.sqrt(max(squares.min(), 0.0))))
        return Results(np.array(nearest, np.int64), -np.array(distances))


def distance_limit(rule: str) -> float:
    """Parse the limit of a rule such as `distance-0.6`.

    Raises:
        InputError: the rule is not of that form.
    """
    try:
        if not rule.startswith(DISTANCE):
            raise ValueError
        return float(rule.removeprefix(DISTANCE))
    except ValueError:
        raise InputError(
            f"no rule is called {rule!r}; there are: {AS_NORM}, and {DISTANCE}N, such as "
            f"{DISTANCE}0.6"
        ) from None


def fused(photos: Sequence[Embedded]) -> Embedded:
    """Several photos of a person as one probe."""
    if len(photos) == 1:
        return photos[0]
    template = fuse(np.stack([photo.probe for photo in photos]))
    view = np.asarray(np.mean([photo.probe_view for photo in photos], axis=0), np.float32)
    return Embedded("", "", template, view, template, view)


def fillers(
    count: int, scoring: Scoring, enrolled: Sequence[Sequence[Embedded]]
) -> list[list[Embedded]]:
    """People who do not exist, one photo each, to make a watch-list longer.

    They are mixed from the scoring's cohort: of nobody whom a scoring of `cross_fitted` is tested
    on.
    """
    if not count:
        return []
    views = np.stack([one.view for photos in enrolled for one in photos])
    length = np.float32(np.linalg.norm(views, axis=1).mean())
    people = virtual_people(scoring.cohort, count, np.random.default_rng(0))
    return [[Embedded("", "", one, length * one, one, length * one)] for one in people]


def stack_templates(photos: Sequence[Embedded]) -> Vectors:
    """The templates of n photos as they are enrolled, shape (n, dimension)."""
    return np.stack([photo.template for photo in photos])


def photos_of(
    enrolled: Mapping[str, Sequence[Path]], embedded: Mapping[Path, Embedded]
) -> list[list[Embedded]]:
    """The embedded photos of each enrolled person."""
    return [[embedded[photo] for photo in photos] for photos in enrolled.values()]
