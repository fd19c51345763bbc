"""The audit log: who did what, in a chain whose end is signed."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from typing_extensions import Self

from susracker.access.chain import breaks, chained
from susracker.access.signing import PublicKey, SigningKey
from susracker.errors import ConfigError, StoreFormatError
from susracker.oversight import AuditEntry, AuditHead
from susracker.runtime.clock import Clock, utc_now
from susracker.stores.access import NOTHING_BEFORE, Access

MAX_REASON = 500
"""Characters of a reason that are kept."""

MAX_UNSIGNED = 100
"""Entries that may follow the signed head. Each process signs what it added at once, so there are
few: those of processes that are just adding some, or were killed before they signed."""


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

    A signature vouches for all entries before it, so nothing is signed on top of a log that
    someone without the key has changed: it would hide the change.

    Every method may be called from any thread.
    """

    def __init__(
        self,
        store: Access,
        key: SigningKey,
        clock: Clock = utc_now,
    ) -> None:
        self._store = store
        self._key = key
        self._clock = clock
        self._last: AuditHead | None = None
        self._lock = threading.Lock()

    @classmethod
    def open(cls, store: Access, key_file: str) -> Self:
        """The log of a store, signed with the key in a file, which is made if there is none.

        Raises:
            ConfigError: the file cannot be read or made, is not a key, or another key has signed.
            StoreFormatError: the log was changed.
        """
        log = cls(store, SigningKey.load_or_make(Path(key_file)))
        log._signed(store.audit_head())
        return log

    @property
    def public_key(self) -> PublicKey:
        """What the signatures of this log are checked with."""
        return self._key.public

    def derive(self, purpose: bytes) -> bytes:
        """As `SigningKey.derive`."""
        return self._key.derive(purpose)

    def note(self, act: Act) -> AuditEntry:
        """Add an entry; it is durable when this returns.

        Raises:
            StoreUnavailableError: nothing was noted.
            StoreFormatError: the log was changed since it was signed, or rolled back.
            ConfigError: the log is signed by another key.
        """
        ends: list[AuditHead] = []

        def append(head: AuditHead | None) -> tuple[AuditEntry, AuditHead]:
            entry, end = self._next(self._checked(head), act)
            ends.append(end)
            return entry, end

        entry = self._store.append_audit(append)
        self._remember(ends[-1])
        return entry

    def take_over(self, act: Act) -> AuditEntry:
        """Add an entry, and sign with this key from now on, whichever key signed before."""
        return self._store.append_audit(lambda head: self._next(head, act))

    def cut(self, before: datetime) -> int:
        """Remove the entries from before a moment, except the last one, and sign what is left.

        Returns:
            how many were removed.

        Raises:
            ConflictError: an entry was added meanwhile: try again.
            StoreFormatError: what is to be removed was changed.
            ConfigError: the log is signed by another key.
        """
        head = self._signed(self._store.audit_head())
        if head is None:
            return 0
        first = self._first_since(before, head)
        if first is None or first.seq == head.first:
            return 0
        shorter = replace(head, first=first.seq, anchor=first.previous, at=self._clock())
        return self._store.cut_audit(self._key.sign(shorter))

    def _first_since(self, before: datetime, head: AuditHead) -> AuditEntry | None:
        """The oldest entry that is to stay: entries are in the order of their times, or nearly."""
        seq, anchor = head.first, head.anchor
        while page := self._store.audit(seq - 1):
            for number, entry in enumerate(page, 1):
                if entry.at >= before or entry.seq == head.seq:
                    _refuse_broken(page[:number], seq, anchor)
                    return entry
            _refuse_broken(page, seq, anchor)
            seq, anchor = page[-1].seq + 1, page[-1].digest
        return None

    def _checked(self, head: AuditHead | None) -> AuditHead | None:
        """The end of the log, if an entry may follow it."""
        if head is None or head.signature:
            self._signed(head)
        else:
            self._refuse_other_tail(head)
        last = self._last
        if last and (head is None or head.seq < last.seq or _other(last, head.seq, head.digest)):
            raise _changed("it has lost entries that this program has seen")
        return head

    def _signed(self, head: AuditHead | None) -> AuditHead | None:
        """Raises an error where a head is not of this key."""
        if head is None or head == self._last:
            return head
        if head.key_id and head.key_id != self._key.public.id:
            raise ConfigError(
                f"the audit log is signed by another key, {head.key_id}: copy its file from the "
                "machine that made it, and name it with --audit-key; if it is lost: susracker "
                "audit new-key"
            )
        if not self._key.public.has_signed(head):
            raise _changed("its end is not the one that was signed")
        return head

    def _refuse_other_tail(self, end: AuditHead) -> None:
        """Entries that are not signed yet must follow those that are."""
        signed = self._signed(self._store.audit_head())
        seq, anchor = (signed.seq + 1, signed.digest) if signed else (1, NOTHING_BEFORE)
        if end.seq - seq >= MAX_UNSIGNED:
            raise _changed("its end is not signed")
        known = [one for one in self._store.audit(seq - 2, MAX_UNSIGNED + 1) if one.seq <= end.seq]
        _refuse_broken([one for one in known if one.seq >= seq], seq, anchor)
        if any(_other(head, one.seq, one.digest) for head in (signed, self._last) for one in known):
            raise _changed("its end is not the one that was signed")

    def _remember(self, head: AuditHead) -> None:
        with self._lock:
            if self._last is None or self._last.seq < head.seq:
                self._last = head

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
                reason=_storable(act.reason)[:MAX_REASON],
                detail=json.dumps(act.detail or {}, sort_keys=True),
                previous=head.digest if head else NOTHING_BEFORE,
                digest="",
            )
        )
        begins = (head.first, head.anchor) if head else (1, NOTHING_BEFORE)
        end = AuditHead(*begins, seq=entry.seq, digest=entry.digest, at=at, key_id="", signature="")
        return entry, self._key.sign(end)


def _other(known: AuditHead | None, seq: int, digest: str) -> bool:
    """Whether an entry stands in the place of one that is known."""
    return known is not None and known.seq == seq and known.digest != digest


def _refuse_broken(entries: list[AuditEntry], first: int, anchor: str) -> None:
    for problem in breaks(entries, first, anchor):
        raise _changed(problem)


def _changed(problem: str) -> StoreFormatError:
    return StoreFormatError(
        f"someone without its key has changed the audit log: {problem}: keep a copy of the "
        "database, see susracker audit verify, and go on with susracker audit new-key --reason "
        "REASON"
    )


def _storable(text: str) -> str:
    """A text whose halves of characters, which no store takes, are written out."""
    return text.encode("utf-8", "backslashreplace").decode()
