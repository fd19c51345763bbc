"""The audit log: what `verify` finds in a log that someone with the database changed."""

from __future__ import annotations

import io
import json
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pymongo
import pytest

from susracker.access.audit import Act, AuditLog
from susracker.access.chain import chained
from susracker.access.export import all_entries, read_export, write_export
from susracker.access.signing import PublicKey, SigningKey, public_path
from susracker.access.verification import Verified, verify
from susracker.errors import ConfigError, InputError, StoreFormatError
from susracker.oversight import AuditEntry, AuditHead
from susracker.plugins import open_store
from susracker.runtime.clock import to_microseconds
from susracker.stores.base import Store
from susracker.testing.records import MINUTE, NOON
from tests.contracts.conftest import STORES, url_of

ENTRIES = 6


@pytest.fixture(params=STORES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return url_of(request.param, tmp_path, request)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with open_store(url) as opened:
        yield opened


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return SigningKey.load_or_make(tmp_path / "keys" / "audit-key.pem")


@pytest.fixture
def log(store: Store, key: SigningKey) -> AuditLog:
    moments = (NOON + number * MINUTE for number in range(1000))
    return AuditLog(store, key, clock=lambda: next(moments))


def act(action: str = "criminal.show", **fields: Any) -> Act:
    return Act("jo (k1)", "admin", "192.0.2.1", action, **fields)


@pytest.fixture
def filled(log: AuditLog) -> AuditLog:
    for number in range(ENTRIES):
        log.note(act(subject=f"c{number}", reason="bécause", detail={"fields": ["name"]}))
    return log


def verified(store: Store, key: SigningKey) -> Verified:
    return verify(all_entries(store), store.audit_head(), key.public)


class Intruder:
    """Someone with the database, and without the key."""

    def __init__(self, url: str) -> None:
        self.url = url

    def sql(self, statement: str, *values: Any) -> None:
        with closing(sqlite3.connect(self.url.removeprefix("sqlite:///"))) as connection:
            connection.execute(statement, values)
            connection.commit()

    def mongo(self, change: Callable[[Any], object]) -> None:
        client: pymongo.MongoClient[Any] = pymongo.MongoClient(self.url)
        with closing(client):
            change(client[urlsplit(self.url).path.strip("/")])

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    def set(self, seq: int, field: str, value: Any) -> None:
        if self.is_sqlite:
            self.sql(f"UPDATE audit SET {field} = ? WHERE seq = ?", value, seq)
        else:
            self.mongo(
                lambda db: db.susracker_audit.update_one({"_id": seq}, {"$set": {field: value}})
            )

    def delete(self, *seqs: int) -> None:
        for seq in seqs:
            if self.is_sqlite:
                self.sql("DELETE FROM audit WHERE seq = ?", seq)
            else:
                self.mongo(lambda db, seq=seq: db.susracker_audit.delete_one({"_id": seq}))

    def put(self, entry: AuditEntry) -> None:
        """Put an entry in the place of the one with its `seq`."""
        for field in ("actor", "action", "subject", "reason", "detail", "previous", "digest"):
            self.set(entry.seq, field, getattr(entry, field))

    def delete_head(self) -> None:
        if self.is_sqlite:
            self.sql("DELETE FROM audit_head")
        else:
            self.mongo(lambda db: db.susracker_meta.delete_one({"_id": "audit head"}))

    def set_head(self, field: str, value: Any) -> None:
        if self.is_sqlite:
            self.sql(f"UPDATE audit_head SET {field} = ?", value)
        else:
            self.mongo(
                lambda db: db.susracker_meta.update_one(
                    {"_id": "audit head"}, {"$set": {field: value}}
                )
            )


@pytest.fixture
def intruder(url: str) -> Intruder:
    return Intruder(url)


@pytest.mark.usefixtures("filled")
def test_a_log_that_nobody_touched_is_whole(store: Store, key: SigningKey) -> None:
    assert verified(store, key) == Verified([], ENTRIES, 0, ENTRIES)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("at", 0),
        ("actor", "mallory (k9)"),
        ("role", "viewer"),
        ("address", ""),
        ("action", "criminal.list"),
        ("subject", ""),
        ("reason", ""),
        ("detail", "{}"),
        ("previous", "0" * 64),
        ("digest", "0" * 64),
    ],
)
@pytest.mark.parametrize("seq", [1, 3, ENTRIES])
@pytest.mark.usefixtures("filled")
def test_a_changed_entry_is_found(
    store: Store, key: SigningKey, intruder: Intruder, seq: int, field: str, value: Any
) -> None:
    if (seq, field) == (1, "previous"):
        value = "1" * 64
    intruder.set(seq, field, value)
    problems = verified(store, key).problems
    assert any(f"entry {seq}" in problem for problem in problems)


