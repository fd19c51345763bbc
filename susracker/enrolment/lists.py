"""Reads lists of people and their photos, in CSV or JSON."""

from __future__ import annotations

import codecs
import csv
import io
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from susracker.enrolment.fields import criminal_from_fields
from susracker.enrolment.report import Refused
from susracker.errors import InputError
from susracker.models import Criminal

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

CRIME_SEPARATORS = re.compile(r"[;,\r\n]")
"""What may be between crimes in a cell of CSV."""

DELIMITERS = (",", ";", "\t")
"""What may be between cells: spreadsheets write what the system's language asks for."""

ANY_CASE = frozenset({"threat", "status"})
"""Columns in which upper and lower case are the same."""

BAD_ROW = "bad row"
"""Why the photos of a row are not enrolled, in the report."""


Row = dict[str, object] | str
"""Values by column, or what is wrong."""


@dataclass(frozen=True, slots=True)
class ListedPerson:
    """A person in a list.

    Attributes:
        fields: the values in the list, by field name of `CriminalFields`.
    """

    fields: dict[str, object]
    photos: list[Path]


def read_list(path: Path) -> tuple[list[ListedPerson], list[Refused]]:
    """Read the people in the file of a list; see `parse_list`.

    Raises:
        InputError: the file cannot be read, or is no list.
    """
    try:
        return parse_list(path.read_bytes(), path)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def parse_list(data: bytes, path: Path) -> tuple[list[ListedPerson], list[Refused]]:
    """Read the people in a list with these `COLUMNS` and one row for each photo.

    A photo's path is relative to the list's folder. Rows with the same name and case are about the
    same person, and a value missing from one of them is taken from another. CSV has a header line;
    it is UTF-8, or UTF-16 with a byte order mark, has commas, semicolons or tabs between cells, and
    semicolons, commas or lines between crimes. JSON is an array of objects, with crimes as an
    array. An empty value counts as missing.

    Args:
        data: what the file holds.
        path: of the file, which is not opened. Its suffix says whether it is CSV or JSON.

    Returns:
        the people, and the rows that are wrong, each with its line or number.

    Raises:
        InputError: it is no list, or has other columns.
    """
    text = _text(data, path)
    rows = _csv_rows(text, path) if path.suffix.lower() == ".csv" else _json_rows(text, path)
    people: dict[tuple[str, str | None], ListedPerson] = {}
    bad: list[Refused] = []
    for where, row in rows:
        try:
            _add(people, path.parent, row)
        except InputError as error:
            bad.append(Refused(where, BAD_ROW, str(error)))
    if not people and not bad:
        raise InputError(f"{path} lists nobody")
    return list(people.values()), bad


def write_example(path: Path) -> None:
    """Write a list to begin with, as CSV that spreadsheets open.

    Raises:
        InputError: the file is there already, is no CSV, or cannot be written.
    """
    if path.suffix.lower() != ".csv":
        raise InputError(f"{path}: name a file that ends in .csv")
    expires = f"{datetime.now(timezone.utc) + timedelta(days=365):%Y-%m-%d}"
    rows: list[list[object]] = [
        list(COLUMNS),
        ["photos/jo-1.jpg", "Jo Doe", 41, "robbery; fraud", "high", "wanted", "K-17", expires],
        ["photos/jo-2.jpg", "Jo Doe", "", "", "", "", "K-17", ""],
        ["photos/max.jpg", "Max Roe", "", "", "", "", "", ""],
    ]
    try:
        # Spreadsheets know UTF-8 by its mark.
        with path.open("x", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows(rows)
    except FileExistsError as error:
        raise InputError(f"{path} is there already: name another file") from error
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error


def _add(people: dict[tuple[str, str | None], ListedPerson], folder: Path, row: Row) -> None:
    """Add what a row says of a person.

    Raises:
        InputError: something in it is wrong.
    """
    if isinstance(row, str):
        raise InputError(row)
    photo, fields = _parse(row)
    checked = _checked(photo, fields)
    key = checked.name, checked.case_reference
    known = people[key].fields if key in people else {}
    _refuse_contradiction(checked.name, known, fields)
    person = people.setdefault(key, ListedPerson({"name": checked.name}, []))
    for name, value in fields.items():
        person.fields.setdefault(name, value)
    person.photos.append(folder / str(photo))


def _checked(photo: object, fields: Mapping[str, object]) -> Criminal:
    """The person of a row.

    Raises:
        InputError: what is wrong with the photo and the fields, all of it.
    """
    problems = [problem] if (problem := _problem_of_photo(photo)) else []
    try:
        checked = criminal_from_fields(fields)
    except InputError as error:
        raise InputError("; ".join([*problems, str(error)])) from error
    if problems:
        raise InputError(problems[0])
    return checked


def _csv_rows(data: str, path: Path) -> Iterator[tuple[str, Row]]:
    text, delimiter, skipped = _without_separator_line(data)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    try:
        header = _cells(next(reader, []))
        columns = [cell.lower() for cell in header]
        if problem := _problem_of(columns):
            raise InputError(f"{path}, line {1 + skipped}: {problem}")
        for found in reader:
            where, cells = f"{path}, line {reader.line_num + skipped}", _cells(found)
            if cells:
                yield where, _csv_row(columns, cells)
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num + skipped}: {error}") from error


