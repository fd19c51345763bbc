"""Folders of photos, one folder a person, and LFW's lists of pairs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from susracker.errors import InputError

PAIRS_FILE = "pairs.txt"

FOLDS = 10
"""The number of folds that a list of pairs without folds is split into."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Photos of people.

    Attributes:
        people: each person's photos in order of file names, by the person's name in order.
        passes: the frames of each time that a person passed by a camera, in order of file names;
            only of people who have some.
    """

    folder: Path
    people: Mapping[str, Sequence[Path]]
    passes: Mapping[str, Sequence[Sequence[Path]]] = field(default_factory=dict)

    @property
    def photos(self) -> list[Path]:
        """Everyone's photos, and the frames of their passes."""
        return [photo for name in self.people for photo in self.photos_of(name)]

    def photos_of(self, name: str) -> list[Path]:
        """One person's photos, and the frames of their passes."""
        frames = [frame for one in self.passes.get(name, ()) for frame in one]
        return [*self.people[name], *frames]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two photos to compare, and whether they show one person."""

    first: Path
    second: Path
    same: bool


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs in folds.

    Attributes:
        missing: photos in the list that the dataset lacks; their pairs are left out.
    """

    folds: Sequence[Sequence[Pair]]
    missing: Sequence[str]


def read_dataset(folder: Path, limit: int | None = None, seed: int = 0) -> Dataset:
    """Read the people of a folder, and their passes: folders of frames in a person's folder.

    Args:
        limit: take at most this many people, drawn by `seed`.

    Raises:
        InputError: there is no such folder, or no folder with files in it.
    """
    if not folder.is_dir():
        raise InputError(f"no such folder: {folder}")
    folders = [person for person in sorted(folder.iterdir()) if person.is_dir()]
    passes = {person.name: _passes(person) for person in folders}
    passes = {name: found for name, found in passes.items() if found}
    people = {person.name: _files(person) for person in folders}
    people = {name: photos for name, photos in people.items() if photos or name in passes}
    if not people:
        raise InputError(
            f"there are no people in {folder}: a dataset has one folder of photos for each person"
        )
    if limit is not None and limit < len(people):
        names = np.random.default_rng(seed).permutation(list(people))[:limit]
        people = {name: people[name] for name in sorted(names)}
    return Dataset(folder, people, {name: passes[name] for name in people if name in passes})


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.is_file())


def _passes(person: Path) -> list[list[Path]]:
    folders = sorted(one for one in person.iterdir() if one.is_dir())
    return [frames for frames in map(_files, folders) if frames]


def read_pairs(file: Path, dataset: Dataset) -> Pairs:
    """Read the pairs of a file in LFW's format.

    The first line has the number of folds, which may be left out, and the number of genuine and
    of impostor pairs in each fold. For each fold follow lines `name, n, m` for two photos of one
    person, then lines `name, n, name, m` for photos of two people. Pairs without folds are split
    into ten folds, each with as many genuine and as many impostor pairs as the others.

    Raises:
        InputError: the file cannot be read, or it is not in this format.
    """
    try:
        head, *lines = file.read_text(encoding="utf-8").splitlines()
        numbers = [int(number) for number in head.split()]
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read pairs from {file}: {error}") from error
    known = {photo.stem: photo for photo in dataset.photos}
    missing: list[str] = []
    pairs = []
    for row, line in enumerate(lines, start=2):
        if line.strip():
            named = _parse(line, f"{file}, line {row}")
            absent = [name for name in named[:2] if name not in known]
            missing += absent
            first, second, same = named
            pairs.append(None if absent else Pair(known[first], known[second], same))
    return Pairs(_folds(pairs, numbers), sorted(set(missing)))


def _parse(line: str, where: str) -> tuple[str, str, bool]:
    """The stems of the two photos, and whether they show one person."""
    fields = line.split("\t") if "\t" in line else line.split()
    same = len(fields) == 3
    if len(fields) not in (3, 4) or not all(
        re.fullmatch(r"\d+", field) for field in (fields[1], fields[-1])
    ):
        raise InputError(f"{where}: not a pair: {line!r}")
    first, second = fields[0], fields[0] if same else fields[2]
    return f"{first}_{int(fields[1]):04}", f"{second}_{int(fields[-1]):04}", same


def _folds(pairs: list[Pair | None], numbers: list[int]) -> list[list[Pair]]:
    if len(numbers) == 2:
        parts = [list(part) for part in np.array_split(np.arange(len(pairs)), numbers[0])]
    else:
        by_same: dict[bool, list[int]] = {True: [], False: []}
        for index, pair in enumerate(pairs):
            if pair:
                by_same[pair.same].append(index)
        split = (np.array_split(indices, FOLDS) for indices in by_same.values())
        parts = [[*genuine, *impostors] for genuine, impostors in zip(*split, strict=True)]
    return [[pair for index in part if (pair := pairs[int(index)])] for part in parts]
