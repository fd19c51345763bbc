"""A store in one SQLite file: the default, with no server to start."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
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
    Quality,
    Sighting,
    Template,
)
from susracker.stores.base import Changes, Store, TemplateRows
from susracker.stores.sqlite.schema import (
    bump_revision,
    columns,
    count_camera,
    forget_in_alerts,
    insert,
    insert_alert,
    insert_event,
    insert_photo,
    insert_sighting,
    insert_template,
    json_list,
    known_only,
    no_criminal,
    no_photo,
    prepare_file,
    refuse_repeat,
    to_integer,
    to_record,
    to_row,
)

BUSY_SECONDS = 10.0
"""How long to wait for another process that is writing."""

LOG_MILLISECONDS = 200
"""How long a removal waits for others, who may not write meanwhile, to empty the log."""

ROWS_AT_ONCE = 512
"""Templates that stay in the processor's cache until they are joined: with 16 times as many,
reading a million takes half as long again."""

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
            insert(connection, "criminals", to_row(new), _EDIT)
            for photo in photos:
                insert_photo(connection, criminal.id, photo)
            for template in templates:
                insert_template(connection, template)
            bump_revision(connection, criminal.id)

    def remove_criminal(self, criminal_id: str) -> None:
        with self._writing() as connection:
            removed = connection.execute("DELETE FROM criminals WHERE id = ?", (criminal_id,))
            if not removed.rowcount:
                raise no_criminal(criminal_id)
            forget_in_alerts(connection, criminal_id)
            bump_revision(connection, criminal_id)
        self._empty_log()

    def criminal(self, criminal_id: str) -> Criminal:
        found = self.criminals([criminal_id])
        if not found:
            raise no_criminal(criminal_id)
        return found[0]

    def criminals(self, criminal_ids: Collection[str] | None = None) -> list[Criminal]:
        sql = f"SELECT {_CRIMINAL} FROM criminals"
        if criminal_ids is None:
            rows = self._rows(f"{sql} ORDER BY name, id")
        else:
            # The plus keeps SQLite from walking through everyone by name to find a few.
            sql += " WHERE id IN (SELECT value FROM json_each(?)) ORDER BY +name, id"
            rows = self._rows(sql, json_list(criminal_ids))
        return [to_record(Criminal, row) for row in rows]

    def criminals_named(self, name: str) -> list[Criminal]:
        sql = f"SELECT {_CRIMINAL} FROM criminals WHERE name = ? ORDER BY id"
        return [to_record(Criminal, row) for row in self._rows(sql, name)]

    def revision(self) -> int:
        return int(self._rows("SELECT coalesce(max(revision), 0) FROM revisions")[0][0])

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
        raise no_photo(photo_id)

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
            values.append(json_list(criminal_ids))
        if wanted_at is not None:
            # Who is not wanted is looked up, as they are few; every template has its criminal.
            sql += (
                " AND criminal_id NOT IN"
                " (SELECT id FROM criminals WHERE status <> 'wanted' OR expires_at <= ?)"
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

    def templates(self, criminal_id: str) -> list[Template]:
        sql = (
            f"SELECT photo_id, criminal_id, encoder_id, vector, {columns(Quality)} FROM templates"
            " WHERE criminal_id = ? ORDER BY photo_id, encoder_id"
        )
        return [
            Template(photo_id, owner, encoder_id, np.frombuffer(vector, "<f4"), Quality(*quality))
            for photo_id, owner, encoder_id, vector, *quality in self._rows(sql, criminal_id)
        ]

    def photos_without_template(self, encoder_id: str) -> list[str]:
        sql = (
            "SELECT id FROM photos WHERE NOT EXISTS (SELECT * FROM templates"
            " WHERE templates.criminal_id = photos.criminal_id AND encoder_id = ?"
            " AND photo_id = photos.id) ORDER BY number"
        )
        return [photo_id for (photo_id,) in self._rows(sql, encoder_id)]

    def add_template(self, template: Template) -> None:
        with self._writing() as connection:
            bump_revision(connection, insert_template(connection, template))

    # -- what cameras saw --------------------------------------------------------------------

    def record(
        self,
        sightings: Sequence[Sighting],
        alerts: Sequence[Alert],
        event: Event | None = None,
    ) -> tuple[Alert, ...]:
        with self._writing() as connection:
            if event:
                refuse_repeat(connection, event)
            alerts = known_only(connection, sightings, alerts)
            for sighting in sightings:
                insert_sighting(connection, sighting)
            stored = tuple(insert_alert(connection, alert) for alert in alerts)
            if event:
                insert_event(connection, event, stored)
        return stored

    def put_alert(self, alert: Alert) -> None:
        with self._writing() as connection:
            insert_alert(connection, alert, alert.seq)

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
        # Asked like this, SQLite finds the few by their time, and does not walk through all by seq.
        recent = "seq IN (SELECT seq FROM alerts WHERE occurred_at >= ?)"
        return self._alerts(recent, to_integer(occurred_since), chosen=_ALERT_WITHOUT_FACE)

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
                count_camera(connection, camera)

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
