"""What is particular to the store in an SQLite file."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from susracker.errors import (
    ConfigError,
    InputError,
    StoreError,
    StoreFormatError,
    StoreUnavailableError,
)
from susracker.models import Template
from susracker.stores.sqlite import database, schema
from susracker.stores.sqlite.store import SqliteStore
from susracker.testing.records import (
    ENCODER,
    QUALITY,
    activity,
    candidate,
    criminal,
    face_alert,
    photo,
    sighting,
    template,
)
from tests.disks import full_disk
from tests.torture.processes import needs_proc, open_files

NOBODY = 65534
ROOT = Path(__file__).parents[3]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with SqliteStore.open(path) as opened:
        yield opened


def assert_one_line_about(path: Path, error: pytest.ExceptionInfo[StoreError]) -> None:
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def child(code: str, *arguments: str) -> subprocess.Popen[str]:
    """A process of its own that runs `code`."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


# -- URLs ------------------------------------------------------------------------------------


def test_a_relative_path_is_in_the_folder_of_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(tmp_path)
    with SqliteStore.from_url("sqlite:///new/folders/people.db") as store:
        monkeypatch.chdir(elsewhere)
        # A read in the middle of a write needs one more connection.
        store.put_criminal(criminal(), (one for one in [photo()] if store.criminals() == []))
        assert len(store.photo_ids("c1")) == 1
    assert (tmp_path / "new/folders/people.db").is_file()
    assert list(elsewhere.iterdir()) == []


def test_an_absolute_path_has_four_slashes(path: Path) -> None:
    SqliteStore.from_url(f"sqlite:///{path}").close()
    assert path.is_file()


def test_a_path_may_start_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    SqliteStore.from_url("sqlite:///~/people.db").close()
    assert (tmp_path / "people.db").is_file()


@pytest.mark.parametrize(
    "url", ["sqlite:", "sqlite://", "sqlite:///", "sqlite://host/x.db", "sqlite:///:memory:"]
)
def test_a_url_that_names_no_file_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="names no file"):
        SqliteStore.from_url(url)


# -- files that are no store -----------------------------------------------------------------


@pytest.mark.parametrize("content", [b"not a database", b"no" * 10_000], ids=["short", "long"])
def test_a_file_that_is_no_database_is_left_as_it_is(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreFormatError) as error:
        SqliteStore.open(path)
    assert_one_line_about(path, error)
    assert path.read_bytes() == content


def test_a_file_whose_tables_are_not_even_text_is_told_to_be_damaged(path: Path) -> None:
    """SQLite repeats them in its message, which Python cannot read."""
    SqliteStore.open(path).close()
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE", b"CREATE\xffTABLE"))
    with pytest.raises(StoreFormatError) as error:
        SqliteStore.open(path)
    assert_one_line_about(path, error)


