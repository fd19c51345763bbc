"""Which photos are compared with which."""

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
"""Similarity of a pair in which no face was found: the least there is, for nobody is recognised."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparisons:
    """1:1 comparisons.

    Attributes:
        similarities: cosine of each pair's templates.
        same: whether each pair is of one person.
        folds: indices of each fold's pairs.
        lost: how many pairs have a photo without a template.
    """

    similarities: Numbers
    same: Flags
    folds: list[Indices]
    lost: int

    @property
    def genuine(self) -> Numbers:
        """Similarities of pairs of one person."""
        return self.similarities[self.same]

    @property
    def impostors(self) -> Numbers:
        """Similarities of pairs of two people."""
        return self.similarities[~self.same]


def compare(pairs: Pairs, embedded: Mapping[Path, Embedded]) -> Comparisons:
    """Compare the two photos of each pair."""
    everyone = [pair for fold in pairs.folds for pair in fold]
    sides = [(embedded[pair.first], embedded[pair.second]) for pair in everyone]
    found = np.array([first.found and second.found for first, second in sides], bool)
    cosines = np.array([float(first.template @ second.template) for first, second in sides])
    ends = np.cumsum([len(fold) for fold in pairs.folds])
    return Comparisons(
        similarities=np.where(found, cosines, LOST),
        same=np.array([pair.same for pair in everyone], bool),
        folds=[part for part in np.split(np.arange(len(everyone)), ends[:-1]) if len(part)],
        lost=int((~found).sum()),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """Who is enrolled, and who is searched for: photos with a template only.

    Attributes:
        enrolled: photos by name, at least one each.
        mated: photos of enrolled people, and the index of each one's person in `enrolled`.
        strangers: one photo each of people who are not enrolled.
        not_found: how many photos that should be searched have no template.
    """

    enrolled: Mapping[str, list[Path]]
    mated: list[Path]
    owners: NDArray[np.int64]
    strangers: list[Path]
    not_found: int

    def half(self, strangers: Indices) -> Search:
        """The same with some of the strangers."""
        chosen = [self.strangers[index] for index in strangers]
        return Search(self.enrolled, self.mated, self.owners, chosen, self.not_found)


def open_set(
    dataset: Dataset,
    embedded: Mapping[Path, Embedded],
    photos_each: int,
    enrolled: int | None = None,
    min_photos: int = 2,
    seed: int = 0,
) -> Search:
    """Who has several photos is enrolled with the first `photos_each`, of which one at least is
    kept back; the rest are searched. Who has one photo is a stranger.

    Args:
        enrolled: how many are enrolled, drawn by `seed`; by default everyone who can be.
        min_photos: enrol only who has so many photos with a template, at least 2.
    """
    usable = {
        name: [photo for photo in photos if embedded[photo].found]
        for name, photos in dataset.people.items()
    }
    strangers = [photos[0] for name, photos in usable.items() if photos and _single(dataset, name)]
    names = [name for name, photos in usable.items() if len(photos) >= min_photos]
    if enrolled is not None and enrolled < len(names):
        names = sorted(np.random.default_rng(seed).permutation(names)[:enrolled].tolist())
    kept_back = {name: min(photos_each, len(usable[name]) - 1) for name in names}
    mated = [photo for name in names for photo in usable[name][kept_back[name] :]]
    lost = [
        photo
        for name, photos in dataset.people.items()
        if name in kept_back or _single(dataset, name)
        for photo in photos[kept_back.get(name, 0) :]
        if not embedded[photo].found
    ]
    counts = [len(usable[name]) - kept_back[name] for name in names]
    return Search(
        enrolled={name: usable[name][: kept_back[name]] for name in names},
        mated=mated,
        owners=np.repeat(np.arange(len(names)), counts),
        strangers=strangers,
        not_found=len(lost),
    )


def _single(dataset: Dataset, name: str) -> bool:
    return len(dataset.people[name]) == 1
