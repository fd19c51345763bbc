"""The crash program with few kills; and that its checks notice what they are for."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from susracker.stores.sqlite.store import SqliteStore
from susracker.testing.records import NOON, criminal, face_alert
from tests.torture.checks import all_alerts, check_cameras, check_operators, doubles, integrity
from tests.torture.crash import run
from tests.torture.figures import Figures
from tests.torture.load import Ledger, Operator


def test_nothing_is_lost_or_doubled_when_server_and_redis_are_killed(tmp_path: Path) -> None:
    figures = Figures("crash")
    run(tmp_path, 2, figures, seed=2)
    figures.show()
    assert not figures.broken


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    opened = SqliteStore.open(tmp_path / "store.db")
    opened.put_criminal(criminal("c1"))
    return opened


def test_a_lost_alert_and_a_doubled_one_are_noticed(store: SqliteStore) -> None:
    pair = [face_alert("c1", occurred_at=NOON + timedelta(seconds=n)) for n in (0, 1)]
    store.record([], pair)
    lost = {"message": "Match found", "match": {"id": "lost", "seq": 9}}
    figures = Figures("checks")
    check_cameras(store, Ledger(answered=[("gate-1-7", lost)]), all_alerts(store), 5, figures)
    assert len(figures.broken) == 3
    assert [one.id for one in doubles(pair, 5)] == [pair[1].id]
    assert doubles(pair, 1) == []


def test_an_operator_who_missed_one_is_noticed(store: SqliteStore) -> None:
    store.record([], [face_alert("c1"), face_alert("c1")])
    alerts, operator, figures = all_alerts(store), Operator("http://x"), Figures("checks")
    operator.heard += [{"id": one.id, "seq": one.seq} for one in alerts]
    check_operators([operator], alerts, figures)
    assert not figures.broken
    del operator.heard[0]
    check_operators([operator], alerts, figures)
    assert figures.broken == ["operators: 1 missed, 0 twice, of 2"]


def test_a_damaged_file_is_noticed(tmp_path: Path, store: SqliteStore) -> None:
    store.record([], [face_alert("c1") for _ in range(50)])
    store.close()
    file = tmp_path / "store.db"
    assert integrity(file) == "ok"
    content = bytearray(file.read_bytes())
    content[5 * 16_384 : 9 * 16_384] = bytes(4 * 16_384)
    file.write_bytes(content)
    assert integrity(file) != "ok"
