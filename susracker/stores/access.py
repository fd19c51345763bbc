"""What a store of keys and of the audit log must do, whatever keeps the data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime

from susracker.oversight import AuditEntry, AuditHead, Key

Append = Callable[[AuditHead | None], tuple[AuditEntry, AuditHead]]
"""Makes the next entry of the audit log and its new head, from the head at that moment."""


NOTHING_BEFORE = "0" * 64
"""`AuditEntry.previous` of the first entry."""


class Access(ABC):
    """Who may do what, and who did what: API keys, and the audit log.

    Threads, durability and errors are as in `Gallery`.
    """

    # -- keys --------------------------------------------------------------------------------

    @abstractmethod
    def add_key(self, key: Key) -> None:
        """Store a new key.

        Raises:
            ConflictError: a key that is not revoked has that name, or any key has that id.
        """

    @abstractmethod
    def keys(self) -> list[Key]:
        """All keys, revoked ones too, by the time at which they were made, and then by id."""

    @abstractmethod
    def key(self, key_id: str) -> Key:
        """The key with that id."""

    @abstractmethod
    def replace_key_digest(self, key_id: str, digest: str) -> None:
        """Give a key another secret; the one before is refused from now on.

        Raises:
            ConflictError: the key was revoked.
        """

    @abstractmethod
    def revoke_key(self, key_id: str, at: datetime, *, unless_last_admin: bool = False) -> None:
        """Refuse a key from now on. Of a key that was revoked before, the earlier time stays.

        Args:
            unless_last_admin: refuse to revoke an admin's key if no other one is valid at `at`. The
                look-up and the write are one step: of admins who revoke each other's keys at once,
                one keeps theirs. A key that is revoked without this, or expires, is not waited for.

        Raises:
            ConflictError: it is the last admin's key.
        """

    @abstractmethod
    def note_key_used(self, key_id: str, at: datetime) -> None:
        """Move a key's `last_used_at` forward; no error if there is no such key."""

    @abstractmethod
    def secret(self, name: str) -> bytes:
        """32 random bytes, made when a name is first asked for, and the same for every process
        that shares the store from then on."""

    # -- audit -------------------------------------------------------------------------------

    @abstractmethod
    def append_audit(self, append: Append) -> AuditEntry:
        """Add the entry that `append` makes to the end of the audit log.

        `append` is called with the head of the log, or None while the log is empty, and may be
        called again if another process was faster. The entry's `seq` follows the last one's.

        Returns:
            the entry that was stored.
        """

    @abstractmethod
    def put_audit(self, entries: Sequence[AuditEntry], head: AuditHead) -> None:
        """Add entries of another log, with the `seq` that they have there, and store `head`, which
        is that of the last of them. A log without entries may begin with any entry.

        Raises:
            ConflictError: the first entry does not follow the end of this log.
        """

    @abstractmethod
    def audit(self, after: int = 0, limit: int = 100) -> list[AuditEntry]:
        """Entries whose `seq` is greater than `after`, in order of `seq`, at most `limit`."""

    @abstractmethod
    def audit_head(self) -> AuditHead | None:
        """The signed end of the log; None while the log is empty."""

    @abstractmethod
    def cut_audit(self, head: AuditHead) -> int:
        """Remove the entries before `head.first`, and store `head` in place of the one that ends
        at the same `seq`. Returns how many entries were removed.

        Raises:
            ConflictError: the log has grown beyond `head.seq`.
        """


def follows(entry: AuditEntry, head: AuditHead) -> bool:
    """Whether an entry is the next one of a log."""
    return (entry.seq, entry.previous) == (head.seq + 1, head.digest)
