"""Events that wait survive, in order, and never silently."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from susracker.client.spool import Spool
from susracker.errors import SpoolError

VERSIONS = Path(__file__).parent / "versions"
"""Spools of earlier formats, as text."""

NAMES = sorted(path.name for path in VERSIONS.iterdir())


@pytest.fixture(params=["file", "memory"])
def spool(request, tmp_path):
    path = tmp_path / "deep" / "gate.db" if request.param == "file" else None
    opened = Spool(path, 100)
    yield opened
    opened.close()


def drain(spool: Spool) -> list[tuple[str, bytes]]:
    found = []
    while waiting := spool.first():
        found.append((waiting.event_id, waiting.body))
        spool.done(waiting)
    return found


def test_first_in_first_out(spool):
    events = [(f"e{number}", bytes([number])) for number in range(20)]
    for event_id, body in events:
        assert spool.put(event_id, body) == 0
    assert len(spool) == 20
    assert drain(spool) == events
    assert len(spool) == 0
    assert spool.first() is None


def test_the_oldest_is_dropped_where_it_is_full(spool):
    dropped = [spool.put(f"e{number}", b"x" * 30) for number in range(5)]
    assert dropped == [0, 0, 0, 1, 1]
    assert [event_id for event_id, _ in drain(spool)] == ["e2", "e3", "e4"]


def test_an_event_that_was_dropped_while_it_was_sent_is_done(spool):
    spool.put("e0", b"x" * 60)
    sending = spool.first()
    spool.put("e1", b"x" * 60)
    spool.done(sending)
    assert [event_id for event_id, _ in drain(spool)] == ["e1"]
    assert len(spool) == 0


def test_an_event_larger_than_the_spool_is_refused(spool):
    spool.put("e0", b"x")
    with pytest.raises(SpoolError, match="larger than the spool"):
        spool.put("e1", b"x" * 101)
    assert len(spool) == 1


def test_what_waits_is_there_after_a_crash(tmp_path):
    first = Spool(tmp_path / "gate.db", 1000)
    first.put("e0", b"zero")
    first.put("e1", b"one")
    # Not closed: as after `kill -9`.
    second = Spool(tmp_path / "gate.db", 1000)
    assert len(second) == 2
    assert drain(second) == [("e0", b"zero"), ("e1", b"one")]
    first.close()
    second.close()


def test_what_was_sent_leaves_no_trace(tmp_path):
    spool = Spool(tmp_path / "gate.db", 1_000_000)
    spool.put("e0", b"a face of a stranger" * 1000)
    spool.done(spool.first())
    spool.close()
    for file in tmp_path.iterdir():
        assert b"a face of a stranger" not in file.read_bytes()


def test_a_file_that_is_no_spool_is_an_error_that_names_it(tmp_path):
    (tmp_path / "gate.db").write_bytes(b"not a database" * 100)
    with pytest.raises(SpoolError, match=r"gate\.db"):
        Spool(tmp_path / "gate.db", 100)


def make(name, path):
    """A spool as an earlier version left it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((VERSIONS / name).read_text(encoding="utf-8"))
    return path


@pytest.mark.parametrize("name", NAMES)
def test_a_spool_of_every_format_is_read_and_goes_on(name, tmp_path):
    path = make(name, tmp_path / "gate.db")
    with closing(Spool(path, 1000)) as spool:
        assert len(spool) == 2
        assert spool.put("e3", b"{}") == 0
    with closing(Spool(path, 1000)) as spool:
        waiting = []
        while one := spool.first():
            waiting.append((one.number, one.event_id))
            spool.done(one)
        assert waiting == [(2, "e1"), (3, "e2"), (4, "e3")]


def test_a_newer_spool_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "gate.db"
    Spool(path, 100).close()
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(SpoolError, match=r"gate\.db .* newer susracker: upgrade"):
        Spool(path, 100)
    assert path.read_bytes() == before


def test_another_programs_database_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "site.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE orders (number)")
    before = path.read_bytes()
    with pytest.raises(SpoolError, match=r"site\.db is another program's"):
        Spool(path, 100)
    assert path.read_bytes() == before


def test_a_file_that_is_no_spool_is_closed_again(tmp_path, monkeypatch):
    (tmp_path / "gate.db").write_bytes(b"not a database" * 100)
    opened, connect = [], sqlite3.connect

    def connect_and_keep(*args, **kwargs):
        opened.append(connect(*args, **kwargs))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", connect_and_keep)
    with pytest.raises(SpoolError):
        Spool(tmp_path / "gate.db", 100)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[0].execute("SELECT 1")


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SpoolError, match="cannot be used"):
        Spool(tmp_path / "file" / "gate.db", 100)


def test_a_disk_that_fails_is_an_error_and_counts_nothing(tmp_path):
    spool = Spool(tmp_path / "gate.db", 1000)
    other = sqlite3.connect(tmp_path / "gate.db")
    other.execute("DROP TABLE waiting")
    other.close()
    with pytest.raises(SpoolError):
        spool.put("e0", b"x")
    assert len(spool) == 0
    spool.close()


def test_an_event_that_cannot_be_kept_drops_none(tmp_path):
    spool = Spool(tmp_path / "gate.db", 100)
    spool.put("e0", b"x" * 60)
    with closing(sqlite3.connect(tmp_path / "gate.db")) as other:
        other.execute(
            "CREATE TRIGGER full BEFORE INSERT ON waiting BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
        with pytest.raises(SpoolError, match="full"):
            spool.put("e1", b"x" * 60)
        other.execute("DROP TRIGGER full")
    assert len(spool) == 1
    assert spool.put("e2", b"x" * 60) == 1
    assert [event_id for event_id, _ in drain(spool)] == ["e2"]
    spool.close()


def test_a_file_whose_tables_are_not_even_text_is_told_to_be_unusable(tmp_path):
    """SQLite repeats them in its message, which Python cannot read."""
    path = tmp_path / "gate.db"
    Spool(path, 100).close()
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE", b"CREATE\xffTABLE"))
    with pytest.raises(SpoolError, match="cannot be used"):
        Spool(path, 100)
