"""Whether an audit log is whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from susracker.access.chain import breaks
from susracker.access.signing import PublicKey
from susracker.oversight import AuditEntry, AuditHead


@dataclass(slots=True)
class Verified:
    """What `verify` found.

    Attributes:
        problems: what is wrong, a line each; empty if the log is whole.
        entries: how many entries there are.
        last_seq: `seq` of the last entry.
        unsigned: how many of them follow the signed head: MongoDB's newest after a crash. They are
            chained, and the next entry's signature covers them.
    """

    problems: list[str]
    entries: int = 0
    unsigned: int = 0
    last_seq: int = 0


def verify(
    entries: Iterable[AuditEntry], head: AuditHead | None, public_key: PublicKey
) -> Verified:
    """Check that nothing was changed, dropped, added, moved or cut off since it was signed."""
    found = Verified([])
    if head is None:
        found.entries = sum(1 for _ in entries)
        if found.entries:
            found.problems.append("the signed head is missing")
        return found
    if not public_key.has_signed(head):
        found.problems.append(
            f"the head is not signed by the key {public_key.id}, or was changed after it was signed"
        )
    found.problems += breaks(_counted(entries, head, found), head.first, head.anchor)
    if found.last_seq < head.seq:
        found.problems.append(f"the log does not reach entry {head.seq}, which was signed")
    return found


def _counted(
    entries: Iterable[AuditEntry], head: AuditHead, found: Verified
) -> Iterator[AuditEntry]:
    for entry in entries:
        found.entries += 1
        found.last_seq = entry.seq
        found.unsigned += entry.seq > head.seq
        if entry.seq == head.seq and entry.digest != head.digest:
            found.problems.append(f"entry {entry.seq} is not the one that was signed")
        yield entry