@pytest.mark.parametrize("seqs", [(1,), (3,), (ENTRIES,), (5, 6), tuple(range(1, ENTRIES + 1))])
@pytest.mark.usefixtures("filled")
def test_dropped_entries_are_found(
    store: Store, key: SigningKey, intruder: Intruder, seqs: tuple[int, ...]
) -> None:
    intruder.delete(*seqs)
    assert verified(store, key).problems


@pytest.mark.usefixtures("filled")
def test_entries_that_changed_places_are_found(
    store: Store, key: SigningKey, intruder: Intruder
) -> None:
    second, third = store.audit(after=1, limit=2)
    intruder.put(replace(third, seq=2))
    intruder.put(replace(second, seq=3))
    assert verified(store, key).problems


@pytest.mark.usefixtures("filled")
def test_an_entry_whose_own_digest_was_computed_anew_is_found(
    store: Store, key: SigningKey, intruder: Intruder
) -> None:
    third = store.audit(after=2, limit=1)[0]
    intruder.put(chained(replace(third, actor="somebody else")))
    assert verified(store, key).problems == ["entry 4 does not follow the entry before it"]


@pytest.mark.usefixtures("filled")
def test_a_chain_that_was_computed_anew_is_found_by_the_signature(
    store: Store, key: SigningKey, intruder: Intruder
) -> None:
    previous = forge(store, intruder, store.audit()[1:])
    assert verified(store, key).problems == [f"entry {ENTRIES} is not the one that was signed"]
    intruder.set_head("digest", previous)
    (problem,) = verified(store, key).problems
    assert "not signed by the key" in problem


@pytest.mark.usefixtures("filled")
def test_a_log_that_was_cut_off_with_its_head_is_found(
    store: Store, key: SigningKey, intruder: Intruder
) -> None:
    intruder.delete(5, 6)
    intruder.set_head("seq", 4)
    intruder.set_head("digest", store.audit()[-1].digest)
    (problem,) = verified(store, key).problems
    assert "not signed by the key" in problem
    intruder.delete_head()
    assert verified(store, key).problems == ["the signed head is missing"]


@pytest.mark.usefixtures("filled")
def test_a_beginning_that_was_cut_off_is_found(
    store: Store, key: SigningKey, intruder: Intruder
) -> None:
    third = store.audit(after=2, limit=1)[0]
    intruder.delete(1, 2)
    intruder.set_head("first", 3)
    intruder.set_head("anchor", third.previous)
    assert verified(store, key).problems


def test_what_is_noted_after_a_deletion_does_not_hide_it(
    store: Store, filled: AuditLog, key: SigningKey, intruder: Intruder
) -> None:
    intruder.delete(ENTRIES)
    filled.note(act())
    assert any(f"entry {ENTRIES} is missing" in one for one in verified(store, key).problems)


def forge(store: Store, intruder: Intruder, entries: list[AuditEntry]) -> str:
    """Put entries in the place of others, with digests that fit. Returns the last one."""
    previous = entries[0].previous
    for entry in entries:
        forged = chained(replace(entry, actor="somebody else", previous=previous))
        intruder.put(forged)
        previous = forged.digest
    return previous


def test_nothing_is_signed_on_top_of_a_forged_chain(
    store: Store, filled: AuditLog, key: SigningKey, intruder: Intruder
) -> None:
    intruder.set_head("digest", forge(store, intruder, store.audit()[1:]))
    for log in (filled, AuditLog(store, key)):
        with pytest.raises(StoreFormatError, match="audit verify"):
            log.note(act())
    assert verified(store, key).problems


def test_nothing_is_signed_on_top_of_a_head_without_a_signature(
    store: Store, filled: AuditLog, key: SigningKey, intruder: Intruder
) -> None:
    intruder.set_head("digest", forge(store, intruder, store.audit()[1:]))
    intruder.set_head("signature", "")
    intruder.set_head("key_id", "")
    for log in (filled, AuditLog(store, key)):
        with pytest.raises(StoreFormatError, match="audit verify"):
            log.note(act())


