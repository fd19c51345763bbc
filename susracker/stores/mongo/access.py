"""Keys and the audit log, in MongoDB."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from pymongo import errors

from susracker.oversight import AuditEntry, AuditHead, Key
from susracker.runtime.clock import to_microseconds
from susracker.stores.access import NOTHING_BEFORE, Access, Append, follows
from susracker.stores.mongo.database import Database, again_while_taken
from susracker.stores.mongo.documents import Document, to_document, to_record, unique_key
from susracker.stores.refusals import (
    audit_has_grown,
    key_is_taken,
    key_was_revoked,
    no_key,
    other_audit,
    refuse_last_admin,
)

HEAD = "audit head"
REVOCATION = "revocation"
"""The last key that was revoked unless it was the last admin's, and how many were before it. From
then on it counts as revoked, although its own document may not say so yet."""

NO_KEY: Document = {"count": 0, "key_id": "", "at": 0}
"""Before the first of them."""

SECRET_BYTES = 32


class MongoAccess(Access):
    """See `Access`."""

    def __init__(self, database: Database) -> None:
        self._db = database
        with database.errors_mapped():
            self._finish_revocation()
            if head := self.audit_head():
                self._remove_before(head)  # a cut that was interrupted

    def add_key(self, key: Key) -> None:
        holder = key.name if key.revoked_at is None else unique_key()
        document = {"_id": key.id, "holder": holder} | to_document(key)
        with self._db.errors_mapped():
            self._finish_revocation()  # its name is free again
            try:
                self._db.keys.insert_one(document)
            except errors.DuplicateKeyError as error:
                raise key_is_taken(key) from error

    def keys(self) -> list[Key]:
        return sorted(self._keys({}), key=lambda key: (key.created_at, key.id))

    def key(self, key_id: str) -> Key:
        for found in self._keys({"_id": key_id}):
            return found
        raise no_key(key_id)

    def replace_key_digest(self, key_id: str, digest: str) -> None:
        valid = {"_id": key_id, "revoked_at": None}
        with self._db.errors_mapped():
            self._finish_revocation()
            replaced = self._db.keys.update_one(valid, {"$set": {"digest": digest}}).matched_count
        if not replaced:
            raise key_was_revoked(self.key(key_id))

    def revoke_key(self, key_id: str, at: datetime, *, unless_last_admin: bool = False) -> None:
        self.key(key_id)
        with self._db.errors_mapped():
            if unless_last_admin:
                self._decide_to_revoke(key_id, at)
            else:
                self._finish_revocation()  # it may be of this key: the earlier time stays
            self._revoke(key_id, to_microseconds(at))

    def note_key_used(self, key_id: str, at: datetime) -> None:
        with self._db.errors_mapped():
            self._db.keys.update_one(
                {"_id": key_id}, {"$max": {"last_used_at": to_microseconds(at)}}
            )

    def secret(self, name: str) -> bytes:
        with self._db.errors_mapped():
            made = {"$setOnInsert": {"value": secrets.token_bytes(SECRET_BYTES)}}
            with suppress(errors.DuplicateKeyError):  # another process was faster
                self._db.meta.update_one({"_id": f"secret {name}"}, made, upsert=True)
            found = self._db.meta.find_one({"_id": f"secret {name}"})
        return bytes((found or {})["value"])

    def append_audit(self, append: Append) -> AuditEntry:
        def insert_next() -> tuple[AuditEntry, AuditHead]:
            entry, head = append(self._end())
            self._db.audit.insert_one({"_id": entry.seq} | to_document(entry))
            return entry, head

        with self._db.turn, self._db.errors_mapped():
            entry, head = again_while_taken(insert_next, lambda: None)
            self._put_head(head)
        return entry

    def put_audit(self, entries: Sequence[AuditEntry], head: AuditHead) -> None:
        with self._db.turn, self._db.errors_mapped():
            present = self._end()
            if present and not follows(entries[0], present):
                raise other_audit(entries[0])
            # In order: what an interruption leaves is a log that ends earlier.
            self._db.audit.insert_many([{"_id": one.seq} | to_document(one) for one in entries])
            self._db.meta.update_one({"_id": HEAD}, {"$set": to_document(head)}, upsert=True)

    def audit(self, after: int = 0, limit: int = 100) -> list[AuditEntry]:
        if limit <= 0:
            return []
        with self._db.errors_mapped():
            found = self._db.audit.find({"_id": {"$gt": after}}).sort("_id", 1).limit(limit)
            return [to_record(AuditEntry, one) for one in found]

    def audit_head(self) -> AuditHead | None:
        for found in self._db.read(self._db.meta, {"_id": HEAD}):
            return to_record(AuditHead, found)
        return None

    def _keys(self, what: Document) -> list[Key]:
        """Keys, as they are once all that was decided is done."""
        # Read before the keys: what it no longer says by then, they say themselves.
        last = self._last_revocation()
        revoked = {"revoked_at": last["at"]}
        return [
            to_record(Key, one | revoked if _is_to_be_revoked(one, last) else one)
            for one in self._db.read(self._db.keys, what)
        ]

    def _decide_to_revoke(self, key_id: str, at: datetime) -> None:
        """Write down that a key is revoked next. Of those who have seen the same keys, one does so;
        the others look again."""
        with suppress(errors.DuplicateKeyError):  # another process was faster
            first = {"$setOnInsert": NO_KEY}
            self._db.meta.update_one({"_id": REVOCATION}, first, upsert=True)
        this = {"$set": {"key_id": key_id, "at": to_microseconds(at)}, "$inc": {"count": 1}}
        is_decided = False
        while not is_decided:
            last = self._finish_revocation()
            refuse_last_admin(self.keys(), key_id, at)
            unchanged = {"_id": REVOCATION, "count": last["count"]}
            is_decided = bool(self._db.meta.update_one(unchanged, this).matched_count)

    def _finish_revocation(self) -> Document:
        """Do what was decided last: it may be about to be done, or its process was interrupted."""
        last = self._last_revocation()
        self._revoke(last["key_id"], last["at"])
        return last

    def _last_revocation(self) -> Document:
        return next(iter(self._db.read(self._db.meta, {"_id": REVOCATION})), NO_KEY)

    def _revoke(self, key_id: str, at: int) -> None:
        revoked = {"revoked_at": at, "holder": unique_key()}
        self._db.keys.update_one({"_id": key_id, "revoked_at": None}, {"$set": revoked})

    def _end(self) -> AuditHead | None:
        """The head as of the last entry: another process may have added some, or been killed,
        before it signed."""
        head = self.audit_head()
        after = {"_id": {"$gt": head.seq}} if head else {}
        newest = self._db.audit.find_one(after, sort=[("_id", -1)])
        if newest is None:
            return head
        entry = to_record(AuditEntry, newest)
        first, anchor = (head.first, head.anchor) if head else (1, NOTHING_BEFORE)
        return AuditHead(first, anchor, entry.seq, entry.digest, entry.at, "", "")

    def _put_head(self, head: AuditHead) -> None:
        """Replace the head by a newer one. If the log was cut meanwhile, its head stays until the
        next entry: the signature would be of a beginning that is gone."""
        older = {"_id": HEAD, "seq": {"$lt": head.seq}, "first": head.first}
        with suppress(errors.DuplicateKeyError):
            self._db.meta.update_one(older, {"$set": to_document(head)}, upsert=True)

    def cut_audit(self, head: AuditHead) -> int:
        with self._db.turn, self._db.errors_mapped():
            same = {"_id": HEAD, "seq": head.seq}
            if not self._db.meta.update_one(same, {"$set": to_document(head)}).matched_count:
                raise audit_has_grown()
            return self._remove_before(head)

    def _remove_before(self, head: AuditHead) -> int:
        return int(self._db.audit.delete_many({"_id": {"$lt": head.first}}).deleted_count)


def _is_to_be_revoked(key: Document, last: Document) -> bool:
    return key["revoked_at"] is None and key["_id"] == last["key_id"]
