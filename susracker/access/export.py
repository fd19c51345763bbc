"""An audit log as a file: a line of JSON for each entry, and the signed head as the last line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any, BinaryIO, TypeVar

from susracker.access.chain import to_fields, to_moment
from susracker.errors import InputError
from susracker.oversight import AuditEntry, AuditHead
from susracker.stores.access import Access

PAGE = 1000

Record = TypeVar("Record", AuditEntry, AuditHead)


def all_entries(store: Access, up_to: int | None = None) -> Iterator[AuditEntry]:
    """Every entry of a log, or those up to a `seq`, without holding all of them in memory."""
    after = 0
    while page := store.audit(after, PAGE):
        for entry in page:
            if up_to is not None and entry.seq > up_to:
                return
            yield entry
        after = page[-1].seq


def write_export(store: Access, file: BinaryIO) -> int:
    """Write a log up to its head at this moment. Returns the number of entries."""
    head = store.audit_head()
    count = 0
    for entry in all_entries(store, head.seq if head else None):
        file.write(_line({"entry": to_fields(entry)}))
        count += 1
    file.write(_line({"head": to_fields(head) if head else None}))
    return count


def read_export(lines: Iterable[bytes]) -> Iterator[AuditEntry | AuditHead]:
    """What `write_export` wrote, in the order of the file.

    Raises:
        InputError: a line is neither an entry nor a head.
    """
    for number, line in enumerate(lines, 1):
        try:
            found = json.loads(line)
            if "entry" in found:
                yield _record(AuditEntry, found["entry"])
            elif found["head"] is not None:
                yield _record(AuditHead, found["head"])
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise InputError(f"line {number} is not of an export of the audit log") from error


def _record(kind: type[Record], values: Any) -> Record:
    if not isinstance(values, dict):
        raise TypeError("a record must be an object")
    names = {field.name: str(field.type) for field in fields(kind)}
    if values.keys() != names.keys():
        raise ValueError("the fields are not those of the log")
    for name, value in values.items():
        if not isinstance(value, int if names[name] == "int" else str):
            raise TypeError(f"{name} is of another type")
    return kind(**(values | {"at": to_moment(values["at"])}))


def _line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=True).encode() + b"\n"
