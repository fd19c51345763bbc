"""Files of every format so far open in the present version, whatever interrupts that.

    python -m tests.torture.upgrade [--kills 100] [--alerts 20000] [--seed N] [--part NAME]

An upgrade is killed at random moments, and fails at each of its statements: then it is done again,
and everything is there. A version that is older than a file refuses it and leaves it as it is.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pymongo
from pymongo.collection import Collection
from pymongo.errors import AutoReconnect

from susracker.client.spool import Spool
from susracker.commands.copy import told
from susracker.errors import StoreError, StoreUnavailableError, SusrackerError
from susracker.plugins import open_store
from susracker.recording.reader import Recording
from susracker.replay.results import read_results
from susracker.stores.sqlite import schema
from susracker.stores.sqlite.store import path_of
from susracker.stores.tally import Contents
from susracker.stores.transfer import contents, copy_store
from tests.client import test_spool
from tests.recording import test_versions as recordings
from tests.services.servers import start_mongodb
from tests.stores import old
from tests.torture.figures import Figures

OLDEST, OLDEST_MONGODB = "sqlite-0.1.0.sql", "mongodb-0.1.0.json"

FACE_BYTES = 3000

ENLARGE = f"""
    WITH RECURSIVE numbers (n) AS (SELECT 3 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
    INSERT INTO alerts SELECT n, 'a' || n, kind, event_type, camera_id, camera_location,
        occurred_at + n, received_at + n, criminal_id, name, distance, score, candidates, photo_id,
        status, randomblob({FACE_BYTES}) FROM numbers, alerts WHERE seq = 1"""

PEOPLE = 50
"""FerretDB reads all people to find one: twice as many take four times as long."""

NOTHING = "INSERT INTO nowhere VALUES (1)"
"""A statement that fails."""


def content_of(url: str, data_key: str = "") -> Contents:
    """Open a store, and sum up all that is in it."""
    with open_store(url, data_key=data_key) as store:
        return contents(store, lambda *_: None)


def open_all(figures: Figures, folder: Path, port: int) -> None:
    """Every store opens, and is restored as a backup; every spool and recording opens."""
    for name in old.names():
        sqlite = name.startswith("sqlite")
        url = old.make_sqlite(name, folder) if sqlite else old.make_mongodb(name, port)
        key = old.data_key_of(name)
        read, copied = content_of(url, key), f"sqlite:///{folder / name}.db"
        with open_store(url, data_key=key) as source, open_store(copied, data_key=key) as target:
            copy_store(source, target, lambda *_: None)
        again = content_of(url, key) == content_of(copied, key) == read
        figures.promise(f"{name} opens, and as a backup", told(read), again)
    for name in test_spool.NAMES:
        with closing(Spool(test_spool.make(name, folder / name), 100_000)) as spool:
            figures.promise(f"{name} opens", f"{len(spool)} events", len(spool) == 2)
    for name in recordings.NAMES:
        recording = Recording(recordings.make(name, folder / name))
        count = len(list(recording))
        kept = (count, recording.left_out) == (3, 0)
        figures.promise(f"{name} opens", f"{count} detections", kept)


def kill_sqlite(figures: Figures, folder: Path, kills: int, alerts: int, seed: int) -> None:
    """Kill the upgrade of a large file again and again."""
    base, path = path_of(old.make_sqlite(OLDEST, folder)), folder / "killed.db"
    with closing(sqlite3.connect(base)) as connection, connection:
        connection.execute(ENLARGE, [alerts])

    def renew() -> str:
        for one in folder.glob("killed.db*"):
            one.unlink()
        shutil.copy(base, path)
        return f"sqlite:///{path}"

    def is_sound(url: str) -> bool:
        with closing(sqlite3.connect(path)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (checked,) = connection.execute("PRAGMA integrity_check").fetchone()
        return version in (1, len(schema.MIGRATIONS)) and checked == "ok"

    _kill(figures, f"SQLite, {alerts:,} alerts", renew, is_sound, kills, seed)


def kill_mongodb(figures: Figures, port: int, kills: int, people: int, seed: int) -> None:
    """The same in MongoDB."""

    def renew() -> str:
        url = old.make_mongodb(OLDEST_MONGODB, port)
        with pymongo.MongoClient(url) as client:
            criminals = client.get_default_database()["criminals"]
            one = criminals.find_one({"_id": "c1"}) or {}
            criminals.insert_many([one | {"_id": f"p{number}"} for number in range(people)])
        return url

    _kill(figures, f"MongoDB, {people:,} people", renew, lambda url: True, kills, seed)


def _kill(
    figures: Figures,
    what: str,
    renew: Callable[[], str],
    is_sound: Callable[[str], bool],
    kills: int,
    seed: int,
) -> None:
    chance, url = random.Random(seed), renew()
    with _opening(url) as child:
        began = time.monotonic()
        assert child.wait() == 0
        seconds = time.monotonic() - began
    whole, good, early = content_of(url), 0, 0
    for _ in range(kills):
        url = renew()
        with _opening(url) as child:
            time.sleep(chance.uniform(0, seconds))
            early += child.poll() is None
            child.kill()
        good += is_sound(url) and content_of(url) == whole
    figures.note(f"{what}: an upgrade that nothing interrupts", f"{seconds:.2f} s")
    figures.note(f"{what}: kills before its end", f"{early} of {kills}")
    figures.promise(f"{what}: complete after a kill", f"{good} of {kills}", good == kills)


@contextmanager
def _opening(url: str) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that has just begun to open a store."""
    command = [sys.executable, "-m", "tests.torture.upgrade", "--open", url]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout
        assert child.stdout.readline() == b"opening\n"
        yield child


def fail_sqlite(figures: Figures, folder: Path) -> None:
    """Let each statement of an upgrade fail once."""
    steps = schema.MIGRATIONS
    places = [(step, at) for step in range(1, len(steps)) for at in range(len(steps[step]))]
    whole, good = content_of(old.make_sqlite(OLDEST, folder)), 0
    for step, at in places:
        url = old.make_sqlite(OLDEST, folder)
        before = _schema_of(url)
        broken = (*steps[step][:at], NOTHING, *steps[step][at + 1 :])
        with patch.object(schema, "MIGRATIONS", (*steps[:step], broken, *steps[step + 1 :])):
            refused = _refusal(partial(content_of, url), StoreError)
        good += bool(refused) and _schema_of(url) == before and content_of(url) == whole
    figures.promise(
        "SQLite: undone, and complete later, where a statement failed",
        f"{good} of {len(places)}",
        good == len(places),
    )


def fail_mongodb(figures: Figures, port: int) -> None:
    """Let each write of an upgrade fail once: there are no transactions to undo the others."""
    whole, writes, good = content_of(old.make_mongodb(OLDEST_MONGODB, port)), 0, 0
    while True:
        url = old.make_mongodb(OLDEST_MONGODB, port)
        with _failing(writes + 1) as calls:
            refused = _refusal(partial(content_of, url), StoreUnavailableError)
        if calls() <= writes:
            break
        writes += 1
        good += bool(refused) and content_of(url) == whole
    figures.promise(
        "MongoDB: complete later, where a write failed", f"{good} of {writes}", 0 < writes == good
    )


@contextmanager
def _failing(number: int) -> Iterator[Callable[[], int]]:
    """Let one write to MongoDB fail; yields how many there were so far."""
    count = 0

    def counted(write: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            if count == number:
                raise AutoReconnect("the connection was cut")
            return write(*args, **kwargs)

        return call

    with (
        patch.object(Collection, "update_one", counted(Collection.update_one)),
        patch.object(Collection, "create_index", counted(Collection.create_index)),
    ):
        yield lambda: count


def refuse_newer(figures: Figures, folder: Path, port: int) -> None:
    """What a newer version wrote is refused in words, and left as it is."""
    newer = folder / "newer"
    (newer / "night").mkdir(parents=True)
    sqlite, mongodb = f"sqlite:///{newer / 'site.db'}", old.make_mongodb(OLDEST_MONGODB, port)
    with pymongo.MongoClient(mongodb) as client:
        meta = client.get_default_database()["susracker_meta"]
        meta.update_one({"_id": "format"}, {"$set": {"value": 99}})
    open_store(sqlite).close()
    Spool(newer / "spool.db", 1000).close()
    for name in ("site.db", "spool.db"):
        with closing(sqlite3.connect(newer / name)) as connection:
            connection.execute("PRAGMA user_version = 99")
    (newer / "night" / "recording.json").write_text(
        '{"format": "susracker recording", "version": 99}'
    )
    (newer / "results").write_text('{"format": "susracker replay", "version": 99}\n')
    before = _bytes_in(newer)
    tries: dict[str, Callable[[], object]] = {
        "SQLite": lambda: open_store(sqlite),
        "MongoDB": lambda: open_store(mongodb),
        "a spool": lambda: Spool(newer / "spool.db", 1000),
        "a recording": lambda: Recording(newer / "night"),
        "results of a replay": lambda: read_results(newer / "results"),
    }
    for name, attempt in tries.items():
        refused = _refusal(attempt, SusrackerError)
        kept = "newer" in refused or "reads up to" in refused
        figures.promise(f"a newer format is refused: {name}", refused.rpartition("/")[2], kept)
    figures.promise("files of newer formats", "left as they are", _bytes_in(newer) == before)


def _bytes_in(folder: Path) -> dict[str, bytes]:
    return {str(one): one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file()}


def _schema_of(url: str) -> object:
    with closing(sqlite3.connect(path_of(url))) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()
        return version, connection.execute("SELECT * FROM sqlite_master").fetchall()


def _refusal(attempt: Callable[[], object], kind: type[Exception]) -> str:
    """What was said; "" where nothing was refused."""
    try:
        attempt()
    except kind as error:
        return str(error)
    return ""


def main(arguments: list[str]) -> None:
    """Run all of it, and print figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.upgrade")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--alerts", type=int, default=20_000, help="in the SQLite file")
    parser.add_argument("--people", type=int, default=PEOPLE, help="in MongoDB")
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    parser.add_argument("--part", action="append", help="a part by its name, instead of all")
    parser.add_argument("--open", help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.open:
        print("opening", flush=True)
        open_store(asked.open).close()
        return
    figures = Figures(f"python -m tests.torture.upgrade --kills {asked.kills} --seed {asked.seed}")
    with tempfile.TemporaryDirectory(prefix="susracker-upgrade-") as temporary:
        folder = Path(temporary)
        mongodb = start_mongodb(folder / "mongodb")
        try:
            run_all(figures, folder, mongodb.port, asked)
        finally:
            mongodb.kill()
            figures.show()  # what was measured before an error, too
    sys.exit(bool(figures.broken))


def run_all(figures: Figures, folder: Path, port: int, asked: argparse.Namespace) -> None:
    """All parts, one after the other, with their progress."""
    parts: dict[str, Callable[[], None]] = {
        "every format": lambda: open_all(figures, folder, port),
        "newer formats": lambda: refuse_newer(figures, folder, port),
        "failing statements of SQLite": lambda: fail_sqlite(figures, folder),
        "failing writes of MongoDB": lambda: fail_mongodb(figures, port),
        "kills with SQLite": lambda: kill_sqlite(
            figures, folder, asked.kills, asked.alerts, asked.seed
        ),
        "kills with MongoDB": lambda: kill_mongodb(
            figures, port, asked.kills, asked.people, asked.seed
        ),
    }
    for name in asked.part or parts:
        print(f"{name} …", flush=True)
        parts[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
