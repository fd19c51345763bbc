"""Between records and rows; a column is called as its field."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import astuple, fields
from datetime import date, timedelta
from typing import Any, TypeVar

from susracker.models import Candidate
from susracker.runtime.clock import from_microseconds, to_microseconds
from susracker.stores.times import TIMES

Record = TypeVar("Record")


def columns(kind: type) -> str:
    """The columns of a record, for a SELECT that `to_record` reads."""
    return ", ".join(field.name for field in fields(kind))


def to_row(record: Any) -> dict[str, Any]:
    """What is stored of a record, by column."""
    return to_columns({field.name: getattr(record, field.name) for field in fields(record)})


def to_columns(values: Mapping[str, object]) -> dict[str, Any]:
    """What is stored of a record's fields."""
    return {
        name: _TO_COLUMN[name](value) if name in _TO_COLUMN and value is not None else value
        for name, value in values.items()
    }


def to_record(kind: type[Record], row: Sequence[Any]) -> Record:
    """The record that `to_row` stored, from its `columns`."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    return kind(
        *(
            _FROM_COLUMN[name](value) if name in _FROM_COLUMN and value is not None else value
            for name, value in zip(names, row, strict=True)
        )
    )


def from_candidates(candidates: Iterable[Candidate]) -> str:
    """Candidates as a column holds them; JSON written by Python keeps numbers exactly."""
    return json.dumps([astuple(candidate) for candidate in candidates])


def to_candidates(text: str) -> tuple[Candidate, ...]:
    """What `from_candidates` wrote."""
    return tuple(Candidate(*values) for values in json.loads(text))


_FIRST_DAY = date(1970, 1, 1)

_TO_COLUMN: dict[str, Callable[[Any], object]] = {
    **dict.fromkeys(TIMES, to_microseconds),
    "crimes": json.dumps,
    "candidates": from_candidates,
    "details": json.dumps,
    "day": lambda day: (day - _FIRST_DAY).days,
}
_FROM_COLUMN: dict[str, Callable[[Any], object]] = {
    **dict.fromkeys(TIMES, from_microseconds),
    "crimes": lambda text: tuple(json.loads(text)),
    "candidates": to_candidates,
    "details": json.loads,
    "day": lambda days: _FIRST_DAY + timedelta(days=days),
    "again": bool,
    "suppressed": bool,
}


def insert(
    connection: sqlite3.Connection, table: str, values: Mapping[str, object], conflict: str = ""
) -> sqlite3.Cursor:
    """Insert a row, of values by column."""
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    sql = f"INSERT INTO {table} ({names}) VALUES ({marks}) {conflict}"
    return connection.execute(sql, tuple(values.values()))


def json_list(values: Collection[str]) -> str:
    """Many values as one parameter: SQLite limits their number, and not their length."""
    return json.dumps(list(values))
