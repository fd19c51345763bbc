"""How SQLite looks alerts up: by an index, and never by reading all of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from susracker.stores.journal import EVERY_ALERT, AlertFilter
from susracker.stores.sqlite.database import Database
from susracker.stores.sqlite.store import SqliteStore
from susracker.stores.sqlite.wanted import condition
from susracker.testing.records import NOON

DAY = {"since": NOON, "until": NOON + timedelta(days=1)}


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (EVERY_ALERT, "INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        (AlertFilter(camera_id="gate"), "alerts_by_camera (camera_id=? AND seq>? AND seq<?)"),
        (AlertFilter(criminal_id="c1"), "alerts_by_person (criminal_id=? AND seq>? AND seq<?)"),
        (AlertFilter(kind="activity"), "alerts_by_kind (kind=? AND seq>? AND seq<?)"),
        (AlertFilter(status="new"), "alerts_by_status (status=? AND seq>? AND seq<?)"),
        (
            AlertFilter(status="new", kind="face", camera_id="gate", criminal_id="c1"),
            "alerts_by_person (criminal_id=? AND seq>? AND seq<?)",
        ),
        (AlertFilter(**DAY), "COVERING INDEX alerts_by_time (occurred_at>? AND occurred_at<?)"),
        (AlertFilter(**DAY, camera_id="gate"), "alerts_by_camera (camera_id=? AND seq=?"),
    ],
    ids=str,
)
@pytest.mark.parametrize("order", ["seq", "seq DESC"])
def test_alerts_are_found_by_an_index_without_a_sort(tmp_path, wanted, index, order):
    which, values = condition(wanted)
    sql = f"SELECT * FROM alerts WHERE seq > ? AND seq < ? AND {which} ORDER BY {order} LIMIT ?"
    with SqliteStore(Database(tmp_path / "people.db")) as store:
        plan = store._db.rows(f"EXPLAIN QUERY PLAN {sql}", 0, 9, *values, 100)
    steps = [row[3] for row in plan]
    assert any(index in step for step in steps), steps
    assert not any("SCAN" in step or "B-TREE" in step for step in steps), steps
