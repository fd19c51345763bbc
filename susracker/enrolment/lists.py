"""Reads lists of people and their photos, in CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from susracker.enrolment.fields import criminal_from_fields
from susracker.errors import InputError

LIST_SUFFIXES = (".csv", ".json")

COLUMNS = {
    "photo": "photo",
    "name": "name",
    "age": "age",
    "crimes": "crimes",
    "threat": "threat",
    "status": "status",
    "case": "case_reference",
    "expires": "expires_at",
}
"""The columns of a list, and their field names in `CriminalFields`."""

CRIME_SEPARATOR = ";"


@dataclass(frozen=True, slots=True)
class ListedPerson:
    """A person in a list.

    Attributes:
        fields: the values in the list, by field name of `CriminalFields`.
    """

    fields: dict[str, object]
    photos: list[Path]


def read_list(path: Path) -> list[ListedPerson]:
    """Read the people in a list with these `COLUMNS` and one row for each photo.

    A photo's path is relative to the list's folder. Rows with the same name and case are about the
    same person, and a value missing from one of them is taken from another. CSV is UTF-8 with a
    header line, and separates crimes by semicolons. JSON is an array of objects, with crimes as an
    array. An empty value counts as missing.

    Raises:
        InputError: the list cannot be read, a column or a value is wrong, or two rows contradict
            each other. The message has the line number or the number of the JSON entry.
    """
    rows = _csv_rows(path) if path.suffix.lower() == ".csv" else _json_rows(path)
    people: dict[tuple[str, str | None], ListedPerson] = {}
    for where, row in rows:
        photo, fields = _parse(where, row)
        try:
            checked = criminal_from_fields(fields)
        except InputError as error:
            raise InputError(f"{where}: {error}") from error
        person = people.setdefault(
            (checked.name, checked.case_reference), ListedPerson({"name": checked.name}, [])
        )
        _merge(where, person.fields, fields)
        person.photos.append(path.parent / photo)
    if not people:
        raise InputError(f"{path} lists nobody")
    return list(people.values())


def _csv_rows(path: Path) -> Iterator[tuple[str, dict[str, object]]]:
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        _check_columns(f"{path}, line 1", header)
        for cells in reader:
            where = f"{path}, line {reader.line_num}"
            if len(cells) > len(header):
                raise InputError(f"{where}: {len(cells)} cells, but {len(header)} columns")
            row: dict[str, object] = dict(zip(header, map(str.strip, cells), strict=False))
            crimes = str(row.get("crimes", "")).split(CRIME_SEPARATOR)
            row["crimes"] = [crime.strip() for crime in crimes if crime.strip()]
            if any(row.values()):
                yield where, row
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: {error}") from error


def _json_rows(path: Path) -> Iterator[tuple[str, dict[str, object]]]:
    try:
        rows = json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise InputError(f"{path}, line {error.lineno}: {error.msg}") from error
    except (ValueError, RecursionError) as error:  # a number or a nesting without end
        raise InputError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(rows, list):
        raise InputError(f"{path} must be an array of objects, one for each photo")
    for number, row in enumerate(rows, 1):
        where = f"{path}, entry {number}"
        if not isinstance(row, dict):
            raise InputError(f"{where}: must be an object")
        _check_columns(where, list(row))
        yield where, row


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8: save it as UTF-8 CSV or as JSON") from error


def _check_columns(where: str, columns: list[str]) -> None:
    for column in columns:
        if column not in COLUMNS:
            raise InputError(f"{where}: unknown column {column!r}; known: {', '.join(COLUMNS)}")
        if columns.count(column) > 1:
            raise InputError(f"{where}: the column {column!r} appears twice")
    for column in ("photo", "name"):
        if column not in columns:
            raise InputError(f"{where}: the column {column!r} is missing")


def _parse(where: str, row: Mapping[str, object]) -> tuple[str, dict[str, object]]:
    """Return a row's photo, and the fields that it has of the person."""
    said = {column: value for column, value in row.items() if value not in (None, "", [])}
    photo = said.pop("photo", None)
    if not isinstance(photo, str) or not _may_be_a_path(photo):
        raise InputError(f"{where}: photo must be the path of a file")
    return photo, {COLUMNS[column]: value for column, value in said.items()}


def _may_be_a_path(text: str) -> bool:
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:  # half a character
        return False


def _merge(where: str, known: dict[str, object], fields: Mapping[str, object]) -> None:
    for name, value in fields.items():
        if name != "name" and known.setdefault(name, value) != value:
            raise InputError(
                f"{where}: {name} is {value!r}, but {known[name]!r} in an earlier row of"
                f" {known['name']}"
            )
