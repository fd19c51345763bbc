"""Groups of people or photos, from a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from susracker.benchmark.datasets import Dataset
from susracker.benchmark.metrics import Flags
from susracker.errors import InputError

Groups = Mapping[str, str]
"""Column to group, such as "age" to "over 60"."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The groups that photos belong to.

    Attributes:
        groups: by photo.
        unknown: people or photos in the file that the dataset lacks.
    """

    groups: Mapping[Path, Groups]
    unknown: Sequence[str]

    def among(self, photos: Sequence[Path]) -> Iterator[tuple[str, str, Flags]]:
        """Each column and group, with flags of which `photos` belong to it."""
        rows = [self.groups.get(photo, {}) for photo in photos]
        for column, group in self.all_groups():
            yield column, group, np.array([row.get(column) == group for row in rows], bool)

    def all_groups(self) -> list[tuple[str, str]]:
        """Every column and group, in order."""
        return sorted({item for row in self.groups.values() for item in row.items()})


def read_labels(file: Path, dataset: Dataset) -> Labels:
    """Read groups from a CSV file.

    The first column is `person`, with the names of folders, or `photo`, with paths relative to the
    dataset's folder. The others are groups; an empty cell belongs to no group.

    Raises:
        InputError: the file cannot be read, or its first line has other columns.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            head, *rows = [row for row in csv.reader(lines) if row]
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"cannot read labels from {file}: {error}") from error
    if head[0] not in ("person", "photo") or len(head) < 2:
        raise InputError(
            f"{file}: the first column must be called person or photo, and groups must follow;"
            f" the columns are {', '.join(head)}"
        )
    known = _photos_by_label(dataset, by_person=head[0] == "person")
    groups: dict[Path, Groups] = {}
    unknown = []
    for row in rows:
        if row[0] not in known:
            unknown.append(row[0])
        cells = {column: cell for column, cell in zip(head[1:], row[1:], strict=False) if cell}
        for photo in known.get(row[0], ()):
            groups[photo] = cells
    return Labels(groups, unknown)


def _photos_by_label(dataset: Dataset, *, by_person: bool) -> Mapping[str, Sequence[Path]]:
    if by_person:
        return {name: dataset.photos_of(name) for name in dataset.people}
    return {photo.relative_to(dataset.folder).as_posix(): [photo] for photo in dataset.photos}
