"""Which photos are enrolled, and which are compared with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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


Frames = tuple[Path, ...]
"""The photos of one search, whose probes are fused."""

NOT_ENROLLED = -1


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """The enrolled people and the searches, all with photos that have a template.

    Attributes:
        enrolled: enrolment photos by name, at least one each.
        photos: all photos of each enrolled person, in the same order.
        mated_frames: what to search for of enrolled people.
        owners: index in `enrolled` of the person in each mated search.
        non_mated_frames: what to search for of people who are not enrolled, one search each.
        left_out: index in `enrolled` of the person of each non-mated search, who is left out of the
            watch-list for it; `NOT_ENROLLED` where nobody needs to be.
        singles: photos of people with one photo, who are not enrolled.
        not_found: how many photos could not be searched for because they have no template.
        virtual: how many people who do not exist make the watch-list longer.
    """

    enrolled: Mapping[str, list[Path]]
    photos: list[list[Path]]
    mated_frames: list[Frames]
    owners: NDArray[np.int64]
    non_mated_frames: list[Frames]
    left_out: NDArray[np.int64]
    singles: list[Path]
    not_found: int
    virtual: int = 0

    @property
    def is_of_single_photos(self) -> bool:
        """Whether the non-mated searches are those of people with one photo."""
        return self.non_mated_frames == [(photo,) for photo in self.singles]

    @property
    def mated(self) -> list[Path]:
        """The first photo of each mated search."""
        return [frames[0] for frames in self.mated_frames]

    @property
    def non_mated(self) -> list[Path]:
        """The first photo of each non-mated search."""
        return [frames[0] for frames in self.non_mated_frames]


def open_set(
    dataset: Dataset,
    embedded: Mapping[Path, Embedded],
    photos_each: int,
    enrolled: int | None = None,
    min_photos: int = 2,
    seed: int = 0,
    frames: int = 1,
) -> Search:
    """Plan an open-set experiment.

    People with several photos are enrolled with the first `photos_each` of them, but at least one
    photo is held back; mated searches are made with the rest, `frames` photos each. People with one
    photo are not enrolled; non-mated searches are made with it. With several `frames`, non-mated
    searches are made of everyone who has as many photos, and who is left out of the watch-list for
    that search.

    If there are passes, searches are made of them alone: `frames` of the frames of each, as far
    apart as they can be. People with passes and other photos are enrolled with these.

    Args:
        enrolled: how many people to enrol, drawn by `seed`; by default as many as possible. If
            there are fewer, virtual people make up for the rest.
        min_photos: enrol only people with at least this many photos with a template, 2 or more.
    """
    if dataset.passes:
        return _of_passes(dataset, embedded, photos_each, enrolled, seed, frames)
    usable = {name: _found(photos, embedded) for name, photos in dataset.people.items()}
    singles = [photos[0] for name, photos in usable.items() if photos and _single(dataset, name)]
    several = [name for name, photos in usable.items() if len(photos) >= min_photos]
    names = _drawn(several, enrolled, seed)
    counts = {name: min(photos_each, len(usable[name]) - 1) for name in names}
    mated = [_grouped(usable[name][counts[name] :], frames) for name in names]
    strangers = {name: photos for name, photos in usable.items() if len(photos) >= frames}
    if frames == 1:
        strangers = {one: usable[one] for one in usable if usable[one] and _single(dataset, one)}
    return Search(
        enrolled={name: usable[name][: counts[name]] for name in names},
        photos=[usable[name] for name in names],
        mated_frames=[one for person in mated for one in person],
        owners=np.repeat(np.arange(len(names)), [len(person) for person in mated]),
        non_mated_frames=[tuple(photos[:frames]) for photos in strangers.values()],
        left_out=_places(strangers, names),
        singles=singles,
        not_found=_count_lost(dataset, embedded, counts),
        virtual=max(0, (enrolled or 0) - len(names)),
    )


def _count_lost(
    dataset: Dataset, embedded: Mapping[Path, Embedded], counts: Mapping[str, int]
) -> int:
    """How many photos would be searched for, and have no template.

    Args:
        counts: how many photos of each person are enrolled.
    """
    return sum(
        not embedded[photo].found
        for name, photos in dataset.people.items()
        if name in counts or _single(dataset, name)
        for photo in photos[counts.get(name, 0) :]
    )


def _of_passes(
    dataset: Dataset,
    embedded: Mapping[Path, Embedded],
    photos_each: int,
    enrolled: int | None,
    seed: int,
    frames: int,
) -> Search:
    usable = {name: _found(photos, embedded) for name, photos in dataset.people.items()}
    seen = {
        name: [found for one in passes if len(found := _found(one, embedded)) >= frames]
        for name, passes in dataset.passes.items()
    }
    enrollable = [name for name, passes in seen.items() if passes and usable[name]]
    names = _drawn(enrollable, enrolled, seed)
    strangers = {name: passes[0] for name, passes in seen.items() if passes}
    others = [name for name in usable if name not in dataset.passes]
    return Search(
        enrolled={name: usable[name][:photos_each] for name in names},
        photos=[[frame for one in seen[name] for frame in one] for name in names],
        mated_frames=[_spread(one, frames) for name in names for one in seen[name]],
        owners=np.repeat(np.arange(len(names)), [len(seen[name]) for name in names]),
        non_mated_frames=[_spread(one, frames) for one in strangers.values()],
        left_out=_places(strangers, names),
        singles=[usable[name][0] for name in others if usable[name] and _single(dataset, name)],
        not_found=sum(
            len(one) - len(_found(one, embedded))
            for passes in dataset.passes.values()
            for one in passes
        ),
        virtual=max(0, (enrolled or 0) - len(names)),
    )


def _drawn(names: list[str], count: int | None, seed: int) -> list[str]:
    """So many names, drawn at random; all if there are no more, or none is said."""
    if count is None or count >= len(names):
        return names
    return sorted(np.random.default_rng(seed).permutation(names)[:count].tolist())


def _places(strangers: Iterable[str], names: Sequence[str]) -> NDArray[np.int64]:
    """The place of each stranger among the names, or `NOT_ENROLLED`."""
    places = {name: number for number, name in enumerate(names)}
    return np.array([places.get(name, NOT_ENROLLED) for name in strangers], np.int64)


def _found(photos: Sequence[Path], embedded: Mapping[Path, Embedded]) -> list[Path]:
    return [photo for photo in photos if embedded[photo].found]


def _spread(frames: Sequence[Path], count: int) -> Frames:
    """Frames of a pass as far apart as they can be; one is that in the middle."""
    last = len(frames) - 1
    if count == 1:
        return (frames[last // 2],)
    return tuple(frames[round(number * last / (count - 1))] for number in range(count))


def _grouped(photos: list[Path], frames: int) -> list[Frames]:
    """Photos in groups of `frames`; what is left over at the end is not used."""
    whole = len(photos) - len(photos) % frames
    return [tuple(photos[start : start + frames]) for start in range(0, whole, frames)]


def _single(dataset: Dataset, name: str) -> bool:
    return len(dataset.people[name]) == 1
