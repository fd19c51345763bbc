"""A store in one SQLite file: the default, with no server to start."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
from typing_extensions import Self

from susracker.errors import (
    ConfigError,
    DuplicateError,
    InputError,
    NotFoundError,
    StoreFormatError,
    StoreUnavailableError,
)
from susracker.models import (
    Alert,
    Camera,
    Criminal,
    Event,
    Outcome,
    Photo,
    Sighting,
    Template,
)
from susracker.stores.base import Changes, Store, TemplateRows
from susracker.stores.sqlite_schema import (
    columns,
    from_candidates,
    prepare_file,
    to_candidates,
    to_integer,
    to_record,
    to_row,
)

BUSY_SECONDS = 10.0
"""How long to wait for another process that is writing."""

LOG_MILLISECONDS = 200
"""How long a removal waits for others, who may not write meanwhile, to empty the log."""

ROWS_AT_ONCE = 8192

PRAGMAS = ("foreign_keys = ON", "synchronous = FULL", "fullfsync = ON", "secure_delete = ON")
"""What every connection is set to. `fullfsync` is what makes a disk of a Mac write."""

UNFIT = (
    sqlite3.ProgrammingError,
    sqlite3.InterfaceError,
    sqlite3.DataError,
    UnicodeEncodeError,
    OverflowError,
)
"""What is raised for a value that SQLite cannot take: half a character, or a number too large."""

SCHEME = "sqlite:///"

ADVICE = {
    "locked": "another program is writing to it: try again",
    "readonly": "make the file and its folder writable, or name another file",
    "full": "free some space on its disk",
    "unable to open": "name a file in a folder that can be written",
}
"""What to do, by what SQLite's message contains."""

_CRIMINAL, _SIGHTING, _CAMERA = (columns(kind) for kind in (Criminal, Sighting, Camera))
_ALERT = columns(Alert)
_ALERT_WITHOUT_FACE = _ALERT.replace("face", "NULL")
# Not `created_at` and `last_seen_*`.
_EDIT = (
    "ON CONFLICT (id) DO UPDATE SET name = excluded.name, age = excluded.age,"
    " crimes = excluded.crimes, threat = excluded.threat, status = excluded.status,"
    " case_reference = excluded.case_reference, expires_at = excluded.expires_at"
)


