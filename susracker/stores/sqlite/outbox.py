"""How far deliveries have come, in an SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import replace

from susracker.stores.outbox import MAX_LETTERS, ChannelState, DeadLetter, Outbox
from susracker.stores.refusals import channel_changed, no_channel
from susracker.stores.sqlite.database import Database
from susracker.stores.sqlite.rows import columns, insert, to_record, to_row

_STATE, _LETTER = columns(ChannelState), columns(DeadLetter)


class SqliteOutbox(Outbox):
    """See `Outbox`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add_channel(self, state: ChannelState) -> ChannelState:
        with self._db.writing() as connection:
            insert(connection, "channels", to_row(state), "ON CONFLICT (name) DO NOTHING")
            row = connection.execute(_one_channel(), (state.name,)).fetchone()
        return to_record(ChannelState, row)

    def put_channel(
        self,
        state: ChannelState,
        *,
        add: Sequence[DeadLetter] = (),
        remove: Collection[int] = (),
    ) -> ChannelState:
        stored = replace(state, revision=state.revision + 1)
        row = to_row(stored)
        sql = f"UPDATE channels SET ({', '.join(row)}) = ({', '.join('?' * len(row))})"
        with self._db.writing() as connection:
            changed = f"{sql} WHERE name = ? AND revision = ?"
            values = (*row.values(), state.name, state.revision)
            if not connection.execute(changed, values).rowcount:
                raise channel_changed(state.name)
            _remove_letters(connection, state.name, remove)
            _add_letters(connection, state.name, add)
        return stored

    def channels(self) -> list[ChannelState]:
        rows = self._db.rows(f"SELECT {_STATE} FROM channels ORDER BY name")
        return [to_record(ChannelState, row) for row in rows]

    def channel(self, name: str) -> ChannelState:
        for row in self._db.rows(_one_channel(), name):
            return to_record(ChannelState, row)
        raise no_channel(name)

    def dead_letters(self, name: str) -> list[DeadLetter]:
        sql = f"SELECT {_LETTER} FROM dead_letters WHERE channel = ? ORDER BY seq"
        return [to_record(DeadLetter, row) for row in self._db.rows(sql, name)]


def _one_channel() -> str:
    return f"SELECT {_STATE} FROM channels WHERE name = ?"


# -- inside a write ------------------------------------------------------------------------------


def _remove_letters(connection: sqlite3.Connection, name: str, seqs: Collection[int]) -> None:
    sql = "DELETE FROM dead_letters WHERE channel = ? AND seq = ?"
    connection.executemany(sql, [(name, seq) for seq in seqs])


def _add_letters(connection: sqlite3.Connection, name: str, letters: Sequence[DeadLetter]) -> None:
    for letter in letters:
        _remove_letters(connection, name, [letter.seq])
        insert(connection, "dead_letters", {"channel": name} | to_row(letter))
    if letters:
        connection.execute(
            "DELETE FROM dead_letters WHERE channel = ?1 AND seq NOT IN (SELECT seq"
            " FROM dead_letters WHERE channel = ?1 ORDER BY seq DESC LIMIT ?2)",
            (name, MAX_LETTERS),
        )
