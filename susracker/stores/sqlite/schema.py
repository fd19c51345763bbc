"""The tables of an SQLite store: how a file is known as one and brought up to date, how records
become rows and come back, and the steps that writes are made of. A column is called as its field.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import astuple, fields, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from susracker.errors import DuplicateError, NotFoundError, StoreFormatError
from susracker.models import Alert, Camera, Candidate, Event, Photo, Sighting, Template

Record = TypeVar("Record")

APPLICATION_ID = 0x53555354
"""Marks a file as a susracker store, where `file(1)` looks for it: "SUST"."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # Times are whole microseconds since 1970 in UTC: they compare and come back exactly.
        """CREATE TABLE criminals (
            id TEXT PRIMARY KEY, name TEXT NOT NULL, age INTEGER, crimes TEXT NOT NULL,
            threat TEXT NOT NULL, status TEXT NOT NULL, case_reference TEXT, expires_at INTEGER,
            last_seen_at INTEGER, last_seen_camera TEXT, last_seen_location TEXT,
            created_at INTEGER NOT NULL
        ) WITHOUT ROWID""",
        "CREATE INDEX criminals_by_name ON criminals (name)",
        # Outlives the criminal: others have to hear of a removal, too.
        """CREATE TABLE revisions (
            criminal_id TEXT PRIMARY KEY, revision INTEGER NOT NULL UNIQUE
        ) WITHOUT ROWID""",
        """CREATE TABLE photos (
            number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
            criminal_id TEXT NOT NULL REFERENCES criminals ON DELETE CASCADE,
            digest TEXT NOT NULL UNIQUE, media_type TEXT NOT NULL
        )""",
        "CREATE INDEX photos_by_criminal ON photos (criminal_id)",
        """CREATE TABLE photo_contents (
            number INTEGER PRIMARY KEY REFERENCES photos ON DELETE CASCADE, content BLOB NOT NULL
        )""",
        # Clustered by criminal: all templates are read in one pass, without a sort.
        """CREATE TABLE templates (
            criminal_id TEXT NOT NULL REFERENCES criminals ON DELETE CASCADE,
            encoder_id TEXT NOT NULL, photo_id TEXT NOT NULL,
            eye_distance REAL NOT NULL, sharpness REAL NOT NULL, brightness REAL NOT NULL,
            detector_score REAL NOT NULL, vector BLOB NOT NULL,
            PRIMARY KEY (criminal_id, encoder_id, photo_id)
        ) WITHOUT ROWID""",
        # Counts templates without reading their vectors.
        "CREATE INDEX templates_by_encoder ON templates (encoder_id, criminal_id)",
        """CREATE TABLE sightings (
            criminal_id TEXT NOT NULL REFERENCES criminals ON DELETE CASCADE,
            occurred_at INTEGER NOT NULL, id TEXT NOT NULL, camera_id TEXT NOT NULL,
            camera_location TEXT NOT NULL, received_at INTEGER NOT NULL, distance REAL NOT NULL,
            score REAL NOT NULL, suppressed INTEGER NOT NULL,
            PRIMARY KEY (criminal_id, occurred_at, id)
        ) WITHOUT ROWID""",
        # The face is the last column: pages that hold only a face are not read without it.
        """CREATE TABLE alerts (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
            event_type TEXT NOT NULL, camera_id TEXT NOT NULL, camera_location TEXT NOT NULL,
            occurred_at INTEGER NOT NULL, received_at INTEGER NOT NULL, criminal_id TEXT,
            name TEXT, distance REAL, score REAL, candidates TEXT NOT NULL, photo_id TEXT,
            status TEXT NOT NULL, face BLOB
        )""",
        "CREATE INDEX alerts_by_time ON alerts (occurred_at)",
        # Who is named in which alert, as match or as candidate: what a removal has to rewrite.
        """CREATE TABLE alert_people (
            criminal_id TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (criminal_id, seq)
        ) WITHOUT ROWID""",
        # The alerts of an event were stored at once: they are a range of `seq`.
        """CREATE TABLE events (
            camera_id TEXT NOT NULL, event_id TEXT NOT NULL, kind TEXT NOT NULL,
            received_at INTEGER NOT NULL, first_seq INTEGER, last_seq INTEGER,
            PRIMARY KEY (camera_id, event_id)
        ) WITHOUT ROWID""",
        "CREATE INDEX events_by_time ON events (received_at)",
        """CREATE TABLE cameras (
            id TEXT PRIMARY KEY, location TEXT NOT NULL, last_heard_at INTEGER NOT NULL,
            detections INTEGER NOT NULL, alerts INTEGER NOT NULL
        ) WITHOUT ROWID""",
    ),
)
"""Statements that lead from one schema to the next; `user_version` says how many steps a file has
been through. Files of every step are in use: add a step, never change one."""

