"""The audit log: who did what, in a chain whose end is signed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from typing_extensions import Self

from susracker.access.chain import chained
from susracker.access.signing import SigningKey
from susracker.errors import ConfigError
from susracker.oversight import AuditEntry, AuditHead
from susracker.stores.access import NOTHING_BEFORE, Access

MAX_REASON = 500
"""Characters of a reason that are kept."""


SYSTEM: Mapping[str, str] = {"actor": "susracker", "role": "system", "address": ""}
"""The server itself, when it acts without being asked, such as in a purge."""


@dataclass(frozen=True, slots=True)
class Act:
    """What is to be noted.

    Attributes:
        actor, role, address, action, subject, reason: as in `AuditEntry`.
        detail: becomes `AuditEntry.detail`.
    """

    actor: str
    role: str
    address: str
    action: str
    subject: str = ""
    reason: str = ""
    detail: Mapping[str, object] | None = None


class AuditLog:
    """Appends entries to the log of a store, and signs its head each time.

    Every method may be called from any thread.
    """

    def __init__(
        self,
        store: Access,
        key: SigningKey,
        clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._store = store
        self._key = key
        self._clock = clock

    @classmethod
    def open(cls, store: Access, key_file: str) -> Self:
        """The log of a store, signed with the key in a file, which is made if there is none.

        Raises:
            ConfigError: the file cannot be read or made, is not a key, or another key has signed.
        """
        log = cls(store, SigningKey.load_or_make(Path(key_file).expanduser()))
        log._checked(store.audit_head())
        return log

    def note(self, act: Act) -> AuditEntry:
        """Add an entry; it is durable when this returns.

        Raises:
            StoreUnavailableError: nothing was noted.
            ConfigError: the log is signed by another key.
        """
        return self._store.append_audit(lambda head: self._next(self._checked(head), act))

    def take_over(self, act: Act) -> AuditEntry:
        """Add an entry, and sign with this key from now on, whichever key signed before."""
        return self._store.append_audit(lambda head: self._next(head, act))

    def cut(self, before: datetime) -> int:
        """Remove the entries from before a moment, except the last one, and sign what is left.

        Returns:
            how many were removed.

        Raises:
            ConflictError: an entry was added meanwhile: try again.
            ConfigError: the log is signed by another key.
        """
        head = self._checked(self._store.audit_head())
        if head is None:
            return 0
        first = self._first_since(before, head)
        if first is None or first.seq == head.first:
            return 0
        shorter = replace(head, first=first.seq, anchor=first.previous, at=self._clock())
        return self._store.cut_audit(self._key.sign(shorter))

    def _first_since(self, before: datetime, head: AuditHead) -> AuditEntry | None:
        """The oldest entry that is to stay: entries are in the order of their times, or nearly."""
        after = head.first - 1
        while page := self._store.audit(after):
            for entry in page:
                if entry.at >= before or entry.seq == head.seq:
                    return entry
            after = page[-1].seq
        return None

    def _checked(self, head: AuditHead | None) -> AuditHead | None:
        """Raises ConfigError where another key signed."""
        # A head without a signature is one whose last entries are not signed yet.
        if head and head.key_id and head.key_id != self._key.public.id:
            raise ConfigError(
                f"the audit log is signed by another key, {head.key_id}: copy its file from the "
                "machine that made it, and name it with --audit-key; if it is lost: susracker "
                "audit new-key"
            )
        return head

    def _next(self, head: AuditHead | None, act: Act) -> tuple[AuditEntry, AuditHead]:
        at = self._clock()
        entry = chained(
            AuditEntry(
                seq=head.seq + 1 if head else 1,
                at=at,
                actor=act.actor,
                role=act.role,
                address=act.address,
                action=act.action,
                subject=act.subject,
                reason=act.reason[:MAX_REASON],
                detail=json.dumps(act.detail or {}, sort_keys=True),
                previous=head.digest if head else NOTHING_BEFORE,
                digest="",
            )
        )
        begins = (head.first, head.anchor) if head else (1, NOTHING_BEFORE)
        end = AuditHead(*begins, seq=entry.seq, digest=entry.digest, at=at, key_id="", signature="")
        return entry, self._key.sign(end)