def test_another_programs_database_is_left_as_it_is(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()
    with pytest.raises(StoreFormatError, match="another program's") as error:
        SqliteStore.open(path)
    assert_one_line_about(path, error)
    assert path.read_bytes() == before


def test_a_store_of_a_newer_version_is_left_as_it_is(path: Path) -> None:
    SqliteStore.open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(StoreFormatError, match="newer") as error:
        SqliteStore.open(path)
    assert_one_line_about(path, error)
    assert path.read_bytes() == before


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.touch()
    with SqliteStore.open(path) as store:
        store.put_criminal(criminal())


# -- files that cannot be used ---------------------------------------------------------------


@pytest.fixture
def guarded() -> Iterator[Path]:
    """A folder that anyone may enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Root may write anything: be someone who may not."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    yield
    if root:
        os.seteuid(0)


@pytest.fixture
def read_only(guarded: Path) -> Path:
    """A store that may be read and not written, in such a folder."""
    path = guarded / "store.db"
    SqliteStore.open(path).close()
    path.chmod(0o444)
    guarded.chmod(0o555)
    return path


@pytest.mark.usefixtures("unprivileged")
def test_a_store_that_cannot_be_written_is_unavailable_at_once(read_only: Path) -> None:
    with pytest.raises(StoreUnavailableError) as error:
        SqliteStore.open(read_only)
    assert_one_line_about(read_only, error)


def test_a_log_that_can_be_written_makes_no_read_only_file_writable(guarded: Path) -> None:
    """The log and its index exist, so reading works; writing has to be tried to know."""
    path = guarded / "store.db"
    with SqliteStore.open(path) as store:
        store.put_criminal(criminal())
        for file in guarded.iterdir():
            file.chmod(0o666)
        path.chmod(0o444)
        root = os.geteuid() == 0
        if root:
            os.seteuid(NOBODY)
        try:
            with pytest.raises(StoreUnavailableError, match="make the file") as error:
                SqliteStore.open(path)
        finally:
            if root:
                os.seteuid(0)
    assert_one_line_about(path, error)


def test_a_folder_in_place_of_the_file_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError, match="name a file") as error:
        SqliteStore.open(tmp_path)
    assert_one_line_about(tmp_path, error)


def test_a_file_in_place_of_the_folder_is_unavailable(path: Path) -> None:
    path.touch()
    with pytest.raises(StoreUnavailableError, match="cannot create the folder") as error:
        SqliteStore.open(path / "store.db")
    assert_one_line_about(path, error)


def test_a_file_that_another_program_holds_is_unavailable(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WRITE_SECONDS", 0.05)
    with SqliteStore.open(path) as store, closing(sqlite3.connect(path)) as other:
        store.put_criminal(criminal())
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailableError, match="try again") as error:
            store.put_criminal(criminal("c2"))
        assert [one.id for one in store.criminals()] == ["c1"]
        other.rollback()
        store.put_criminal(criminal("c2"))
    assert_one_line_about(path, error)


def test_a_full_disk_leaves_nothing_half_done(store: SqliteStore, path: Path) -> None:
    store.put_criminal(criminal())
    kept = store.record([], [activity()])
    largest = max(file.stat().st_size for file in path.parent.iterdir())
    with full_disk(largest), pytest.raises(StoreUnavailableError) as error:
        store.record([sighting()], [face_alert(face=bytes(2 * largest))])
    assert_one_line_about(path, error)
    assert store.alerts() == list(kept)
    assert store.sightings("c1") == []
    assert store.record([], [activity()])[0].seq > kept[0].seq


@pytest.mark.parametrize("fields", [{"name": "\ud800"}, {"age": 2**63}])
def test_what_cannot_be_stored_is_refused(store: SqliteStore, fields: dict[str, object]) -> None:
    with pytest.raises(InputError):
        store.put_criminal(criminal(**fields))
    assert store.criminals() == []


def test_a_closed_store_says_so(store: SqliteStore) -> None:
    store.close()
    with pytest.raises(StoreUnavailableError, match="closed"):
        store.criminals()


# -- versions --------------------------------------------------------------------------------


def test_an_older_file_is_brought_up_to_date(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SqliteStore.open(path) as store:
        store.put_criminal(criminal())
    steps = schema.MIGRATIONS
    monkeypatch.setattr(schema, "MIGRATIONS", (*steps, ("CREATE TABLE notes (x)",)))
    with SqliteStore.open(path) as store:
        assert store.criminal("c1") == criminal()
    with closing(sqlite3.connect(path)) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        assert version == len(steps) + 1
        assert connection.execute("SELECT * FROM notes").fetchall() == []


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    SqliteStore.open(path).close()
    steps = schema.MIGRATIONS
    broken = (*steps, ("CREATE TABLE notes (x)", "INSERT INTO nowhere VALUES (1)"))
    with monkeypatch.context() as patched:
        patched.setattr(schema, "MIGRATIONS", broken)
        with pytest.raises(StoreUnavailableError):
            SqliteStore.open(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == len(steps)
        names = connection.execute("SELECT name FROM sqlite_master").fetchall()
    assert ("notes",) not in names
    SqliteStore.open(path).close()


OPEN_AT_ONCE = """
import sys
from pathlib import Path
from susracker.stores.sqlite import schema
from susracker.stores.sqlite.store import SqliteStore
from susracker.testing.records import criminal
schema.MIGRATIONS += (("CREATE TABLE once (x)",),) * int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
with SqliteStore.open(Path(sys.argv[1])) as store:
    store.put_criminal(criminal(sys.argv[2]))
"""


@pytest.mark.parametrize("migrates", [False, True], ids=["create", "migrate"])
def test_processes_may_open_a_file_at_once(path: Path, migrates: bool) -> None:
    if migrates:
        SqliteStore.open(path).close()
    children = [child(OPEN_AT_ONCE, str(path), f"c{n}", str(int(migrates))) for n in range(4)]
    for one in children:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in children:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in children:
        one.communicate(timeout=60)
    assert [one.returncode for one in children] == [0] * 4
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT id FROM criminals ORDER BY id").fetchall()
    assert found == [("c0",), ("c1",), ("c2",), ("c3",)]


# -- several processes -----------------------------------------------------------------------

RECORD_FOREVER = """
import sys
from pathlib import Path
from susracker.stores.sqlite.store import SqliteStore
from susracker.testing.records import criminal, face_alert, sighting
with SqliteStore.open(Path(sys.argv[1])) as store:
    store.put_criminal(criminal())
    while True:
        (alert,) = store.record([sighting()], [face_alert()])
        print(alert.seq, flush=True)
"""


def test_what_was_acknowledged_survives_a_kill(path: Path) -> None:
    process = child(RECORD_FOREVER, str(path))
    assert process.stdout is not None
    printed = [process.stdout.readline() for _ in range(20)]
    process.send_signal(signal.SIGKILL)
    printed += process.stdout.readlines()
    process.communicate()
    acknowledged = {int(line) for line in printed if line.endswith("\n")}
    with SqliteStore.open(path) as store:
        stored = store.alerts(limit=10**9)
        assert acknowledged <= {alert.seq for alert in stored}
        # An alert and its sighting were stored together, or not at all.
        assert len(store.sightings("c1")) == len(stored)
        assert store.record([], [activity()])[0].seq > max(acknowledged)


ENROLL = """
import sys
from pathlib import Path
from susracker.stores.sqlite.store import SqliteStore
from susracker.testing.records import criminal
with SqliteStore.open(Path(sys.argv[1])) as store:
    store.put_criminal(criminal(sys.argv[2]))
"""


def test_another_processs_changes_are_heard(store: SqliteStore, path: Path) -> None:
    store.put_criminal(criminal("ours"))
    revision = store.changes(0).revision
    process = child(ENROLL, str(path), "theirs")
    process.communicate()
    assert process.returncode == 0
    found = store.changes(revision)
    assert found.criminal_ids == {"theirs"}
    assert found.revision > revision
    assert store.criminal("theirs").name == "Ada Nowak"


@needs_proc
def test_threads_that_end_leave_no_connections(store: SqliteStore, path: Path) -> None:
    def opened() -> int:
        """How often files of the store are open: others come and go in this process."""
        return sum(one.startswith(str(path)) for one in open_files(os.getpid()))

    store.criminals()
    before = opened()
    for _ in range(20):
        thread = threading.Thread(target=store.criminals)
        thread.start()
        thread.join()
    assert opened() == before > 0
    store.close()
    assert not path.with_name("store.db-wal").exists()


def test_a_rush_leaves_few_connections(store: SqliteStore) -> None:
    rush = threading.Barrier(3 * database.MAX_IDLE)

    def read() -> None:
        with store._db.reading():
            rush.wait(60)

    threads = [threading.Thread(target=read) for _ in range(rush.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store._db._idle) == database.MAX_IDLE


# -- size ------------------------------------------------------------------------------------


def test_a_hundred_thousand_templates_come_back_exactly(store: SqliteStore) -> None:
    people, each = 100, 1000
    vectors = np.arange(people * each * 4, dtype=np.float32).reshape(people, each, 4)
    expected = {}
    # Enrolled in an order that is not that of the ids.
    for number in np.random.default_rng(5).permutation(people):
        owner = f"c{number}"
        photos = [photo(owner) for _ in range(each)]
        templates = [
            Template(one.id, owner, ENCODER, vector, QUALITY)
            for one, vector in zip(photos, vectors[number], strict=True)
        ]
        store.put_criminal(criminal(owner), photos, templates)
        expected[owner] = vectors[number]
    rows = store.template_rows(ENCODER)
    assert rows.vectors.shape == (people * each, 4)
    for start in range(0, people * each, each):
        block = rows.criminal_ids[start : start + each]
        assert set(block) == {block[0]}
        np.testing.assert_array_equal(rows.vectors[start : start + each], expected.pop(block[0]))
    assert expected == {}


# -- what is forgotten -----------------------------------------------------------------------


def test_what_is_removed_is_gone_from_the_file_and_its_log(store: SqliteStore, path: Path) -> None:
    rng = np.random.default_rng(3)
    for n in range(40):
        owner = f"c{n}"
        photos = [photo(owner, content=rng.bytes(30_000)) for _ in range(3)]
        store.put_criminal(criminal(owner), photos, [template(one, seed=n) for one in photos])
    secret = photo("gone", content=rng.bytes(50_000))
    made = template(secret, seed=1000)
    face = rng.bytes(20_000)
    store.put_criminal(criminal("gone", name="Unmistakable Name"), [secret], [made])
    named = {"name": "Unmistakable Name"}
    store.record(
        [sighting("gone", camera_id="unmistakable camera")],
        [
            face_alert("gone", face=face, **named),
            face_alert("c1", candidates=(candidate("c1"), candidate("gone", **named))),
        ],
    )
    traces = [
        secret.content[:200],
        secret.content[-200:],
        secret.content[25_000:25_200],
        made.vector.tobytes(),
        face[:200],
        face[-200:],
        b"Unmistakable Name",
        b"unmistakable camera",
    ]
    assert [on_disk(path, trace) for trace in traces] == [True] * len(traces)
    store.remove_criminal("gone")
    # Other processes may have the file open for months.
    assert [on_disk(path, trace) for trace in traces] == [False] * len(traces)
    store.close()
    assert [on_disk(path, trace) for trace in traces] == [False] * len(traces)
    with closing(sqlite3.connect(path)) as connection:
        linked = connection.execute("SELECT * FROM alert_people WHERE criminal_id = 'gone'")
        assert linked.fetchall() == []


def on_disk(path: Path, trace: bytes) -> bool:
    return any(trace in file.read_bytes() for file in path.parent.iterdir())