def _csv_row(columns: list[str], cells: list[str]) -> Row:
    if len(cells) > len(columns):
        return f"{len(cells)} cells, but {len(columns)} columns"
    row: dict[str, object] = dict(zip(columns, cells, strict=False))
    crimes = CRIME_SEPARATORS.split(str(row.get("crimes", "")))
    return row | {"crimes": [crime.strip() for crime in crimes if crime.strip()]}


def _cells(found: list[str]) -> list[str]:
    """The cells of a row, without the empty ones at its end, of which spreadsheets add some."""
    cells = [cell.strip() for cell in found]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _without_separator_line(text: str) -> tuple[str, str, int]:
    """The text, what is between its cells, and how many lines were taken from its beginning: Excel
    may begin a file with a line such as "sep=;"."""
    first, _, rest = text.partition("\n")
    if re.fullmatch(r"sep=.\r?", first, re.IGNORECASE):
        return rest, first[4], 1
    return text, max(DELIMITERS, key=first.count), 0


def _json_rows(text: str, path: Path) -> Iterator[tuple[str, Row]]:
    try:
        rows = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{path}, line {error.lineno}: {error.msg}") from error
    except (ValueError, RecursionError) as error:  # a number or a nesting without end
        raise InputError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(rows, list):
        raise InputError(f"{path} must be an array of objects, one for each photo")
    for number, row in enumerate(rows, 1):
        yield f"{path}, entry {number}", _json_row(row)


def _json_row(row: object) -> Row:
    if not isinstance(row, dict):
        return "must be an object"
    return _problem_of(list(row)) or row


def _text(data: bytes, path: Path) -> str:
    is_utf_16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if is_utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f'{path} is not UTF-8: save it as "CSV UTF-8", or as Unicode text named .csv'
        ) from error


def _problem_of(columns: list[str]) -> str | None:
    for column in columns:
        if column not in COLUMNS:
            return (
                f"unknown column {column!r}: rename it or take it out; known: {', '.join(COLUMNS)}"
            )
        if columns.count(column) > 1:
            return f"the column {column!r} appears twice"
    missing = [column for column in ("photo", "name") if column not in columns]
    return f"the column {missing[0]!r} is missing" if missing else None


def _parse(row: Mapping[str, object]) -> tuple[object, dict[str, object]]:
    """Return a row's photo, which is not checked, and the fields that it has of the person."""
    said = {column: value for column, value in row.items() if value not in (None, "", [])}
    photo = said.pop("photo", None)
    for column in ANY_CASE & said.keys():
        said[column] = str(said[column]).strip().lower()
    return photo, {COLUMNS[column]: value for column, value in said.items()}


def _problem_of_photo(photo: object) -> str | None:
    if photo is None:
        return "photo is missing"
    is_path = isinstance(photo, str) and _may_be_a_path(photo)
    return None if is_path else "photo must be the path of a file"


def _may_be_a_path(text: str) -> bool:
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:  # half a character
        return False


def _refuse_contradiction(
    name: str, known: Mapping[str, object], fields: Mapping[str, object]
) -> None:
    for field, value in fields.items():
        if field != "name" and known.get(field, value) != value:
            raise InputError(
                f"{field} is {value!r}, but {known[field]!r} in an earlier row of {name}"
            )
