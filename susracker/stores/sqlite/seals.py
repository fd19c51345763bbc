"""Which data key an SQLite file is encrypted with."""

from __future__ import annotations

import sqlite3
from functools import partial

from susracker.stores.sealing import Sealer
from susracker.stores.seals import Seals, admitted, another_key_meanwhile


def read_seals(connection: sqlite3.Connection) -> Seals:
    """What the file says about its data key."""
    for present, before in connection.execute("SELECT present, before FROM seals"):
        return Seals(present, before)
    return Seals()


def put_seals(connection: sqlite3.Connection, seals: Seals) -> None:
    """Replace that."""
    connection.execute(
        "INSERT OR REPLACE INTO seals VALUES (1, ?, ?)", (seals.present, seals.before)
    )


def admit(connection: sqlite3.Connection, sealer: Sealer) -> Seals:
    """What an opened file says about its data key; an empty one is encrypted from now on.

    Raises:
        ConfigError: the data key is missing or wrong.
    """
    seals = read_seals(connection)
    holds_content = partial(_holds_content, connection)
    if admitted(seals, holds_content, sealer):
        return seals
    connection.execute("BEGIN IMMEDIATE")
    try:
        seals = read_seals(connection)
        if not admitted(seals, holds_content, sealer):
            seals = Seals(sealer.check())
            put_seals(connection, seals)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    return seals


def check_seals(connection: sqlite3.Connection, expected: Seals) -> None:
    """Refuse to write with a data key that another process has replaced.

    Raises:
        StoreUnavailableError: it has.
    """
    if read_seals(connection) != expected:
        raise another_key_meanwhile()


def _holds_content(connection: sqlite3.Connection) -> bool:
    sql = (
        "SELECT EXISTS (SELECT * FROM photos) OR EXISTS (SELECT * FROM templates)"
        " OR EXISTS (SELECT * FROM alerts WHERE face IS NOT NULL)"
    )
    return bool(connection.execute(sql).fetchone()[0])
