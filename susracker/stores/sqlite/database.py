"""An SQLite file: its connections, its transactions, and its errors as ours."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from susracker.errors import (
    DuplicateError,
    InputError,
    StoreFormatError,
    StoreUnavailableError,
)
from susracker.runtime.files import create_private, expanded, make_private_folder
from susracker.stores.sealing import PlainSealer, Sealer
from susracker.stores.seals import Seals
from susracker.stores.sqlite.schema import MIGRATIONS, prepare_file
from susracker.stores.sqlite.seals import admit, check_seals

BUSY_SECONDS = 10.0
"""How long to wait for another process that brings the file up to date, or recovers it."""

WRITE_SECONDS = 10.0
"""How long a write waits in all, for other threads and other processes that are writing."""

CHECK_SECONDS = 1.0
"""How long it may take to find out whether the file can be written."""

LOG_SECONDS = 0.2
"""How long a removal waits for others, who may not write meanwhile, to empty the log."""

CACHE_KB = 512
"""Most memory that the pages kept by a connection take. SQLite's default of 2 MB for each of some
dozen connections fills for hours, and saves less than 0.1 ms an event: the system has the pages
in memory anyway."""

MAX_IDLE = 4
"""Connections that are kept while nobody uses them. Some rush would otherwise leave as many as were
ever in use at once, with what each has read, for as long as the server runs."""

PRAGMAS = (
    "foreign_keys = ON",
    "synchronous = FULL",
    "fullfsync = ON",
    "secure_delete = ON",
    f"cache_size = -{CACHE_KB}",
)
"""What every connection is set to. `fullfsync` is what makes a disk of a Mac write."""

UNFIT = (
    sqlite3.ProgrammingError,
    sqlite3.InterfaceError,
    sqlite3.DataError,
    UnicodeEncodeError,
    OverflowError,
)
"""What is raised for a value that SQLite cannot take: half a character, or a number too large."""

ADVICE = {
    "locked": "another program is writing to it: try again",
    "readonly": "make the file and its folder writable, or name another file",
    "full": "free some space on its disk",
    "unable to open": "name a file in a folder that can be written",
}
"""What to do, by what SQLite's message contains."""


