"""What people say about alerts, in an SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from susracker.models import Alert
from susracker.oversight import CONFIRMED, Judgement
from susracker.stores.judgements import Judgements
from susracker.stores.refusals import judged_meanwhile, no_alert
from susracker.stores.sqlite.database import Database
from susracker.stores.sqlite.last_seen import move_last_seen
from susracker.stores.sqlite.rows import columns, insert, json_list, to_record, to_row

_JUDGEMENT = columns(Judgement)
_ALERT_WITHOUT_FACE = columns(Alert).replace("face", "NULL")


class SqliteJudgements(Judgements):
    """See `Judgements`."""

    _db: Database

    def add_judgement(self, judgement: Judgement, status: str, seen: int) -> Judgement:
        with self._db.writing() as connection:
            _refuse_unless_newest(connection, judgement.alert_id, seen)
            stored = _insert(connection, judgement, None)
            _set_status(connection, judgement.alert_id, status)
        return stored

    def put_judgement(self, judgement: Judgement) -> None:
        with self._db.writing() as connection:
            _insert(connection, judgement, judgement.seq)

    def judgements(self, alert_ids: Collection[str]) -> list[Judgement]:
        among = "alert_id IN (SELECT value FROM json_each(?))"
        return self._judgements(among, json_list(alert_ids), limit=-1)

    def judgements_after(self, seq: int = 0, limit: int = 100) -> list[Judgement]:
        return self._judgements("seq > ?", seq, limit=max(limit, 0))

    def last_judgement_seq(self) -> int:
        return self._db.last_number("judgements")

    def _judgements(self, where: str, *values: Any, limit: int) -> list[Judgement]:
        sql = f"SELECT {_JUDGEMENT} FROM judgements WHERE {where} ORDER BY seq LIMIT ?"
        return [to_record(Judgement, row) for row in self._db.rows(sql, *values, limit)]


# -- inside a write ------------------------------------------------------------------------------


def _refuse_unless_newest(connection: sqlite3.Connection, alert_id: str, seen: int) -> None:
    sql = "SELECT coalesce(max(seq), 0) FROM judgements WHERE alert_id = ?"
    if connection.execute(sql, (alert_id,)).fetchone()[0] != seen:
        raise judged_meanwhile(alert_id)


def _insert(connection: sqlite3.Connection, judgement: Judgement, seq: int | None) -> Judgement:
    added = insert(connection, "judgements", to_row(judgement) | {"seq": seq})
    return replace(judgement, seq=int(added.lastrowid or 0))


def _set_status(connection: sqlite3.Connection, alert_id: str, status: str) -> None:
    sql = "UPDATE alerts SET status = ? WHERE id = ?"
    if not connection.execute(sql, (status, alert_id)).rowcount:
        raise no_alert(alert_id)
    if status == CONFIRMED:
        sql = f"SELECT {_ALERT_WITHOUT_FACE} FROM alerts WHERE id = ?"
        row = connection.execute(sql, (alert_id,)).fetchone()
        move_last_seen(connection, to_record(Alert, row))
