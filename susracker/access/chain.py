"""The chain of the audit log: what an entry's digest is made of.

Each entry's digest covers all of its fields, among them the digest of the entry before it, so no
entry can be changed, dropped, added or moved without changing every digest after it (Haber and
Stornetta, "How to time-stamp a digital document", 1991). Fields are put together as canonical JSON
(RFC 8785: keys in order, no blanks, UTF-8).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from datetime import datetime, timezone
from typing import Any

from susracker.oversight import AuditEntry, AuditHead


def canonical(values: Mapping[str, Any]) -> bytes:
    """Fields as canonical JSON; moments in UTC, with microseconds."""
    shown = {name: _text(value) for name, value in values.items()}
    text = json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    # A lone surrogate, as in a file name that is not UTF-8, cannot be encoded.
    return text.encode("utf-8", "backslashreplace")


def digest_of(entry: AuditEntry) -> str:
    """SHA-256 of all fields of an entry except its digest, in hexadecimal."""
    values = _values(entry)
    del values["digest"]
    return hashlib.sha256(canonical(values)).hexdigest()


def chained(entry: AuditEntry) -> AuditEntry:
    """An entry with its digest."""
    return replace(entry, digest=digest_of(entry))


def signed_part(head: AuditHead) -> bytes:
    """What the signature of a head covers: all of its other fields."""
    values = _values(head)
    del values["signature"]
    return b"susracker audit head\n" + canonical(values)


def to_fields(record: AuditEntry | AuditHead) -> dict[str, Any]:
    """An entry or a head as JSON shows it."""
    return {name: _text(value) for name, value in _values(record).items()}


def to_moment(text: str) -> datetime:
    """What a moment is in JSON.

    Raises:
        ValueError: the text is not a moment with an offset.
    """
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset from UTC")
    return moment.astimezone(timezone.utc)


def breaks(entries: Iterable[AuditEntry], first: int, anchor: str) -> Iterable[str]:
    """What is wrong with a chain that should begin with entry `first`, after a digest `anchor`."""
    seq, previous = first, anchor
    for entry in entries:
        if entry.seq != seq:
            yield f"entry {seq} is missing: entry {entry.seq} is in its place"
        elif entry.previous != previous:
            yield f"entry {entry.seq} does not follow the entry before it"
        if digest_of(entry) != entry.digest:
            yield f"entry {entry.seq} was changed"
        seq, previous = entry.seq + 1, entry.digest


def _values(record: AuditEntry | AuditHead) -> dict[str, Any]:
    """The fields of a record; `asdict` would copy each value, and take longer than the digest."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def _text(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat(timespec="microseconds")
    return value
