"""Fits the scoring of an encoder to a folder of faces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from susracker.benchmark.cache import EmbeddingCache
from susracker.benchmark.datasets import Dataset
from susracker.benchmark.embedding import Embedder
from susracker.benchmark.rules import stack_templates
from susracker.errors import InputError
from susracker.faces.encoder import Encoder
from susracker.models import Vectors
from susracker.watchlist.fitting import COHORT_SIZE, fit_scoring, virtual_people
from susracker.watchlist.scoring import GENUINE_DISTANCE, Scoring

LEAST_PEOPLE, LEAST_SEVERAL = 500, 150
"""People that a scoring is fitted to at least, and those with several photos among them. With
fewer, the tails of the tables are guesses, which come out too high. With dlib's network and people
drawn from LFW's development photos (two draws each), a threshold for an FPIR of 1% missed of 300
other people, with one photo each: 25 and 81% when fitted to 100 people, 28 and 46% to 200, 19 and
23% to 300, and 15 and 17% to 500; it let in at most 1.7% of 600 strangers."""

SEVERAL_SHARE = 0.4
"""At most this share of people, those with the most photos, are compared with the others as if they
were enrolled."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A scoring, and what it was fitted to.

    Attributes:
        photos: all photos of the folder.
        people: how many people there were faces of.
        several: how many of them were taken for enrolled people.
    """

    scoring: Scoring
    photos: Sequence[Path]
    people: int
    several: int


def fit_encoder(
    encoder: Encoder,
    dataset: Dataset,
    kept: EmbeddingCache,
    workers: int,
    on_photo: Callable[[], None] = lambda: None,
) -> Fitted:
    """Fit a scoring to the people of a dataset, who must not be on the watch-list.

    Raises:
        InputError: there are too few of them.
        EncoderError: the network cannot be loaded.
    """
    check_enough([len(photos) for photos in dataset.people.values()])
    embedded = Embedder(encoder, kept=kept).embed_all(dataset.photos, workers, on_photo)
    found = (
        [embedded[photo] for photo in person if embedded[photo].found]
        for person in dataset.people.values()
    )
    people = [stack_templates(photos) for photos in found if photos]
    check_enough([len(photos) for photos in people])
    enrolled, others = _split(people)
    return Fitted(fit_people(enrolled, others), dataset.photos, len(people), len(enrolled))


def check_enough(photos: Sequence[int]) -> None:
    """Check by each person's number of photos whether a scoring can be fitted to them.

    Raises:
        InputError: there are too few people, or too few with several photos.
    """
    several = sum(count > 1 for count in photos)
    if len(photos) < LEAST_PEOPLE or several < LEAST_SEVERAL:
        raise InputError(
            f"there are faces of {len(photos):,} people, {several:,} of them in several photos: a "
            f"scoring takes {LEAST_PEOPLE:,} people, {LEAST_SEVERAL:,} of them in several photos, "
            "and 2,000 people are better"
        )


def fit_people(enrolled: Sequence[Vectors], others: Sequence[Vectors]) -> Scoring:
    """Fit the impostor distributions, with `enrolled` as the watch-list, whose photos are also
    fused as probes of each other, and with `others` as probes; then make the cohort of everyone.

    Args:
        enrolled, others: templates of each person, shape (photos, dimension).
    """
    probes = np.stack([person[0] for person in others])
    scoring = fit_scoring(probes, enrolled, dict(enumerate(enrolled)))
    everyone = np.stack([person[0] for person in (*enrolled, *others)])
    genuine = [float(np.linalg.norm(one[0] - one[1])) for one in enrolled if len(one) > 1]
    return replace(
        scoring,
        cohort=virtual_people(everyone, COHORT_SIZE, np.random.default_rng(0)),
        distance_scale=GENUINE_DISTANCE / float(np.median(genuine)),
    )


def _split(people: Sequence[Vectors]) -> tuple[list[Vectors], list[Vectors]]:
    """Those to take for enrolled, and the others."""
    most = max(LEAST_SEVERAL, round(SEVERAL_SHARE * len(people)))
    several = [number for number, photos in enumerate(people) if len(photos) > 1]
    chosen = set(sorted(several, key=lambda number: -len(people[number]))[:most])
    others = [photos for number, photos in enumerate(people) if number not in chosen]
    return [people[number] for number in sorted(chosen)], others
