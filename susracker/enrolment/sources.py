"""Turns paths into people: whom to enrol, and from which files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from susracker.enrolment.fields import criminal_from_fields
from susracker.enrolment.lists import LIST_SUFFIXES, read_list
from susracker.enrolment.report import Refused
from susracker.errors import InputError

SPREADSHEETS = (".xlsx", ".xlsm", ".xls", ".ods", ".numbers")
"""Lists that are not saved as CSV yet."""

_NUMBER = re.compile(r"(?<=.)[ _-]*(?:\(\d{1,6}\)|(?<=[ _-])\d{1,6})$")
"""What tells several files of one person apart, at the end of their names."""


@dataclass(slots=True, eq=False)
class Person:
    """Someone to enrol.

    Attributes:
        fields: only the values that were given, by field name of `CriminalFields`.
        photos: files that may be photos; the report accounts for each of them.
        criminal_id: the id of someone enrolled; None to go by the name.
    """

    fields: dict[str, object]
    photos: list[Path]
    criminal_id: str | None = None


@dataclass(slots=True)
class Sources:
    """What was found at the paths.

    Attributes:
        refused: files and folders that belong to nobody, whatever they contain.
        bad_rows: rows of lists in which something is wrong.
    """

    people: list[Person] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    bad_rows: list[Refused] = field(default_factory=list)


def find_people(paths: Sequence[Path], fields: Mapping[str, object]) -> Sources:
    """Find people and their files in folders, and in lists in CSV or JSON (see `read_list`).

    A folder that contains folders has one of them for each person; any other folder belongs to one
    person. The folder's name is the person's name, with underscores for spaces. Hidden files are
    ignored. The same name and case reference mean the same person, wherever they occur.

    Args:
        fields: values for everyone found; a list may override them for a person.

    Raises:
        InputError: a path does not exist, is a single photo or a spreadsheet, or cannot be read; a
            field is wrong; or a list has other columns.
    """
    found = Sources()
    for path in paths:
        _must_be_usable(path)
        if path.is_dir():
            _add_folder(found, path, fields)
        elif _is_list(path):
            listed, bad = read_list(path)
            found.people += [Person({**fields, **one.fields}, one.photos) for one in listed]
            found.bad_rows += bad
        else:
            raise InputError(f"whose photo is {path}? Name the person with --name NAME or --id ID")
    found.people = _joined(found.people)
    return found


def find_people_by_file(paths: Sequence[Path], fields: Mapping[str, object]) -> Sources:
    """Find people by the names of their files: `Jo_Doe.jpg`, `Jo_Doe_2.jpg`, `Jo Doe (3).jpg`.

    Args:
        fields: values for everyone found.

    Raises:
        InputError: as `find_photos` and `find_people` raise it.
    """
    named = [_person_of_file(path, fields) for path in find_photos(paths)]
    return Sources(_joined(named))


def _person_of_file(path: Path, fields: Mapping[str, object]) -> Person:
    name = _NUMBER.sub("", path.stem).replace("_", " ").strip()
    named = {**fields, "name": name}
    try:
        criminal_from_fields(named)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return Person(named, [path])


def find_photos(paths: Sequence[Path]) -> list[Path]:
    """Find the files of one person: photos, and all files in folders, however deep.

    Raises:
        InputError: a path does not exist, is a list of people or a spreadsheet, or cannot be
            read.
    """
    photos: list[Path] = []
    for path in paths:
        _must_be_usable(path)
        if path.is_dir():
            photos += _files_beneath(path)
        elif _is_list(path):
            raise InputError(f"{path} is a list with names of its own: leave out --name and --id")
        else:
            photos.append(path)
    return photos


def _must_be_usable(path: Path) -> None:
    if not path.exists():
        raise InputError(f"no such file or folder: {path}")
    if path.suffix.lower() in SPREADSHEETS and path.is_file():
        raise InputError(f'{path} is a spreadsheet: save it as CSV ("CSV UTF-8"), and enrol that')


def _is_list(path: Path) -> bool:
    return path.suffix.lower() in LIST_SUFFIXES


def _is_hidden(name: str) -> bool:
    return name.startswith(".")


def _add_folder(found: Sources, folder: Path, fields: Mapping[str, object]) -> None:
    folders, files = _children(folder)
    if not folders:
        _add_person(found, folder, files, fields)
        return
    found.refused += [Refused(str(file), "in no person's folder") for file in files]
    for own in folders:
        deeper, photos = _children(own)
        _add_person(found, own, photos, fields)
        # Nobody can tell whose these are. A wrong guess would mix two people's templates.
        found.refused += [
            Refused(str(path), "folder in a person's folder", "enrol it by itself, or with --name")
            for path in deeper
        ]


def _add_person(
    found: Sources, folder: Path, photos: list[Path], fields: Mapping[str, object]
) -> None:
    named = {**fields, "name": folder.resolve().name.replace("_", " ")}
    try:
        criminal_from_fields(named)
    except InputError as error:
        raise InputError(f"{folder}: {error}") from error
    if photos:
        found.people.append(Person(named, photos))
    else:
        found.refused.append(Refused(str(folder), "empty folder"))


def _children(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the folders and the files in a folder, by name, without hidden ones."""
    try:
        children = sorted(path for path in folder.iterdir() if not _is_hidden(path.name))
    except OSError as error:
        raise _unreadable(error) from error
    folders = [path for path in children if path.is_dir()]
    return folders, [path for path in children if not path.is_dir()]


def _files_beneath(folder: Path) -> Iterator[Path]:
    """Yield all files by path, without hidden ones. Links to folders are not followed, because they
    may form a circle."""

    def refuse(error: OSError) -> None:
        raise _unreadable(error) from error

    for root, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        yield from (Path(root, name) for name in sorted(files) if not _is_hidden(name))


def _unreadable(error: OSError) -> InputError:
    return InputError(f"cannot read the folder {error.filename}: {error.strerror}")


def _joined(people: Iterable[Person]) -> list[Person]:
    """Merge the entries that share a name and case reference into one person each."""
    joined: dict[tuple[str, str | None], Person] = {}
    for person in people:
        checked = criminal_from_fields(person.fields)
        first = joined.setdefault((checked.name, checked.case_reference), person)
        if first is not person:
            first.fields |= person.fields
            first.photos += person.photos
    return list(joined.values())
