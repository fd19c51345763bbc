"""How an SQLite file finds the alert that holds another one back."""

from __future__ import annotations

import pytest

from susracker.errors import RecentAlertError
from susracker.stores.sqlite import schema
from susracker.stores.sqlite.rows import insert, to_row
from susracker.stores.sqlite.store import SqliteStore
from susracker.testing.records import MINUTE, activity, criminal, face_alert

BEFORE_COOLDOWN_KEYS = 3
"""Steps of the schema that a file had been through before alerts had an index for this."""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store.db"


def test_one_search_in_an_index_is_enough(path):
    """However many alerts there are: it is done for each one, while others wait to write."""
    asked = []
    with SqliteStore.open(path) as store:
        store.put_criminal(criminal())
        with store._db.reading() as connection:
            connection.set_trace_callback(asked.append)
        store.record([], [face_alert()], cooldown=MINUTE)
        (look,) = (sql for sql in asked if "LIMIT 1" in sql)
        plan = store._db.rows(f"EXPLAIN QUERY PLAN {look}")
    (step,) = (row[-1] for row in plan)
    assert step == "SEARCH alerts USING INDEX alerts_by_cooldown_key (<expr>=?)"


def test_without_alerts_nothing_is_looked_up(path):
    asked = []
    with SqliteStore.open(path) as store:
        with store._db.reading() as connection:
            connection.set_trace_callback(asked.append)
        store.record([], [], cooldown=MINUTE)
        store.record([], [activity()])
    assert not any("LIMIT 1" in sql for sql in asked)


def test_alerts_of_earlier_files_hold_back(path, monkeypatch):
    with monkeypatch.context() as earlier:
        earlier.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:BEFORE_COOLDOWN_KEYS])
        with SqliteStore.open(path) as store, store._db.writing() as connection:
            row = to_row(activity(event_type="Violence")) | {"seq": 1}
            insert(connection, "alerts", {k: v for k, v in row.items() if k != "details"})
    with SqliteStore.open(path) as store, pytest.raises(RecentAlertError):
        store.record([], [activity()], cooldown=MINUTE)
