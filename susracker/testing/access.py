"""What every store of keys and of the audit log must do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from susracker.errors import ConflictError, NotFoundError
from susracker.oversight import AuditEntry, AuditHead, Key
from susracker.plugins import open_store
from susracker.stores.access import NOTHING_BEFORE, Access
from susracker.stores.base import Store
from susracker.testing.race import THREADS, race
from susracker.testing.records import MINUTE, NOON


def key(key_id: str = "k1", name: str = "gate", **fields: object) -> Key:
    made = Key(id=key_id, name=name, role="camera", digest="d" * 64, created_at=NOON)
    return replace(made, **fields)  # type: ignore[arg-type]


def next_entry(head: AuditHead | None) -> tuple[AuditEntry, AuditHead]:
    """The next entry and head; what is stored need not be a real chain."""
    seq = head.seq + 1 if head else 1
    previous = head.digest if head else NOTHING_BEFORE
    entry = AuditEntry(
        seq, NOON + seq * MINUTE, "jo (k1)", "admin", "::1", "criminal.show", "c1", "because",
        '{"a": "é"}', previous, f"{seq:064}",
    )  # fmt: skip
    first, anchor = (head.first, head.anchor) if head else (1, NOTHING_BEFORE)
    return entry, AuditHead(first, anchor, seq, entry.digest, entry.at, "f1", f"signature {seq}")


# -- keys ----------------------------------------------------------------------------------------


def test_a_key_comes_back_as_stored(store: Access) -> None:
    full = key(
        cameras="gate-*",
        expires_at=NOON + MINUTE,
        revoked_at=NOON + 2 * MINUTE,
        last_used_at=NOON + 3 * MINUTE,
    )
    store.add_key(full)
    assert store.key("k1") == full
    assert store.keys() == [full]


def test_keys_are_in_the_order_in_which_they_were_made(store: Access) -> None:
    assert store.keys() == []
    for key_id, minutes in (("k3", 1), ("k2", 0), ("k1", 1)):
        store.add_key(key(key_id, key_id, created_at=NOON + minutes * MINUTE))
    assert [one.id for one in store.keys()] == ["k2", "k1", "k3"]  # noqa: SIM118


def test_the_name_of_a_valid_key_is_taken(store: Access) -> None:
    store.add_key(key("k1"))
    with pytest.raises(ConflictError, match="gate"):
        store.add_key(key("k2"))
    assert [one.id for one in store.keys()] == ["k1"]  # noqa: SIM118
    store.revoke_key("k1", NOON)
    store.add_key(key("k2"))
    store.revoke_key("k2", NOON)
    store.add_key(key("k3"))


def test_an_id_is_taken_for_ever(store: Access) -> None:
    store.add_key(key("k1"))
    store.revoke_key("k1", NOON)
    with pytest.raises(ConflictError):
        store.add_key(key("k1", "other"))


def test_of_several_keys_with_one_name_at_once_one_is_stored(store: Access) -> None:
    results = race(lambda number: store.add_key(key(f"k{number}")))
    assert sum(isinstance(one, ConflictError) for one in results) == THREADS - 1
    assert len(store.keys()) == 1


def test_a_revoked_key_stays_revoked_since_the_first_time(store: Access) -> None:
    store.add_key(key())
    store.revoke_key("k1", NOON + MINUTE)
    store.revoke_key("k1", NOON + 2 * MINUTE)
    assert store.key("k1").revoked_at == NOON + MINUTE


def test_the_last_admins_key_is_revoked_only_where_that_is_meant(store: Access) -> None:
    store.add_key(key("a1", "Jo", role="admin"))
    store.add_key(key("a2", "Ann", role="admin", expires_at=NOON))
    store.add_key(key("a3", "Bob", role="admin", revoked_at=NOON))
    store.add_key(key("k1"))
    with pytest.raises(ConflictError, match="the last admin's key"):
        store.revoke_key("a1", NOON, unless_last_admin=True)
    assert store.key("a1").revoked_at is None
    store.revoke_key("k1", NOON, unless_last_admin=True)
    store.add_key(key("k2"))
    store.revoke_key("a2", NOON, unless_last_admin=True)
    store.revoke_key("a1", NOON)
    assert [one.id for one in store.keys() if one.revoked_at is None] == ["k2"]  # noqa: SIM118


def test_of_admins_who_revoke_each_others_keys_at_once_one_stays(store: Access, url: str) -> None:
    """Through two openings, as two servers do."""
    with open_store(url) as other:
        for attempt in range(4):
            ids = [f"a{attempt}-{number}" for number in range(THREADS)]
            for key_id in ids:
                store.add_key(key(key_id, key_id, role="admin"))

            def revoke(number: int, ids: list[str] = ids) -> None:
                by = (store, other)[number % 2]
                by.revoke_key(ids[number], NOON, unless_last_admin=True)

            assert sum(isinstance(one, ConflictError) for one in race(revoke)) == 1
            (left,) = [one for one in store.keys() if one.revoked_at is None]  # noqa: SIM118
            store.revoke_key(left.id, NOON)


def test_another_secret_replaces_the_one_before(store: Access) -> None:
    store.add_key(key())
    store.replace_key_digest("k1", "e" * 64)
    assert store.key("k1") == key(digest="e" * 64)
    store.revoke_key("k1", NOON)
    with pytest.raises(ConflictError, match="revoked"):
        store.replace_key_digest("k1", "f" * 64)
    assert store.key("k1").digest == "e" * 64


def test_the_last_use_moves_forward_only(store: Access) -> None:
    store.add_key(key())
    for minutes in (2, 1):
        store.note_key_used("k1", NOON + minutes * MINUTE)
    assert store.key("k1").last_used_at == NOON + 2 * MINUTE
    store.note_key_used("unknown", NOON)


def test_an_unknown_key_is_not_found(store: Access) -> None:
    for use in (
        lambda: store.key("unknown"),
        lambda: store.revoke_key("unknown", NOON),
        lambda: store.replace_key_digest("unknown", "e" * 64),
    ):
        with pytest.raises(NotFoundError):
            use()


def test_a_secret_is_the_same_for_all_and_others_have_other_names(store: Access, url: str) -> None:
    made = race(lambda number: store.secret("sessions"))
    assert len(set(made)) == 1
    assert len(made[0]) == 32
    with open_store(url) as other:
        assert other.secret("sessions") == made[0]
        assert other.secret("another") != made[0]


# -- audit ---------------------------------------------------------------------------------------


def test_entries_come_back_as_stored_in_order(store: Access) -> None:
    assert store.audit() == []
    assert store.audit_head() is None
    entries = [store.append_audit(next_entry) for _ in range(5)]
    assert [one.seq for one in entries] == [1, 2, 3, 4, 5]
    assert store.audit() == entries
    assert store.audit(after=2, limit=2) == entries[2:4]
    assert store.audit(limit=0) == []
    head = store.audit_head()
    assert head is not None
    assert (head.seq, head.digest, head.at) == (5, entries[-1].digest, entries[-1].at)
    assert (head.key_id, head.signature) == ("f1", "signature 5")


def test_many_writers_leave_no_gap(url: str) -> None:
    with open_store(url) as one, open_store(url) as other:
        race(lambda number: [(one, other)[number % 2].append_audit(next_entry) for _ in range(4)])
        entries = one.audit(limit=1000)
        assert [entry.seq for entry in entries] == list(range(1, 4 * THREADS + 1))
        assert [entry.previous for entry in entries[1:]] == [entry.digest for entry in entries[:-1]]
        head = other.audit_head()
    assert head is not None
    assert head.seq == 4 * THREADS


def test_an_error_while_an_entry_is_made_leaves_nothing(store: Access) -> None:
    def fails(head: AuditHead | None) -> tuple[AuditEntry, AuditHead]:
        raise ConflictError("no")

    store.append_audit(next_entry)
    with pytest.raises(ConflictError, match="no"):
        store.append_audit(fails)
    assert len(store.audit()) == 1


def test_entries_of_another_log_continue_this_one(store: Access) -> None:
    entries, heads, head = [], [], None
    for _ in range(5):
        entry, head = next_entry(head)
        entries.append(entry)
        heads.append(head)
    cut = replace(heads[4], first=2, anchor=entries[0].digest)
    store.put_audit(entries[1:3], replace(cut, seq=3, digest=entries[2].digest, signature=""))
    for wrong in (entries[1], entries[4], replace(entries[3], previous="f" * 64)):
        with pytest.raises(ConflictError, match=f"entry {wrong.seq} does not follow"):
            store.put_audit([wrong], heads[4])
    store.put_audit(entries[3:], cut)
    assert store.audit() == entries[1:]
    assert store.audit_head() == cut
    assert store.append_audit(next_entry).seq == 6


def test_a_cut_removes_the_oldest_entries(store: Access) -> None:
    entries = [store.append_audit(next_entry) for _ in range(5)]
    head = store.audit_head()
    assert head is not None
    shorter = replace(head, first=4, anchor=entries[2].digest, signature="again")
    assert store.cut_audit(shorter) == 3
    assert store.audit() == entries[3:]
    assert store.audit_head() == shorter
    assert store.append_audit(next_entry).seq == 6
    assert (store.audit_head() or head).first == 4


def test_a_cut_is_refused_where_the_log_has_grown(store: Access) -> None:
    for _ in range(3):
        store.append_audit(next_entry)
    head = store.audit_head()
    assert head is not None
    store.append_audit(next_entry)
    with pytest.raises(ConflictError):
        store.cut_audit(replace(head, first=2))
    assert len(store.audit()) == 4


def test_what_was_noted_is_there_after_reopening(url: str) -> None:
    with open_store(url) as store:
        store.add_key(key())
        entry = store.append_audit(next_entry)
    with open_store(url) as store:
        assert isinstance(store, Store)
        assert store.keys() == [key()]
        assert store.audit() == [entry]