def test_a_program_finds_that_the_log_it_writes_was_rolled_back(
    store: Store, log: AuditLog, key: SigningKey, intruder: Intruder
) -> None:
    log.note(act())
    old = store.audit_head()
    log.note(act())
    assert old
    intruder.delete(2)
    for field in ("seq", "digest", "signature"):
        intruder.set_head(field, getattr(old, field))
    intruder.set_head("at", to_microseconds(old.at))
    assert verified(store, key).problems == []
    with pytest.raises(StoreFormatError, match="lost entries"):
        log.note(act())


@pytest.mark.parametrize("gone", [(1, 2, 3), (2,)])
def test_a_cut_does_not_hide_a_deletion(
    store: Store, filled: AuditLog, intruder: Intruder, gone: tuple[int, ...]
) -> None:
    intruder.delete(*gone)
    with pytest.raises(StoreFormatError, match=f"entry {gone[0]} is missing"):
        filled.cut(NOON + 2 * MINUTE)


def test_old_entries_are_removed_and_the_rest_is_whole(
    store: Store, filled: AuditLog, key: SigningKey
) -> None:
    assert filled.cut(NOON + 3 * MINUTE) == 3
    assert verified(store, key).problems == []
    assert [entry.seq for entry in store.audit()] == [4, 5, 6]
    assert filled.cut(NOON + timedelta(days=9)) == 2
    assert [entry.seq for entry in store.audit()] == [6]
    assert filled.cut(NOON + timedelta(days=9)) == 0
    filled.note(act())
    assert verified(store, key).problems == []


def test_nothing_is_signed_in_place_of_another_key(
    store: Store, filled: AuditLog, key: SigningKey, tmp_path: Path
) -> None:
    other = SigningKey.load_or_make(tmp_path / "other.pem")
    with pytest.raises(ConfigError, match=key.public.id):
        AuditLog(store, other).note(act())
    assert len(store.audit()) == ENTRIES
    AuditLog(store, other).take_over(act("audit.new_key"))
    assert verified(store, other).problems == []
    assert verified(store, key).problems


# -- the key -------------------------------------------------------------------------------------


def test_the_private_key_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "audit-key.pem"
    made = SigningKey.load_or_make(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SigningKey.load_or_make(path).public.id == made.public.id
    assert PublicKey.load(public_path(path)).id == made.public.id
    assert sorted(one.name for one in path.parent.iterdir()) == [
        "audit-key.pem",
        "audit-key.pub.pem",
    ]


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_a_file_that_is_no_key_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "audit-key.pem"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"audit-key\.pem"):
        SigningKey.load_or_make(path)
    assert path.read_bytes() == content
    with pytest.raises(ConfigError):
        PublicKey.load(path)


# -- exports -------------------------------------------------------------------------------------


def export_of(store: Store) -> list[bytes]:
    file = io.BytesIO()
    assert write_export(store, file) == ENTRIES
    return file.getvalue().splitlines(keepends=True)


@pytest.mark.usefixtures("filled")
def test_an_export_holds_the_log(store: Store, key: SigningKey) -> None:
    *entries, head = read_export(export_of(store))
    assert entries == store.audit()
    assert head == store.audit_head()
    assert isinstance(head, AuditHead)
    assert verify(entries, head, key.public).problems == []  # type: ignore[arg-type]


@pytest.mark.usefixtures("filled")
def test_lines_that_are_not_of_an_export_are_refused(store: Store) -> None:
    lines = export_of(store)
    fields = json.loads(lines[0])["entry"]
    for wrong in (
        b"",
        b"{}",
        b"[]",
        b"5",
        b"\xff",
        b"[" * 100_000,
        json.dumps({"entry": fields | {"more": 1}}).encode(),
        json.dumps({"entry": fields | {"seq": "1"}}).encode(),
        json.dumps({"entry": fields | {"at": "yesterday"}}).encode(),
        json.dumps({"entry": {"seq": 1}}).encode(),
        b'{"entry": null, "head": {}}',
        b'{"head": []}',
    ):
        with pytest.raises(InputError, match="line 2"):
            list(read_export([lines[0], wrong]))


def test_moments_are_exact(store: Store, key: SigningKey) -> None:
    exact = datetime.fromisoformat("2026-01-31T23:59:59.123457+02:00")
    entry = AuditLog(store, key, clock=lambda: exact).note(act())
    assert store.audit() == [entry]
    assert verified(store, key).problems == []