PAGE_SIZE = 16_384
"""Bytes. Some twenty templates fit into a page of this size, five into SQLite's usual one, which
makes reading all of them a third slower."""

RETRY_PAUSE = 0.02


def prepare_file(connection: sqlite3.Connection, path: Path, patience: float) -> None:
    """Make a file a store of the present schema, whoever else does so at the same time.

    Args:
        connection: to the file, which may be empty.
        path: what to call the file where it is wrong.
        patience: seconds to wait for another process that holds the file.

    Raises:
        StoreFormatError: it is something else, or of a newer schema; it is left as it is.
        sqlite3.Error: it cannot be read or written.
    """
    _check(connection, path)
    connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
    _switch_to_wal(connection, patience)
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _check(connection, path)
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        # Written even where nothing changes: a file that is read-only fails here, not later.
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        if version < len(MIGRATIONS):
            connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _check(connection: sqlite3.Connection, path: Path) -> int:
    """How many steps the file has been through."""
    # One statement, and so one state of the file, while another process may be creating it.
    application_id, version, tables = connection.execute(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master)"
        " FROM pragma_application_id, pragma_user_version"
    ).fetchone()
    if application_id == 0 and version == 0 and tables == 0:
        return 0
    if application_id != APPLICATION_ID:
        raise StoreFormatError(f"{path} is another program's database: name another file")
    if version > len(MIGRATIONS):
        raise StoreFormatError(f"{path} was written by a newer susracker: install the newest")
    return int(version)


def _switch_to_wal(connection: sqlite3.Connection, patience: float) -> None:
    """Turn the write-ahead log on. SQLite does not wait for others here as it does elsewhere."""
    deadline = time.monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(RETRY_PAUSE)


# -- between rows and records --------------------------------------------------------------------


def columns(kind: type) -> str:
    """The columns of a record, for a SELECT that `to_record` reads."""
    return ", ".join(field.name for field in fields(kind))


def to_row(record: Any) -> dict[str, Any]:
    """What is stored of a record, by column."""
    values = {field.name: getattr(record, field.name) for field in fields(record)}
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


