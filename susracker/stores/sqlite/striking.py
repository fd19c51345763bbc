"""Empties what people wrote about someone, as a part of a transaction of the caller's."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from susracker.stores.sqlite.rows import json_list

NAMING = "SELECT id FROM alert_people JOIN alerts USING (seq) WHERE alert_people.criminal_id = ?"
"""Ids of the alerts that someone is the match or a candidate of."""


def strike(connection: sqlite3.Connection, alert_ids: Collection[str], name: str) -> int:
    """See `Retention.strike_judgements`."""
    named = "instr(casefold(reason), :name)"
    sql = (
        f"UPDATE judgements SET note = '', reason = iif({named}, '', reason)"
        " WHERE alert_id IN (SELECT value FROM json_each(:alerts))"
        f" AND (note <> '' OR {named})"
    )
    values = {"name": name.casefold(), "alerts": json_list(alert_ids)}
    return connection.execute(sql, values).rowcount


def strike_about(connection: sqlite3.Connection, criminal_id: str) -> None:
    """Strike the judgements of the alerts that name someone who is about to be removed."""
    found = connection.execute("SELECT name FROM criminals WHERE id = ?", (criminal_id,))
    alert_ids = [one for (one,) in connection.execute(NAMING, (criminal_id,))]
    for (name,) in found.fetchall():
        strike(connection, alert_ids, name)
