"""The keys and the audit log of a store to another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace

from susracker.errors import InputError, NotFoundError
from susracker.oversight import AuditEntry, AuditHead, Key
from susracker.stores.base import Access
from susracker.stores.rotation import OnStep
from susracker.stores.tally import Tally

PAGE = 1000


def refuse_other_access(source: Access, target: Access) -> None:
    """Keys and entries in the target must be those that an earlier copy left there.

    Raises:
        InputError: they are others.
    """
    ours = {key.id for key in source.keys()}  # noqa: SIM118
    for key in target.keys():  # noqa: SIM118
        if key.id not in ours:
            raise InputError(
                f"the target holds a key of its own, {key.name!r}: name an empty store"
            )
    newest = _newest(target)
    if newest and source.audit(newest.seq - 1, 1) != [newest]:
        raise InputError("the target holds an audit log of its own: name an empty store")


def copy_access(source: Access, target: Access, tally: Tally, on_step: OnStep) -> None:
    """Copy keys and the audit log up to its signed head."""
    keys = source.keys()
    # First those that are revoked: a key that is valid may have the name of one of them.
    for key in sorted(keys, key=lambda key: key.revoked_at is None):
        _copy_key(key, target)
    for key in keys:
        tally.add("keys", asdict(key))
    _copy_audit(source, target, tally, on_step)


def add_access(store: Access, tally: Tally) -> None:
    """Sum up keys and the audit log."""
    for key in store.keys():  # noqa: SIM118
        tally.add("keys", asdict(key))
    head = _signed_head(store)
    if head:
        for entry in _entries(store, head.first - 1, head.seq):
            tally.add("entries", asdict(entry))
        tally.add("heads", asdict(head))


def _copy_key(key: Key, target: Access) -> None:
    try:
        present = target.key(key.id)
    except NotFoundError:
        target.add_key(key)
        return
    if present.digest != key.digest:
        target.replace_key_digest(key.id, key.digest)
    if key.last_used_at:
        target.note_key_used(key.id, key.last_used_at)
    if key.revoked_at:
        target.revoke_key(key.id, key.revoked_at)


def _copy_audit(source: Access, target: Access, tally: Tally, on_step: OnStep) -> None:
    head = _signed_head(source)
    if head is None:
        return
    newest = _newest(target)
    known = newest.seq if newest else 0
    page: list[AuditEntry] = []
    for entry in _entries(source, head.first - 1, head.seq):
        tally.add("entries", asdict(entry))
        if entry.seq > known:
            page.append(entry)
        if len(page) == PAGE or (page and entry.seq == head.seq):
            target.put_audit(page, _head_at(entry, head))
            page = []
            on_step("audit log", entry.seq - head.first + 1, head.seq - head.first + 1)
    # The log may have been cut, or signed again, since an earlier copy.
    if target.audit_head() != head or target.audit(limit=1)[0].seq < head.first:
        target.cut_audit(head)
    tally.add("heads", asdict(head))


def _head_at(entry: AuditEntry, head: AuditHead) -> AuditHead:
    """The head of a log that ends with an entry; not signed if it is not the last one."""
    if entry.seq == head.seq:
        return head
    return replace(head, seq=entry.seq, digest=entry.digest, key_id="", signature="")


def _entries(store: Access, after: int, up_to: int) -> Iterator[AuditEntry]:
    while after < up_to and (page := store.audit(after, min(PAGE, up_to - after))):
        yield from page
        after = page[-1].seq


def _newest(store: Access) -> AuditEntry | None:
    """The last entry, also of a log whose newest entries are not signed yet."""
    head, newest = store.audit_head(), None
    after = head.seq - 1 if head else 0
    while page := store.audit(after, PAGE):
        newest = page[-1]
        after = newest.seq
    return newest


def _signed_head(store: Access) -> AuditHead | None:
    head = store.audit_head()
    if head is None and store.audit(limit=1):
        raise InputError("the audit log has lost its signed head: see susracker audit verify")
    return head
