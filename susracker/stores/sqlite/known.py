"""Who is still enrolled, inside a write to an SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from susracker.models import Alert
from susracker.stores.sqlite.rows import insert, json_list


def known_among(connection: sqlite3.Connection, criminal_ids: Iterable[str]) -> set[str]:
    """Those of some people who are enrolled."""
    sql = "SELECT id FROM criminals WHERE id IN (SELECT value FROM json_each(?))"
    return {row[0] for row in connection.execute(sql, (json_list(list(criminal_ids)),))}


def note_people(connection: sqlite3.Connection, alert: Alert) -> None:
    """Note who is named in a stored alert."""
    for criminal_id in _named(alert):
        insert(connection, "alert_people", {"criminal_id": criminal_id, "seq": alert.seq})


def forget_people(connection: sqlite3.Connection, alert: Alert) -> None:
    """Undo `note_people`."""
    sql = "DELETE FROM alert_people WHERE criminal_id = ? AND seq = ?"
    connection.executemany(sql, [(criminal_id, alert.seq) for criminal_id in _named(alert)])


def _named(alert: Alert) -> set[str]:
    """Ids of whom an alert is about, and of the other candidates."""
    named = {alert.criminal_id, *(one.criminal_id for one in alert.candidates)}
    return {one for one in named if one is not None}
