"""What is held is not removed: looked up in the transaction of the removal."""

from __future__ import annotations

import sqlite3

from susracker.oversight import Hold
from susracker.stores.refusals import named_while_held, shown_while_held
from susracker.stores.sqlite.rows import columns, to_record

_HELD = f"SELECT {columns(Hold)} FROM holds JOIN alerts ON alerts.id = alert_id"


def refuse_if_held(connection: sqlite3.Connection, criminal_id: str) -> None:
    """Refuse to remove someone whom a held alert names."""
    named = "JOIN alert_people USING (seq) WHERE alert_people.criminal_id = ?"
    sql = f"{_HELD} {named} ORDER BY made_at, alert_id"
    if holds := [to_record(Hold, row) for row in connection.execute(sql, (criminal_id,))]:
        raise named_while_held(criminal_id, holds)


def refuse_if_shown(connection: sqlite3.Connection, photo_id: str) -> None:
    """Refuse to remove a photo that a held alert shows."""
    for row in connection.execute(f"{_HELD} WHERE photo_id = ?", (photo_id,)):
        raise shown_while_held(to_record(Hold, row))