def to_integer(moment: datetime) -> int:
    """A moment as a column holds it; a float could not hold it exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def from_candidates(candidates: Iterable[Candidate]) -> str:
    """Candidates as a column holds them; JSON written by Python keeps numbers exactly."""
    return json.dumps([astuple(candidate) for candidate in candidates])


def to_candidates(text: str) -> tuple[Candidate, ...]:
    """What `from_candidates` wrote."""
    return tuple(Candidate(*values) for values in json.loads(text))


def _to_moment(microseconds: int) -> datetime:
    return _EPOCH + microseconds * _MICROSECOND


_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)
_TIMES = ("expires_at", "created_at", "occurred_at", "received_at", "last_seen_at", "last_heard_at")

_TO_COLUMN: dict[str, Callable[[Any], object]] = {
    **dict.fromkeys(_TIMES, to_integer),
    "crimes": json.dumps,
    "candidates": from_candidates,
}
_FROM_COLUMN: dict[str, Callable[[Any], object]] = {
    **dict.fromkeys(_TIMES, _to_moment),
    "crimes": lambda text: tuple(json.loads(text)),
    "candidates": to_candidates,
    "suppressed": bool,
}


# -- inside a write ------------------------------------------------------------------------------


def insert(
    connection: sqlite3.Connection, table: str, values: Mapping[str, object], conflict: str = ""
) -> sqlite3.Cursor:
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    sql = f"INSERT INTO {table} ({names}) VALUES ({marks}) {conflict}"
    return connection.execute(sql, tuple(values.values()))


def bump_revision(connection: sqlite3.Connection, criminal_id: str) -> None:
    # Writers take turns, and the highest revision is never taken away: it grows by commit order.
    connection.execute(
        "INSERT INTO revisions VALUES (?, (SELECT coalesce(max(revision), 0) + 1 FROM revisions))"
        " ON CONFLICT (criminal_id) DO UPDATE SET revision = excluded.revision",
        (criminal_id,),
    )


def insert_photo(connection: sqlite3.Connection, criminal_id: str, photo: Photo) -> None:
    values = to_row(photo) | {"criminal_id": criminal_id}
    content = values.pop("content")
    added = insert(connection, "photos", values, "ON CONFLICT (digest) DO NOTHING")
    if not added.rowcount:
        raise DuplicateError(f"the photo with the digest {photo.digest} is stored already")
    insert(connection, "photo_contents", {"number": added.lastrowid, "content": content})


def insert_template(connection: sqlite3.Connection, template: Template) -> str:
    """Store a template as its photo's owner's, and say who that is."""
    rows = connection.execute("SELECT criminal_id FROM photos WHERE id = ?", (template.photo_id,))
    owner = rows.fetchone()
    if owner is None:
        raise no_photo(template.photo_id)
    key = {
        "criminal_id": owner[0],
        "encoder_id": template.encoder_id,
        "photo_id": template.photo_id,
    }
    values = {"vector": np.ascontiguousarray(template.vector, "<f4").tobytes()}
    connection.execute(
        "DELETE FROM templates WHERE criminal_id = ? AND encoder_id = ? AND photo_id = ?",
        tuple(key.values()),
    )
    insert(connection, "templates", key | to_row(template.quality) | values)
    return str(owner[0])


def forget_in_alerts(connection: sqlite3.Connection, criminal_id: str) -> None:
    """Take a criminal out of the alerts about him, and from among the candidates of others."""
    naming = connection.execute(
        "SELECT seq, candidates FROM alerts"
        " WHERE seq IN (SELECT seq FROM alert_people WHERE criminal_id = ?)",
        (criminal_id,),
    ).fetchall()
    for seq, text in naming:
        others = [one for one in to_candidates(text) if one.criminal_id != criminal_id]
        connection.execute(
            "UPDATE alerts SET candidates = ? WHERE seq = ?", (from_candidates(others), seq)
        )
        connection.execute(
            "UPDATE alerts SET criminal_id = NULL, name = NULL, photo_id = NULL, face = NULL"
            " WHERE seq = ? AND criminal_id = ?",
            (seq, criminal_id),
        )
    connection.execute("DELETE FROM alert_people WHERE criminal_id = ?", (criminal_id,))


def refuse_repeat(connection: sqlite3.Connection, event: Event) -> None:
    sql = "SELECT * FROM events WHERE camera_id = ? AND event_id = ?"
    if connection.execute(sql, (event.camera_id, event.event_id)).fetchone():
        raise DuplicateError(
            f"the event {event.event_id!r} of camera {event.camera_id!r} was handled before"
        )


def known_only(
    connection: sqlite3.Connection, sightings: Sequence[Sighting], alerts: Sequence[Alert]
) -> list[Alert]:
    """The alerts, without candidates who were removed since they were found.

    Raises:
        NotFoundError: someone who was sighted, or whom an alert is about, was removed.
    """
    matched = {sighting.criminal_id for sighting in sightings}
    matched.update(alert.criminal_id for alert in alerts if alert.criminal_id is not None)
    compared = {one.criminal_id for alert in alerts for one in alert.candidates}
    sql = "SELECT id FROM criminals WHERE id IN (SELECT value FROM json_each(?))"
    known = {row[0] for row in connection.execute(sql, (json_list(matched | compared),))}
    for criminal_id in sorted(matched - known):
        raise no_criminal(criminal_id)
    return [
        replace(alert, candidates=tuple(c for c in alert.candidates if c.criminal_id in known))
        for alert in alerts
    ]


def insert_sighting(connection: sqlite3.Connection, sighting: Sighting) -> None:
    values = to_row(sighting)
    insert(connection, "sightings", values)
    connection.execute(
        "UPDATE criminals SET last_seen_at = :occurred_at, last_seen_camera = :camera_id,"
        " last_seen_location = :camera_location WHERE id = :criminal_id"
        " AND (last_seen_at IS NULL OR last_seen_at < :occurred_at)",
        values,
    )


def insert_alert(connection: sqlite3.Connection, alert: Alert, seq: int | None = None) -> Alert:
    """Store an alert, and return it with its `seq`: by default the next."""
    added = insert(connection, "alerts", to_row(alert) | {"seq": seq})
    stored = replace(alert, seq=int(added.lastrowid or 0))
    named = {alert.criminal_id, *(one.criminal_id for one in alert.candidates)} - {None}
    for criminal_id in named:
        insert(connection, "alert_people", {"criminal_id": criminal_id, "seq": stored.seq})
    return stored


def insert_event(connection: sqlite3.Connection, event: Event, alerts: Sequence[Alert]) -> None:
    seqs = [alert.seq for alert in alerts]
    ends = {"first_seq": min(seqs, default=None), "last_seq": max(seqs, default=None)}
    insert(connection, "events", to_row(event) | ends)


def count_camera(connection: sqlite3.Connection, camera: Camera) -> None:
    insert(
        connection,
        "cameras",
        to_row(camera),
        "ON CONFLICT (id) DO UPDATE SET detections = detections + excluded.detections,"
        " alerts = alerts + excluded.alerts,"
        " location = iif(excluded.last_heard_at > last_heard_at, excluded.location, location),"
        " last_heard_at = max(last_heard_at, excluded.last_heard_at)",
    )


def json_list(values: Collection[str]) -> str:
    return json.dumps(list(values))


def no_criminal(criminal_id: str) -> NotFoundError:
    return NotFoundError(f"no criminal has the id {criminal_id!r}")


def no_photo(photo_id: str) -> NotFoundError:
    return NotFoundError(f"no photo has the id {photo_id!r}")
