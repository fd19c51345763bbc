"""Which photos are enrolled, and which are compared with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from susracker.benchmark.datasets import Dataset, Pairs
from susracker.benchmark.embedding import Embedded
from susracker.benchmark.metrics import Flags, Indices, Numbers

LOST = -1.0
"""Similarity of a pair in which a face was not found: the lowest, as no match is possible."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparisons:
    """1:1 comparisons.

    Attributes:
        similarities: cosine of each pair's templates: of the first photo as it is enrolled, and of
            the second as a camera sends it.
        same: whether each pair shows one person.
        folds: indices of each fold's pairs.
        lost: how many pairs have a photo without a template.
    """

    similarities: Numbers
    same: Flags
    folds: list[Indices]
    lost: int

    @property
    def genuine(self) -> Numbers:
        """Similarities of pairs that show one person."""
        return self.similarities[self.same]

    @property
    def impostors(self) -> Numbers:
        """Similarities of pairs that show two people."""
        return self.similarities[~self.same]


def compare(pairs: Pairs, embedded: Mapping[Path, Embedded]) -> Comparisons:
    """Compare the two photos of each pair."""
    everyone = [pair for fold in pairs.folds for pair in fold]
    sides = [(embedded[pair.first], embedded[pair.second]) for pair in everyone]
    found = np.array([first.found and second.found for first, second in sides], bool)
    cosines = np.array([float(first.template @ second.probe) for first, second in sides])
    ends = np.cumsum([len(fold) for fold in pairs.folds])
    return Comparisons(
        similarities=np.where(found, cosines, LOST),
        same=np.array([pair.same for pair in everyone], bool),
        folds=[part for part in np.split(np.arange(len(everyone)), ends[:-1]) if len(part)],
        lost=int((~found).sum()),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """The enrolled people and the searches, all with photos that have a template.

    Attributes:
        enrolled: enrolment photos by name, at least one each.
        mated: photos to search for of enrolled people.
        owners: index in `enrolled` of the person in each mated photo.
        non_mated: photos to search for of people who are not enrolled, one each.
        not_found: how many photos could not be searched for because they have no template.
    """

    enrolled: Mapping[str, list[Path]]
    mated: list[Path]
    owners: NDArray[np.int64]
    non_mated: list[Path]
    not_found: int


def open_set(
    dataset: Dataset,
    embedded: Mapping[Path, Embedded],
    photos_each: int,
    enrolled: int | None = None,
    min_photos: int = 2,
    seed: int = 0,
) -> Search:
    """Plan an open-set experiment.

    People with several photos are enrolled with the first `photos_each` of them, but at least one
    photo is held back; mated searches are made with the rest. People with one photo are not
    enrolled; non-mated searches are made with it.

    Args:
        enrolled: how many people to enrol, drawn by `seed`; by default as many as possible.
        min_photos: enrol only people with at least this many photos with a template, 2 or more.
    """
    usable = {
        name: [photo for photo in photos if embedded[photo].found]
        for name, photos in dataset.people.items()
    }
    non_mated = [photos[0] for name, photos in usable.items() if photos and _single(dataset, name)]
    names = [name for name, photos in usable.items() if len(photos) >= min_photos]
    if enrolled is not None and enrolled < len(names):
        names = sorted(np.random.default_rng(seed).permutation(names)[:enrolled].tolist())
    enrolled_counts = {name: min(photos_each, len(usable[name]) - 1) for name in names}
    mated = [photo for name in names for photo in usable[name][enrolled_counts[name] :]]
    lost = [
        photo
        for name, photos in dataset.people.items()
        if name in enrolled_counts or _single(dataset, name)
        for photo in photos[enrolled_counts.get(name, 0) :]
        if not embedded[photo].found
    ]
    counts = [len(usable[name]) - enrolled_counts[name] for name in names]
    return Search(
        enrolled={name: usable[name][: enrolled_counts[name]] for name in names},
        mated=mated,
        owners=np.repeat(np.arange(len(names)), counts),
        non_mated=non_mated,
        not_found=len(lost),
    )


def _single(dataset: Dataset, name: str) -> bool:
    return len(dataset.people[name]) == 1
