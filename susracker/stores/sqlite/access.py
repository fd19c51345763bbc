"""Keys and the audit log, in an SQLite file."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from susracker.errors import DuplicateError
from susracker.oversight import AuditEntry, AuditHead, Key
from susracker.runtime.clock import to_microseconds
from susracker.stores.access import Access, Append, follows
from susracker.stores.refusals import (
    audit_has_grown,
    key_is_taken,
    key_was_revoked,
    no_key,
    other_audit,
    refuse_last_admin,
)
from susracker.stores.sqlite.database import Database
from susracker.stores.sqlite.rows import columns, insert, to_record, to_row

_KEY, _ENTRY, _HEAD = (columns(kind) for kind in (Key, AuditEntry, AuditHead))

SECRET_BYTES = 32


class SqliteAccess(Access):
    """See `Access`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add_key(self, key: Key) -> None:
        try:
            with self._db.writing() as connection:
                insert(connection, "keys", to_row(key))
        except DuplicateError as error:
            raise key_is_taken(key) from error

    def keys(self) -> list[Key]:
        rows = self._db.rows(f"SELECT {_KEY} FROM keys ORDER BY created_at, id")
        return [to_record(Key, row) for row in rows]

    def key(self, key_id: str) -> Key:
        for row in self._db.rows(f"SELECT {_KEY} FROM keys WHERE id = ?", key_id):
            return to_record(Key, row)
        raise no_key(key_id)

    def replace_key_digest(self, key_id: str, digest: str) -> None:
        sql = "UPDATE keys SET digest = ? WHERE id = ? AND revoked_at IS NULL"
        with self._db.writing() as connection:
            replaced = connection.execute(sql, (digest, key_id)).rowcount
        if not replaced:
            raise key_was_revoked(self.key(key_id))

    def revoke_key(self, key_id: str, at: datetime, *, unless_last_admin: bool = False) -> None:
        sql = "UPDATE keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?"
        with self._db.writing() as connection:
            if unless_last_admin:
                keys = connection.execute(f"SELECT {_KEY} FROM keys")
                refuse_last_admin([to_record(Key, row) for row in keys], key_id, at)
            if not connection.execute(sql, (to_microseconds(at), key_id)).rowcount:
                raise no_key(key_id)

    def note_key_used(self, key_id: str, at: datetime) -> None:
        sql = "UPDATE keys SET last_used_at = max(coalesce(last_used_at, 0), ?) WHERE id = ?"
        with self._db.writing() as connection:
            connection.execute(sql, (to_microseconds(at), key_id))

    def secret(self, name: str) -> bytes:
        sql = "SELECT value FROM secrets WHERE name = ?"
        if rows := self._db.rows(sql, name):
            return bytes(rows[0][0])
        made = {"name": name, "value": secrets.token_bytes(SECRET_BYTES)}
        with self._db.writing() as connection:
            insert(connection, "secrets", made, "ON CONFLICT (name) DO NOTHING")
        return bytes(self._db.rows(sql, name)[0][0])

    def append_audit(self, append: Append) -> AuditEntry:
        with self._db.writing() as connection:
            entry, head = append(_head(connection))
            insert(connection, "audit", to_row(entry))
            _put_head(connection, head)
        return entry

    def put_audit(self, entries: Sequence[AuditEntry], head: AuditHead) -> None:
        with self._db.writing() as connection:
            present = _head(connection)
            if present and not follows(entries[0], present):
                raise other_audit(entries[0])
            for entry in entries:
                insert(connection, "audit", to_row(entry))
            _put_head(connection, head)

    def audit(self, after: int = 0, limit: int = 100) -> list[AuditEntry]:
        sql = f"SELECT {_ENTRY} FROM audit WHERE seq > ? ORDER BY seq LIMIT ?"
        rows = self._db.rows(sql, after, max(limit, 0))
        return [to_record(AuditEntry, row) for row in rows]

    def audit_head(self) -> AuditHead | None:
        with self._db.reading() as connection:
            return _head(connection)

    def cut_audit(self, head: AuditHead) -> int:
        with self._db.writing() as connection:
            present = _head(connection)
            if present is None or present.seq != head.seq:
                raise audit_has_grown()
            sql = "DELETE FROM audit WHERE seq < ?"
            removed = connection.execute(sql, (head.first,)).rowcount
            _put_head(connection, head)
        return removed


def _head(connection: sqlite3.Connection) -> AuditHead | None:
    for row in connection.execute(f"SELECT {_HEAD} FROM audit_head"):
        return to_record(AuditHead, row)
    return None


def _put_head(connection: sqlite3.Connection, head: AuditHead) -> None:
    connection.execute("DELETE FROM audit_head")
    insert(connection, "audit_head", to_row(head) | {"only": 1})
