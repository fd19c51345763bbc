"""Better evidence for alerts, in an SQLite file."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from susracker.models import Alert
from susracker.stores.improvements import KEPT, Improvement, Improvements, improved
from susracker.stores.sqlite.database import Database
from susracker.stores.sqlite.known import forget_people, known_among, note_people
from susracker.stores.sqlite.rows import columns, from_candidates, insert, to_record

_ALERT = columns(Alert)


class SqliteImprovements(Improvements):
    """See `Improvements`."""

    _db: Database

    def improve_alert(self, alert: Alert) -> Alert | None:
        with self._db.writing() as connection:
            stored = _stored(connection, alert.id)
            better = self._db.sealer.seal_alert(_without_removed(connection, alert))
            changed = improved(stored, better) if stored else None
            if stored and changed:
                _change(connection, stored, changed)
        return self._db.sealer.open_alert(changed) if changed else None

    def improvements_after(self, number: int = 0, limit: int = 100) -> list[Improvement]:
        sql = "SELECT number, alert_id FROM improvements WHERE number > ? ORDER BY number LIMIT ?"
        return [Improvement(*row) for row in self._db.rows(sql, number, max(limit, 0))]

    def last_improvement(self) -> int:
        return int(self._db.rows("SELECT coalesce(max(number), 0) FROM improvements")[0][0])


# -- inside a write ------------------------------------------------------------------------------


def _stored(connection: sqlite3.Connection, alert_id: str) -> Alert | None:
    """An alert, with its face as it is stored."""
    row = connection.execute(f"SELECT {_ALERT} FROM alerts WHERE id = ?", (alert_id,)).fetchone()
    return to_record(Alert, row) if row else None


def _without_removed(connection: sqlite3.Connection, alert: Alert) -> Alert:
    known = known_among(connection, [one.criminal_id for one in alert.candidates])
    kept = tuple(one for one in alert.candidates if one.criminal_id in known)
    return replace(alert, candidates=kept)


def _change(connection: sqlite3.Connection, before: Alert, alert: Alert) -> None:
    sql = "UPDATE alerts SET distance = ?, score = ?, candidates = ?, face = ? WHERE seq = ?"
    candidates = from_candidates(alert.candidates)
    values = (alert.distance, alert.score, candidates, alert.face, alert.seq)
    connection.execute(sql, values)
    forget_people(connection, before)
    note_people(connection, alert)
    # The newest stays, so no number is used again.
    added = insert(connection, "improvements", {"alert_id": alert.id})
    oldest = (added.lastrowid or 0) - KEPT
    connection.execute("DELETE FROM improvements WHERE number <= ?", (oldest,))
