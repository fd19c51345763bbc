"""Seals the content of an SQLite file anew."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from susracker.errors import StoreUnavailableError
from susracker.models import Photo
from susracker.stores.rotation import OnStep, Resealer, Vault
from susracker.stores.sealing import face_context, template_context
from susracker.stores.seals import Seals
from susracker.stores.sqlite.database import Database
from susracker.stores.sqlite.rows import columns, to_record
from susracker.stores.sqlite.seals import put_seals, read_seals
from susracker.stores.sqlite.templates import TemplateCopy

Row = tuple[Any, ...]
Change = Callable[[sqlite3.Connection, Resealer, Row], bool]
"""Seals a row anew, and returns whether that was needed."""


@dataclass(frozen=True, slots=True)
class Walk:
    """How to go through one kind of content.

    Attributes:
        count: selects how many pieces there are.
        select: selects rows after a key, in the order of the key, which comes first in each.
        start: is before every key.
        at_once: rows of one transaction; each transaction waits for the disk.
    """

    step: str
    count: str
    select: str
    start: Row
    at_once: int
    change: Change


class UnopenedDatabase(Database):
    """A file whose data key is not asked for."""

    def _admit(self, connection: sqlite3.Connection) -> Seals:
        return read_seals(connection)

    def put_seals(self, seals: Seals) -> None:
        """Say which data key the file is encrypted with."""
        with self.writing() as connection:
            put_seals(connection, seals)
        self._seals = seals


class SqliteVault(Vault):
    """See `Vault`."""

    def __init__(self, path: Path) -> None:
        self._db = UnopenedDatabase(path)

    def seals(self) -> Seals:
        with self._db.reading() as connection:
            return read_seals(connection)

    def put_seals(self, seals: Seals) -> None:
        self._db.put_seals(seals)

    def reseal(self, resealer: Resealer, on_step: OnStep) -> Counter[str]:
        return +Counter({walk.step: self._walk(walk, resealer, on_step) for walk in WALKS})

    def clear_traces(self) -> None:
        TemplateCopy(self._db).delete()
        with self._db.reading() as connection:
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StoreUnavailableError(
                f"another program uses {self._db.path}: stop it, then give the same command again"
            )

    def close(self) -> None:
        self._db.close()

    def _walk(self, walk: Walk, resealer: Resealer, on_step: OnStep) -> int:
        changed, done, last = 0, 0, walk.start
        total = int(self._db.rows(walk.count)[0][0])
        while rows := self._db.rows(walk.select, *last, walk.at_once):
            with self._db.writing() as connection:
                changed += sum(walk.change(connection, resealer, row) for row in rows)
            last = rows[-1][: len(last)]
            done += len(rows)
            on_step(walk.step, done, total)
        return changed


def _photo(connection: sqlite3.Connection, resealer: Resealer, row: Row) -> bool:
    number, *fields = row
    photo = resealer.photo(to_record(Photo, fields))
    if photo is None:
        return False
    connection.execute("UPDATE photos SET digest = ? WHERE number = ?", (photo.digest, number))
    connection.execute(
        "UPDATE photo_contents SET content = ? WHERE number = ?", (photo.content, number)
    )
    return True


def _template(connection: sqlite3.Connection, resealer: Resealer, row: Row) -> bool:
    *key, stored = row
    vector = resealer.piece(stored, template_context(*key))
    if vector is None:
        return False
    connection.execute(
        "UPDATE templates SET vector = ? WHERE criminal_id = ? AND encoder_id = ? AND photo_id = ?",
        (vector, *key),
    )
    return True


def _face(connection: sqlite3.Connection, resealer: Resealer, row: Row) -> bool:
    seq, alert_id, stored = row
    face = resealer.piece(stored, face_context(alert_id))
    if face is None:
        return False
    connection.execute("UPDATE alerts SET face = ? WHERE seq = ?", (face, seq))
    return True


WALKS = (
    Walk(
        "photos",
        "SELECT count(*) FROM photos",
        f"SELECT number, {columns(Photo)} FROM photos JOIN photo_contents USING (number)"
        " WHERE number > ? ORDER BY number LIMIT ?",
        (-1,),
        20,
        _photo,
    ),
    Walk(
        "templates",
        "SELECT count(*) FROM templates",
        "SELECT criminal_id, encoder_id, photo_id, vector FROM templates"
        " WHERE (criminal_id, encoder_id, photo_id) > (?, ?, ?)"
        " ORDER BY criminal_id, encoder_id, photo_id LIMIT ?",
        ("", "", ""),
        1000,
        _template,
    ),
    Walk(
        "faces",
        "SELECT count(*) FROM alerts WHERE face IS NOT NULL",
        "SELECT seq, id, face FROM alerts WHERE seq > ? AND face IS NOT NULL ORDER BY seq LIMIT ?",
        (0,),
        100,
        _face,
    ),
)
