"""Writes to an SQLite store with all its might, and says what was acknowledged.

    python -m tests.torture.power_work FOLDER ROUNDS [PRAGMA ...]

The store and the key of its audit log come to lie in a new folder in FOLDER, and lines about what
the store has acknowledged in FOLDER/acknowledged.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from susracker.access.audit import SYSTEM, Act, AuditLog
from susracker.stores.sqlite import database
from susracker.stores.sqlite.store import SqliteStore
from susracker.testing.records import (
    criminal,
    event,
    face_alert,
    judgement,
    photo,
    sighting,
    template,
)

STORE, KEY, ACKNOWLEDGED = "data/site/store.db", "keys/audit-key.pem", "acknowledged"
WANTED = "wanted"
OPENINGS = 2
FACE = 6_000
"""Bytes of a face; a store's page has 16,384."""


class Work:
    """Everything that a server writes to a store, each thing with a number."""

    def __init__(self, store: SqliteStore, log: AuditLog, say: Callable[[str], None]) -> None:
        self._store = store
        self._log = log
        self._say = say

    def detect(self, number: int) -> None:
        """An alert with its sighting and event; every third is reviewed."""
        name = f"{number:05}"
        alert = face_alert(WANTED, id=f"a-{name}", face=os.urandom(FACE))
        seen = sighting(WANTED, id=f"s-{name}")
        self._store.record([seen], [alert], event(f"e-{name}"))
        self._say(f"alert {name}")
        if number % 3 == 0:
            self._store.add_judgement(judgement(alert.id, id=f"j-{name}"), "confirmed", 0)
            self._say(f"review {name}")

    def enrol(self, number: int) -> None:
        """Someone with a photo; every other one is removed."""
        name = f"{number:05}"
        taken = photo(f"p-{name}", content=os.urandom(2 * FACE))
        self._store.add_criminal(criminal(f"p-{name}"), [taken], [template(taken)])
        self._say(f"person {name}")
        if number % 2:
            self._store.remove_criminal(f"p-{name}")
            self._say(f"removed {name}")

    def note(self, number: int) -> None:
        """An entry of the audit log."""
        entry = self._log.note(Act(**SYSTEM, action="test", subject=f"n-{number:05}"))
        self._say(f"entry {entry.seq:05}")


def work(folder: Path, rounds: int) -> None:
    """Open a store twice, and write to it from several threads."""
    lines = os.open(folder / ACKNOWLEDGED, os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    def say(line: str) -> None:
        os.write(lines, f"{line}\n".encode())

    for opening in range(OPENINGS):
        with SqliteStore.open(folder / STORE) as store:
            if not opening:
                store.add_criminal(criminal(WANTED))
            done = Work(store, AuditLog.open(store, str(folder / KEY)), say)
            numbers = range(opening * rounds, (opening + 1) * rounds)
            _all_at_once((done.detect, done.enrol, done.note), numbers)
    os.close(lines)


def _all_at_once(kinds: Sequence[Callable[[int], None]], numbers: Iterable[int]) -> None:
    with ThreadPoolExecutor(len(kinds)) as pool:
        for running in [pool.submit(_each, kind, numbers) for kind in kinds]:
            running.result()


def _each(kind: Callable[[int], None], numbers: Iterable[int]) -> None:
    for number in numbers:
        kind(number)


if __name__ == "__main__":
    database.PRAGMAS += tuple(sys.argv[3:])
    work(Path(sys.argv[1]), int(sys.argv[2]))
