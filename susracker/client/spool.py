"""Events waiting to be sent, in order, on disk or in memory."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from susracker.errors import SpoolError
from susracker.runtime.files import create_private, make_private_folder

IN_MEMORY = ":memory:"

VERSION = 1
"""Of a spool's tables. Files of before there was a number have 0, and the same table."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that has not been sent yet.

    Attributes:
        number: its place in the spool.
        body: what is posted.
    """

    number: int
    event_id: str
    body: bytes


class Spool:
    """A queue of events in an SQLite file, or in memory. Safe to use from any thread.

    An event is on disk when `put` returns, and is overwritten with zeros once it has been sent. Two
    processes must not share a file: both would send what is in it.

    Args:
        max_bytes: largest size of all bodies together; beyond that the oldest are dropped.
    """

    def __init__(self, path: Path | None, max_bytes: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        with self._errors_mapped(), ExitStack() as undo:
            if path:
                make_private_folder(path.parent)
                create_private(path)
            self._file = sqlite3.connect(
                path or IN_MEMORY, isolation_level=None, check_same_thread=False
            )
            undo.callback(self._file.close)
            self._prepare(self._format())
            count, size = self._one("SELECT count(*), coalesce(sum(length(body)), 0) FROM waiting")
            undo.pop_all()
        self._count, self._size = int(count), int(size)

    def __len__(self) -> int:
        return self._count

    def put(self, event_id: str, body: bytes) -> int:
        """Add an event at the end.

        Returns:
            How many of the oldest were dropped to make room.

        Raises:
            SpoolError: it cannot be kept. Then none was dropped for it.
        """
        if len(body) > self._max_bytes:
            raise SpoolError(
                f"an event of {len(body):,} bytes is larger than the spool, which takes "
                f"{self._max_bytes:,}"
            )
        with self._lock, self._errors_mapped(), self._whole():
            dropped = self._make_room(len(body))
            self._file.execute(
                "INSERT INTO waiting (event_id, body) VALUES (?, ?)", (event_id, body)
            )
            self._count += 1
            self._size += len(body)
        return dropped

    def first(self) -> Waiting | None:
        """The oldest event, which stays in the spool; None if it is empty."""
        with self._lock, self._errors_mapped():
            row = self._one("SELECT number, event_id, body FROM waiting ORDER BY number LIMIT 1")
        return Waiting(*row) if row else None

    def done(self, waiting: Waiting) -> int:
        """Forget an event, which may have been dropped already.

        Returns:
            How many events were forgotten: 1, or 0 if it was dropped.
        """
        with self._lock, self._errors_mapped():
            return self._delete(waiting.number, len(waiting.body))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()

    def _format(self) -> int:
        version, others = self._one(
            "SELECT user_version, (SELECT count(*) FROM sqlite_master WHERE tbl_name NOT IN"
            " ('waiting', 'sqlite_sequence')) FROM pragma_user_version"
        )
        if others:
            raise SpoolError(f"{self._path} is another program's database: name another file")
        if version > VERSION:
            raise SpoolError(f"{self._path} was written by a newer susracker: upgrade this one")
        return int(version)

    def _prepare(self, version: int) -> None:
        for setting in (
            "auto_vacuum = FULL",
            "journal_mode = WAL",
            "synchronous = FULL",
            "secure_delete = ON",
            "journal_size_limit = 1000000",
        ):
            self._file.execute(f"PRAGMA {setting}")
        self._file.execute(
            "CREATE TABLE IF NOT EXISTS waiting (number INTEGER PRIMARY KEY AUTOINCREMENT,"
            " event_id TEXT NOT NULL, body BLOB NOT NULL)"
        )
        if version < VERSION:
            self._file.execute(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """All that the block changes, or nothing of it if it raises; the counts likewise."""
        self._file.execute("BEGIN IMMEDIATE")
        with ExitStack() as undo:
            undo.callback(self._take_back, self._count, self._size)
            yield
            self._file.execute("COMMIT")
            undo.pop_all()

    def _take_back(self, count: int, size: int) -> None:
        self._count, self._size = count, size
        if self._file.in_transaction:  # SQLite ends some of those that fail by itself
            self._file.execute("ROLLBACK")

    def _make_room(self, needed: int) -> int:
        dropped = 0
        while self._size + needed > self._max_bytes:
            number, size = self._one(
                "SELECT number, length(body) FROM waiting ORDER BY number LIMIT 1"
            )
            dropped += self._delete(number, size)
        return dropped

    def _delete(self, number: int, size: int) -> int:
        gone = self._file.execute("DELETE FROM waiting WHERE number = ?", (number,)).rowcount
        self._count -= gone
        self._size -= gone * size
        return gone

    def _one(self, sql: str) -> Any:
        return self._file.execute(sql).fetchone()

    @contextmanager
    def _errors_mapped(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
            # SQLite's message may repeat what is damaged, in no UTF-8, which Python cannot read.
            raise SpoolError(
                f"the spool {self._path or 'in memory'} cannot be used: {error}; name a writable "
                "folder on a disk with free space"
            ) from error