class Database:
    """An SQLite file in write-ahead mode, shared by the threads of a process.

    Args:
        sealer: of the data key that its content is encrypted with.

    Raises:
        ConfigError: the data key is missing or wrong.
        StoreUnavailableError: the file cannot be opened or written.
        StoreFormatError: it is something else, or of a newer schema.
    """

    _write_failed = False

    def __init__(self, path: Path, sealer: Sealer | None = None) -> None:
        self.path = expanded(path).absolute()
        self.sealer = sealer or PlainSealer()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        self._pool_lock = threading.Lock()
        # SQLite would make waiting writers poll the file; threads of one process queue up here.
        self._write_lock = threading.Lock()
        self._identity: tuple[int, int] | None = None
        try:
            make_private_folder(self.path.parent)
            create_private(self.path)
        except OSError as error:
            raise StoreUnavailableError(
                f"cannot create the folder of {self.path}, or the file: {error.strerror}: name "
                "another file"
            ) from error
        with ExitStack() as undo:
            undo.callback(self.close)
            with self.reading() as connection:
                prepare_file(connection, self.path, BUSY_SECONDS)
                self._seals = self._admit(connection)
            self._identity = _identity(self.path)
            undo.pop_all()

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """All rows of a SELECT."""
        with self.reading() as connection:
            return connection.execute(sql, values).fetchall()

    def last_number(self, table: str) -> int:
        """The highest number that a row of a table has had whose numbers are never used again."""
        rows = self.rows("SELECT seq FROM sqlite_sequence WHERE name = ?", table)
        return int(rows[0][0]) if rows else 0

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection in a transaction of its own, which is undone where the block raises."""
        try:
            with self._transaction(WRITE_SECONDS) as connection:
                yield connection
            self._write_failed = False
        except StoreUnavailableError:
            self._write_failed = True
            raise

    def check(self) -> None:
        """Find out within `CHECK_SECONDS` whether the file can be written.

        If the last write failed, something is written: no other way shows that a disk which was
        full has room again.

        Raises:
            StoreUnavailableError: it cannot be written.
            StoreFormatError: it is damaged.
        """
        with self._transaction(CHECK_SECONDS) as connection:
            if self._write_failed:
                connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        self._write_failed = False

    @contextmanager
    def _transaction(self, seconds: float) -> Iterator[sqlite3.Connection]:
        deadline = time.monotonic() + seconds
        with self._turn(seconds), self.reading() as connection:
            self._begin(connection, deadline)
            try:
                check_seals(connection, self._seals)
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def _turn(self, seconds: float) -> Iterator[None]:
        if not self._write_lock.acquire(timeout=seconds):
            raise StoreUnavailableError(
                f"cannot write {self.path}: earlier writes take long: another program is writing "
                "to it, or its disk is slow: try again"
            )
        try:
            yield
        finally:
            self._write_lock.release()

    def _begin(self, connection: sqlite3.Connection, deadline: float) -> None:
        _set_timeout(connection, max(0.0, deadline - time.monotonic()))
        try:
            connection.execute("BEGIN IMMEDIATE")
        finally:
            _set_timeout(connection, BUSY_SECONDS)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that no other thread uses meanwhile."""
        self._check_file()
        with self._pool_lock:
            if self._closed:
                raise StoreUnavailableError(f"the store {self.path} was closed: open it again")
            connection = self._idle.pop() if self._idle else None
        with self._errors_mapped():
            connection = connection or self._connect()
            try:
                yield connection
            finally:
                self._give_back(connection)

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """The file as it is at this moment; others may write meanwhile."""
        self._check_file()
        with self._errors_mapped(), closing(self._connect()) as connection:
            connection.execute("BEGIN")
            # The snapshot is taken by the first statement that reads.
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            yield Snapshot(self.path, connection, self.sealer)

    def empty_log(self) -> None:
        """Move the write-ahead log into the file and cut it off, if no one is using it."""
        # The removal is committed, and stands; if this fails, the next checkpoint makes up for it.
        with (
            suppress(StoreUnavailableError),
            self._turn(WRITE_SECONDS),
            self.reading() as connection,
        ):
            _set_timeout(connection, LOG_SECONDS)
            try:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                _set_timeout(connection, BUSY_SECONDS)

    def scrub_log(self) -> None:
        """Do the same, or say why it cannot be done.

        Raises:
            StoreUnavailableError: another program is in the middle of reading or writing.
        """
        with self._turn(WRITE_SECONDS), self.reading() as connection:
            busy, left, moved = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy or left != moved:
            raise StoreUnavailableError(
                f"what was removed is still in {self.path}-wal, as another program is reading "
                f"{self.path}: end it, and try again"
            )

    def close(self) -> None:
        """Close all connections."""
        with self._pool_lock:
            self._closed = True
            idle, self._idle = self._idle, []
        with self._errors_mapped():
            for connection in idle:
                connection.close()

    def _admit(self, connection: sqlite3.Connection) -> Seals:
        return admit(connection, self.sealer)

    def _check_file(self) -> None:
        """What is written to a file that was deleted is lost when it is closed."""
        if self._identity and _identity(self.path) != self._identity:
            raise StoreUnavailableError(
                f"{self.path} was deleted or replaced while it was in use: put the file back, or "
                "stop the programs that use it and restore a backup"
            )

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            # The file exists: one that was deleted must not be made again, empty.
            f"{self.path.as_uri()}?mode=rw",
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            uri=True,
        )
        with ExitStack() as undo:
            undo.callback(connection.close)
            for setting in PRAGMAS:
                connection.execute(f"PRAGMA {setting}")
            # SQLite's own functions know upper and lower case of ASCII only.
            connection.create_function("casefold", 1, str.casefold, deterministic=True)
            undo.pop_all()
        return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._pool_lock:
            if not self._closed and len(self._idle) < MAX_IDLE:
                self._idle.append(connection)
                return
        connection.close()

    @contextmanager
    def _errors_mapped(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError as error:
            raise DuplicateError(f"stored already: {error}") from error
        except sqlite3.OperationalError as error:
            advice = [what for part, what in ADVICE.items() if part in str(error)]
            todo = advice[0] if advice else "check its disk"
            raise StoreUnavailableError(f"cannot use {self.path}: {error}: {todo}") from error
        except UNFIT as error:
            raise InputError(f"a value cannot be stored: {error}") from error
        except (sqlite3.Error, UnicodeDecodeError) as error:
            # SQLite's message may repeat what is damaged, in no UTF-8, which Python cannot read.
            raise StoreFormatError(
                f"{self.path} is not a susracker store, or is damaged: {error}: name another file, "
                "or restore it from a backup"
            ) from error


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file a path names; None if there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _set_timeout(connection: sqlite3.Connection, seconds: float) -> None:
    """How long a statement waits for other processes."""
    connection.execute(f"PRAGMA busy_timeout = {seconds * 1000:.0f}")


class Snapshot(Database):
    """A file at one moment, by one connection that is in the middle of reading it."""

    def __init__(self, path: Path, connection: sqlite3.Connection, sealer: Sealer) -> None:
        self.path = path
        self.sealer = sealer
        self._connection = connection
        self._lock = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one thread at a time."""
        with self._lock, self._errors_mapped():
            yield self._connection

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """This moment."""
        yield self

    @contextmanager
    def _transaction(self, seconds: float) -> Iterator[sqlite3.Connection]:
        """A snapshot is only read."""
        raise StoreUnavailableError(f"a snapshot of {self.path} cannot be written")
        yield

    def close(self) -> None:
        """Whoever took the snapshot ends it."""
