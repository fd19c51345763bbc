"""What becomes of an SQLite store when its file is locked, deleted or replaced."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from susracker.errors import StoreUnavailableError
from susracker.stores.sqlite import database
from susracker.stores.sqlite.store import SqliteStore
from susracker.testing.records import criminal

WRITERS = 40


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with SqliteStore.open(path) as opened:
        yield opened


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Another program is in the middle of writing."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


def test_waiting_writers_share_one_deadline(
    path: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WRITE_SECONDS", 0.5)
    refused = []

    def write(number: int) -> None:
        try:
            store.put_criminal(criminal(f"c{number}"))
        except StoreUnavailableError as error:
            refused.append(error)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    with held(path):
        began = time.monotonic()
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        waited = time.monotonic() - began
    assert len(refused) == WRITERS
    # They take half a second. One after the other, it would be half a second each.
    assert waited < WRITERS * 0.5 / 2


def test_reading_goes_on_while_another_program_writes(path: Path, store: SqliteStore) -> None:
    store.put_criminal(criminal())
    with held(path):
        assert store.criminal("c1")


def test_a_check_says_that_the_file_is_locked_and_that_it_is_free_again(
    path: Path, store: SqliteStore
) -> None:
    store.check()
    with held(path), pytest.raises(StoreUnavailableError, match="locked"):
        store.check()
    store.check()


def test_a_deleted_file_is_noticed_and_not_made_again(path: Path, store: SqliteStore) -> None:
    store.put_criminal(criminal())
    path.unlink()
    for use in (store.criminals, store.check, lambda: store.put_criminal(criminal("c2"))):
        with pytest.raises(StoreUnavailableError, match="deleted or replaced"):
            use()
    with pytest.raises(StoreUnavailableError, match="deleted or replaced"), store.snapshot():
        pass
    assert not path.exists()


def test_a_replaced_file_is_noticed_and_left_alone(path: Path, store: SqliteStore) -> None:
    other = path.with_name("other.db")
    with SqliteStore.open(other) as another:
        another.put_criminal(criminal("theirs"))
    before = other.read_bytes()
    other.replace(path)
    with pytest.raises(StoreUnavailableError, match="deleted or replaced"):
        store.put_criminal(criminal())
    assert path.read_bytes() == before


def test_a_file_that_is_put_back_is_used_again(path: Path, store: SqliteStore) -> None:
    store.put_criminal(criminal())
    away = path.with_name("away.db")
    path.rename(away)
    with pytest.raises(StoreUnavailableError):
        store.criminals()
    away.rename(path)
    assert store.criminals() == [criminal()]


def test_a_connection_that_is_opened_late_makes_no_file(path: Path, store: SqliteStore) -> None:
    with store._db.reading():  # the only open connection is in use
        path.unlink()
        with pytest.raises(StoreUnavailableError):
            store.criminals()
    assert not path.exists()
    with suppress(StoreUnavailableError):
        store.check()
    assert not path.exists()