class SqliteStore(Store):
    """A store in an SQLite file in write-ahead mode.

    Any number of processes on one machine may use the file; a network drive may not hold it. A
    write is on disk when it returns (`synchronous=FULL`).

    What is removed is overwritten with zeros in the file (`secure_delete`), and the log, which
    still has it, is emptied. Where a reader is in the middle of something just then, that happens
    with the next checkpoint, at the latest when the last process closes the file. Copies that a
    disk, a file system or a backup keeps are out of reach.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.expanduser().absolute()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        self._pool_lock = threading.Lock()
        # SQLite would make waiting writers poll the file; threads of one process queue up here.
        self._write_lock = threading.Lock()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailableError(
                f"cannot create the folder of {self._path}: {error.strerror}: name another file"
            ) from error
        with ExitStack() as undo:
            undo.callback(self.close)
            with self._reading() as connection:
                prepare_file(connection, self._path, BUSY_SECONDS)
            undo.pop_all()

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Open the file that `url` names, such as `sqlite:///people.db` in the working directory,
        `sqlite:////var/lib/people.db` or `sqlite:///~/people.db`."""
        path = url.removeprefix(SCHEME)
        if path in (url, "", ":memory:") or "\0" in path:
            raise ConfigError(f"{url!r} names no file: it must be like {SCHEME}people.db")
        return cls(Path(path))

    # -- criminals ---------------------------------------------------------------------------

    def put_criminal(
        self,
        criminal: Criminal,
        photos: Sequence[Photo] = (),
        templates: Sequence[Template] = (),
    ) -> None:
        with self._writing() as connection:
            new = replace(criminal, created_at=criminal.created_at or datetime.now(timezone.utc))
            _insert(connection, "criminals", to_row(new), _EDIT)
            for photo in photos:
                _insert_photo(connection, criminal.id, photo)
            for template in templates:
                _insert_template(connection, template)
            _bump_revision(connection, criminal.id)

    def remove_criminal(self, criminal_id: str) -> None:
        with self._writing() as connection:
            removed = connection.execute("DELETE FROM criminals WHERE id = ?", (criminal_id,))
            if not removed.rowcount:
                raise _no_criminal(criminal_id)
            _forget_in_alerts(connection, criminal_id)
            _bump_revision(connection, criminal_id)
        self._empty_log()

    def criminal(self, criminal_id: str) -> Criminal:
        found = self.criminals([criminal_id])
        if not found:
            raise _no_criminal(criminal_id)
        return found[0]

    def criminals(self, criminal_ids: Collection[str] | None = None) -> list[Criminal]:
        sql = f"SELECT {_CRIMINAL} FROM criminals"
        if criminal_ids is None:
            rows = self._rows(f"{sql} ORDER BY name, id")
        else:
            # The plus keeps SQLite from walking through everyone by name to find a few.
            sql += " WHERE id IN (SELECT value FROM json_each(?)) ORDER BY +name, id"
            rows = self._rows(sql, _json_list(criminal_ids))
        return [to_record(Criminal, row) for row in rows]

    def criminals_named(self, name: str) -> list[Criminal]:
        sql = f"SELECT {_CRIMINAL} FROM criminals WHERE name = ? ORDER BY id"
        return [to_record(Criminal, row) for row in self._rows(sql, name)]

    def changes(self, since: int) -> Changes:
        sql = "SELECT revision, criminal_id FROM revisions WHERE revision > ?"
        found = self._rows(sql, since)
        revision = max((revision for revision, _ in found), default=since)
        return Changes(revision, frozenset(criminal_id for _, criminal_id in found))

    # -- photos and templates ----------------------------------------------------------------

    def photo(self, photo_id: str) -> Photo:
        sql = f"SELECT {columns(Photo)} FROM photos JOIN photo_contents USING (number) WHERE id = ?"
        for row in self._rows(sql, photo_id):
            return to_record(Photo, row)
        raise _no_photo(photo_id)

    def photo_ids(self, criminal_id: str) -> list[str]:
        sql = "SELECT id FROM photos WHERE criminal_id = ? ORDER BY number"
        return [photo_id for (photo_id,) in self._rows(sql, criminal_id)]

    def photo_owner(self, digest: str) -> str | None:
        rows = self._rows("SELECT criminal_id FROM photos WHERE digest = ?", digest)
        return rows[0][0] if rows else None

    def template_rows(
        self,
        encoder_id: str,
        criminal_ids: Collection[str] | None = None,
        *,
        wanted_at: datetime | None = None,
    ) -> TemplateRows:
        sql = "SELECT criminal_id, vector FROM templates WHERE encoder_id = ?"
        values: list[Any] = [encoder_id]
        if criminal_ids is not None:
            sql += " AND criminal_id IN (SELECT value FROM json_each(?))"
            values.append(_json_list(criminal_ids))
        if wanted_at is not None:
            sql += (
                " AND criminal_id IN (SELECT id FROM criminals WHERE status = 'wanted'"
                " AND (expires_at IS NULL OR expires_at > ?))"
            )
            values.append(to_integer(wanted_at))
        owners: list[str] = []
        # Grown in place: a million templates are half a gigabyte, better not held twice.
        vectors = bytearray()
        with (
            self._reading() as connection,
            closing(connection.execute(f"{sql} ORDER BY criminal_id, photo_id", values)) as cursor,
        ):
            while rows := cursor.fetchmany(ROWS_AT_ONCE):
                ids, blobs = zip(*rows, strict=True)
                owners += ids
                vectors += b"".join(blobs)
        array = np.frombuffer(vectors, "<f4")
        return TemplateRows(owners, array.reshape(len(owners), -1 if owners else 0))

    def template_counts(self, encoder_id: str) -> dict[str, int]:
        sql = "SELECT criminal_id, count(*) FROM templates WHERE encoder_id = ? GROUP BY 1"
        return dict(self._rows(sql, encoder_id))

    def photos_without_template(self, encoder_id: str) -> list[str]:
        sql = (
            "SELECT id FROM photos WHERE NOT EXISTS (SELECT * FROM templates"
            " WHERE templates.criminal_id = photos.criminal_id AND encoder_id = ?"
            " AND photo_id = photos.id) ORDER BY number"
        )
        return [photo_id for (photo_id,) in self._rows(sql, encoder_id)]

    def add_template(self, template: Template) -> None:
        with self._writing() as connection:
            _bump_revision(connection, _insert_template(connection, template))

    # -- what cameras saw --------------------------------------------------------------------

    def record(
        self,
        sightings: Sequence[Sighting],
        alerts: Sequence[Alert],
        event: Event | None = None,
    ) -> tuple[Alert, ...]:
        with self._writing() as connection:
            if event:
                _refuse_repeat(connection, event)
            alerts = _known_only(connection, sightings, alerts)
            for sighting in sightings:
                _insert_sighting(connection, sighting)
            stored = tuple(_insert_alert(connection, alert) for alert in alerts)
            if event:
                _insert_event(connection, event, stored)
        return stored

    def event_outcome(self, camera_id: str, event_id: str) -> Outcome | None:
        sql = "SELECT kind, first_seq, last_seq FROM events WHERE camera_id = ? AND event_id = ?"
        for kind, first, last in self._rows(sql, camera_id, event_id):
            return Outcome(kind, tuple(self._alerts("seq BETWEEN ? AND ?", first, last)))
        return None

    def forget_events(self, before: datetime) -> None:
        with self._writing() as connection:
            connection.execute("DELETE FROM events WHERE received_at < ?", (to_integer(before),))

    def alert(self, alert_id: str) -> Alert:
        for alert in self._alerts("id = ?", alert_id):
            return alert
        raise NotFoundError(f"no alert has the id {alert_id!r}")

    def alerts(self, after: int = 0, limit: int = 100) -> list[Alert]:
        return self._alerts("seq > ?", after, limit=max(limit, 0))

    def alerts_since(self, occurred_since: datetime) -> list[Alert]:
        return self._alerts(
            "occurred_at >= ?", to_integer(occurred_since), chosen=_ALERT_WITHOUT_FACE
        )

    def last_seq(self) -> int:
        return int(self._rows("SELECT coalesce(max(seq), 0) FROM alerts")[0][0])

    def sightings(self, criminal_id: str) -> list[Sighting]:
        sql = f"SELECT {_SIGHTING} FROM sightings WHERE criminal_id = ? ORDER BY occurred_at, id"
        return [to_record(Sighting, row) for row in self._rows(sql, criminal_id)]

    def _alerts(
        self, where: str, *values: Any, chosen: str = _ALERT, limit: int = -1
    ) -> list[Alert]:
        # To SQLite, a limit of -1 is none.
        sql = f"SELECT {chosen} FROM alerts WHERE {where} ORDER BY seq LIMIT ?"
        return [to_record(Alert, row) for row in self._rows(sql, *values, limit)]

    # -- cameras -----------------------------------------------------------------------------

    def count_cameras(self, cameras: Sequence[Camera]) -> None:
        with self._writing() as connection:
            for camera in cameras:
                _count_camera(connection, camera)

    def cameras(self) -> list[Camera]:
        rows = self._rows(f"SELECT {_CAMERA} FROM cameras ORDER BY id")
        return [to_record(Camera, row) for row in rows]

    # -- connections -------------------------------------------------------------------------

    def close(self) -> None:
        with self._pool_lock:
            self._closed = True
            idle, self._idle = self._idle, []
        with self._errors_mapped():
            for connection in idle:
                connection.close()

    def _rows(self, sql: str, *values: Any) -> list[Any]:
        with self._reading() as connection:
            return connection.execute(sql, values).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A connection in a transaction of its own, which is undone where the block raises."""
        with self._write_lock, self._reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that no other thread uses meanwhile; there are as many as are ever in use
        at once, however many threads come and go."""
        with self._pool_lock:
            if self._closed:
                raise StoreUnavailableError(f"the store {self._path} was closed: open it again")
            connection = self._idle.pop() if self._idle else None
        with self._errors_mapped():
            connection = connection or self._connect()
            try:
                yield connection
            finally:
                self._give_back(connection)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        with ExitStack() as undo:
            undo.callback(connection.close)
            for setting in PRAGMAS:
                connection.execute(f"PRAGMA {setting}")
            undo.pop_all()
        return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._pool_lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def _empty_log(self) -> None:
        """Move the write-ahead log into the file and cut it off, if no one is using it."""
        # The removal is committed, and stands; if this fails, the next checkpoint makes up for it.
        with suppress(StoreUnavailableError), self._write_lock, self._reading() as connection:
            connection.execute(f"PRAGMA busy_timeout = {LOG_MILLISECONDS}")
            try:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:.0f}")

    @contextmanager
    def _errors_mapped(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError as error:
            raise DuplicateError(f"stored already: {error}") from error
        except sqlite3.OperationalError as error:
            advice = [what for part, what in ADVICE.items() if part in str(error)]
            todo = advice[0] if advice else "check its disk"
            raise StoreUnavailableError(f"cannot use {self._path}: {error}: {todo}") from error
        except UNFIT as error:
            raise InputError(f"a value cannot be stored: {error}") from error
        except sqlite3.Error as error:
            raise StoreFormatError(
                f"{self._path} is no susracker store, or damaged: {error}: name another file, or"
                " restore it from a backup"
            ) from error


# -- inside a write ------------------------------------------------------------------------------


def _insert(
    connection: sqlite3.Connection, table: str, values: Mapping[str, object], conflict: str = ""
) -> sqlite3.Cursor:
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    sql = f"INSERT INTO {table} ({names}) VALUES ({marks}) {conflict}"
    return connection.execute(sql, tuple(values.values()))


def _bump_revision(connection: sqlite3.Connection, criminal_id: str) -> None:
    # Writers take turns, and the highest revision is never taken away: it grows by commit order.
    connection.execute(
        "INSERT INTO revisions VALUES (?, (SELECT coalesce(max(revision), 0) + 1 FROM revisions))"
        " ON CONFLICT (criminal_id) DO UPDATE SET revision = excluded.revision",
        (criminal_id,),
    )


def _insert_photo(connection: sqlite3.Connection, criminal_id: str, photo: Photo) -> None:
    values = to_row(photo) | {"criminal_id": criminal_id}
    content = values.pop("content")
    added = _insert(connection, "photos", values, "ON CONFLICT (digest) DO NOTHING")
    if not added.rowcount:
        raise DuplicateError(f"the photo with the digest {photo.digest} is stored already")
    _insert(connection, "photo_contents", {"number": added.lastrowid, "content": content})


def _insert_template(connection: sqlite3.Connection, template: Template) -> str:
    """Store a template as its photo's owner's, and say who that is."""
    rows = connection.execute("SELECT criminal_id FROM photos WHERE id = ?", (template.photo_id,))
    owner = rows.fetchone()
    if owner is None:
        raise _no_photo(template.photo_id)
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
    _insert(connection, "templates", key | to_row(template.quality) | values)
    return str(owner[0])


def _forget_in_alerts(connection: sqlite3.Connection, criminal_id: str) -> None:
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


def _refuse_repeat(connection: sqlite3.Connection, event: Event) -> None:
    sql = "SELECT * FROM events WHERE camera_id = ? AND event_id = ?"
    if connection.execute(sql, (event.camera_id, event.event_id)).fetchone():
        raise DuplicateError(
            f"the event {event.event_id!r} of camera {event.camera_id!r} was handled before"
        )


def _known_only(
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
    known = {row[0] for row in connection.execute(sql, (_json_list(matched | compared),))}
    for criminal_id in sorted(matched - known):
        raise _no_criminal(criminal_id)
    return [
        replace(alert, candidates=tuple(c for c in alert.candidates if c.criminal_id in known))
        for alert in alerts
    ]


def _insert_sighting(connection: sqlite3.Connection, sighting: Sighting) -> None:
    values = to_row(sighting)
    _insert(connection, "sightings", values)
    connection.execute(
        "UPDATE criminals SET last_seen_at = :occurred_at, last_seen_camera = :camera_id,"
        " last_seen_location = :camera_location WHERE id = :criminal_id"
        " AND (last_seen_at IS NULL OR last_seen_at < :occurred_at)",
        values,
    )


def _insert_alert(connection: sqlite3.Connection, alert: Alert) -> Alert:
    """Store an alert, and return it with its `seq`."""
    added = _insert(connection, "alerts", to_row(alert) | {"seq": None})
    stored = replace(alert, seq=int(added.lastrowid or 0))
    named = {alert.criminal_id, *(one.criminal_id for one in alert.candidates)} - {None}
    for criminal_id in named:
        _insert(connection, "alert_people", {"criminal_id": criminal_id, "seq": stored.seq})
    return stored


def _insert_event(connection: sqlite3.Connection, event: Event, alerts: Sequence[Alert]) -> None:
    seqs = [alert.seq for alert in alerts]
    ends = {"first_seq": min(seqs, default=None), "last_seq": max(seqs, default=None)}
    _insert(connection, "events", to_row(event) | ends)


def _count_camera(connection: sqlite3.Connection, camera: Camera) -> None:
    _insert(
        connection,
        "cameras",
        to_row(camera),
        "ON CONFLICT (id) DO UPDATE SET detections = detections + excluded.detections,"
        " alerts = alerts + excluded.alerts,"
        " location = iif(excluded.last_heard_at > last_heard_at, excluded.location, location),"
        " last_heard_at = max(last_heard_at, excluded.last_heard_at)",
    )


def _json_list(values: Collection[str]) -> str:
    return json.dumps(list(values))


def _no_criminal(criminal_id: str) -> NotFoundError:
    return NotFoundError(f"no criminal has the id {criminal_id!r}")


def _no_photo(photo_id: str) -> NotFoundError:
    return NotFoundError(f"no photo has the id {photo_id!r}")
