"""Forgetting in time, in an SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from datetime import datetime

from susracker.oversight import Hold, RecordKind
from susracker.runtime.clock import to_microseconds
from susracker.stores.refusals import no_alert, not_held
from susracker.stores.retention import Retention
from susracker.stores.sqlite.database import Database
from susracker.stores.sqlite.rows import (
    columns,
    insert,
    json_list,
    to_candidates,
    to_record,
    to_row,
)
from susracker.stores.sqlite.striking import NAMING, strike

_HOLD = columns(Hold)
_FREE = "NOT IN (SELECT alert_id FROM holds)"
_OLD: dict[RecordKind, str] = {
    "alerts": f"FROM alerts WHERE received_at < ? AND id {_FREE}",
    "faces": f"FROM alerts WHERE received_at < ? AND face IS NOT NULL AND id {_FREE}",
    "sightings": "FROM sightings WHERE received_at < ?",
    "judgements": f"FROM judgements WHERE made_at < ? AND alert_id {_FREE}",
}
_AMONG = "(SELECT value FROM json_each(?))"


class SqliteRetention(Retention):
    """See `Retention`."""

    _db: Database

    def forget(self, kind: RecordKind, before: datetime, limit: int) -> int:
        with self._db.writing() as connection:
            gone = _forget(connection, kind, before, limit)
            if gone:
                connection.execute("UPDATE forgotten SET times = times + 1")
        return gone

    def count_older(self, kind: RecordKind, before: datetime) -> int:
        return int(self._db.rows(f"SELECT count(*) {_OLD[kind]}", to_microseconds(before))[0][0])

    def forgotten(self) -> int:
        return int(self._db.rows("SELECT times FROM forgotten")[0][0])

    def scrub(self) -> None:
        self._db.scrub_log()

    def hold_alert(self, hold: Hold) -> None:
        with self._db.writing() as connection:
            sql = "SELECT id FROM alerts WHERE id = ?"
            if not connection.execute(sql, (hold.alert_id,)).fetchone():
                raise no_alert(hold.alert_id)
            connection.execute("DELETE FROM holds WHERE alert_id = ?", (hold.alert_id,))
            insert(connection, "holds", to_row(hold))

    def release_alert(self, alert_id: str) -> None:
        with self._db.writing() as connection:
            sql = "DELETE FROM holds WHERE alert_id = ?"
            if not connection.execute(sql, (alert_id,)).rowcount:
                raise not_held(alert_id)

    def holds(self) -> list[Hold]:
        rows = self._db.rows(f"SELECT {_HOLD} FROM holds ORDER BY made_at, alert_id")
        return [to_record(Hold, row) for row in rows]

    def alerts_naming(self, criminal_id: str) -> list[str]:
        rows = self._db.rows(f"{NAMING} ORDER BY seq", criminal_id)
        return [alert_id for (alert_id,) in rows]

    def strike_judgements(self, alert_ids: Collection[str], name: str) -> int:
        with self._db.writing() as connection:
            return strike(connection, alert_ids, name)


_FORGET: dict[RecordKind, str] = {
    "faces": "UPDATE alerts SET face = NULL WHERE seq IN (SELECT seq {})",
    "sightings": "DELETE FROM sightings WHERE (criminal_id, occurred_at, id) IN"
    " (SELECT criminal_id, occurred_at, id {})",
    "judgements": "DELETE FROM judgements WHERE seq IN (SELECT seq {})",
}
"""What forgets records of a kind, with a place for which they are."""


def _forget(connection: sqlite3.Connection, kind: RecordKind, before: datetime, limit: int) -> int:
    if kind == "alerts":
        return _forget_alerts(connection, before, limit)
    sql = _FORGET[kind].format(f"{_OLD[kind]} LIMIT ?")
    return connection.execute(sql, (to_microseconds(before), limit)).rowcount


def _forget_alerts(connection: sqlite3.Connection, before: datetime, limit: int) -> int:
    """Forget alerts with all that belongs to them."""
    sql = f"SELECT seq, id, criminal_id, candidates {_OLD['alerts']} LIMIT ?"
    old = connection.execute(sql, (to_microseconds(before), limit)).fetchall()
    named = [
        (criminal_id, seq)
        for seq, _, match, candidates in old
        for criminal_id in {match, *(one.criminal_id for one in to_candidates(candidates))}
    ]
    connection.executemany("DELETE FROM alert_people WHERE criminal_id = ? AND seq = ?", named)
    ids = json_list([alert_id for _, alert_id, _, _ in old])
    connection.execute(f"DELETE FROM judgements WHERE alert_id IN {_AMONG}", (ids,))
    return connection.execute(f"DELETE FROM alerts WHERE id IN {_AMONG}", (ids,)).rowcount
