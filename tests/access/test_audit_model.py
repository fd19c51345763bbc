"""The audit log against a plain list: two openings take turns, and an intruder has the database."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pymongo
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from susracker.access.audit import Act, AuditLog
from susracker.access.export import all_entries
from susracker.access.signing import SigningKey
from susracker.access.verification import verify
from susracker.errors import ConfigError
from susracker.oversight import AuditEntry
from susracker.plugins import open_store
from susracker.stores.base import Store
from susracker.testing.records import MINUTE, NOON
from tests.access.test_audit import Intruder
from tests.contracts.conftest import PLAIN, url_of
from tests.state_machines import machine_settings

OPENINGS = KEYS = st.integers(0, 1)
SUBJECTS = st.sampled_from(["", "c1", "c2"])
REASONS = st.sampled_from(["", "bécause", "half \ud800", '{"a": "b"}', "x" * 600])
PLACES = st.integers(0, 50)
FIELDS = ("actor", "role", "address", "action", "subject", "reason", "detail", "previous", "digest")


class Burglar(Intruder):
    """An intruder who can also put back what was taken."""

    def take(self, seq: int) -> Any:
        """Remove an entry; returns what `put_back` takes."""
        if self.is_sqlite:
            with closing(sqlite3.connect(self.url.removeprefix("sqlite:///"))) as connection:
                row = connection.execute("SELECT * FROM audit WHERE seq = ?", (seq,)).fetchone()
        else:
            client: pymongo.MongoClient[Any] = pymongo.MongoClient(self.url)
            with closing(client):
                row = client[urlsplit(self.url).path.strip("/")].susracker_audit.find_one(seq)
        self.delete(seq)
        return row

    def put_back(self, row: Any) -> None:
        if self.is_sqlite:
            self.sql(f"INSERT INTO audit VALUES ({', '.join('?' * len(row))})", *row)
        else:
            self.mongo(lambda db: db.susracker_audit.insert_one(row))


class AuditMachine(RuleBasedStateMachine):
    """Every rule does to a list what it does to the log."""

    new_url: Callable[[], str]
    key_files: list[Path]
    signing: list[SigningKey]

    def __init__(self) -> None:
        super().__init__()
        self.url = self.new_url()
        self.burglar = Burglar(self.url)
        self.now = NOON
        self.entries: list[AuditEntry] = []
        self.noted = 0
        self.signed_with: int | None = None
        self.keys = [0, 0]
        self.stores: list[Store] = [open_store(self.url), open_store(self.url)]
        self.logs = [self.log_of(0), self.log_of(1)]

    def teardown(self) -> None:
        for store in self.stores:
            store.close()

    def clock(self) -> datetime:
        self.now += MINUTE
        return self.now

    def log_of(self, by: int) -> AuditLog:
        log = AuditLog.open(self.stores[by], str(self.key_files[self.keys[by]]))
        log._clock = self.clock
        return log

    def fits(self, by: int) -> bool:
        """Whether an opening has the key that the log is signed with."""
        return self.signed_with in (None, self.keys[by])

    def added(self, entry: AuditEntry, act: Act, by: int) -> None:
        self.noted += 1
        before = self.entries[-1].digest if self.entries else "0" * 64
        assert (entry.seq, entry.previous, entry.at) == (self.noted, before, self.now)
        reason = act.reason.replace("\ud800", "\\ud800")[:500]
        assert (entry.actor, entry.subject, entry.reason) == (act.actor, act.subject, reason)
        self.entries.append(entry)
        self.signed_with = self.keys[by]

    @rule(by=OPENINGS, subject=SUBJECTS, reason=REASONS)
    def note(self, by: int, subject: str, reason: str) -> None:
        act = Act("jo (k1)", "admin", "::1", "criminal.show", subject, reason)
        if self.fits(by):
            self.added(self.logs[by].note(act), act, by)
            return
        with pytest.raises(ConfigError, match="another key"):
            self.logs[by].note(act)

    @rule(by=OPENINGS, minutes=st.integers(-1, 12))
    def cut(self, by: int, minutes: int) -> None:
        """Cut off what is older than some minutes, which are as many entries."""
        before = self.now - minutes * timedelta(minutes=1)
        if not self.fits(by):
            with pytest.raises(ConfigError, match="another key"):
                self.logs[by].cut(before)
            return
        kept = [one for one in self.entries if one.at >= before] or self.entries[-1:]
        assert self.logs[by].cut(before) == len(self.entries) - len(kept)
        self.entries = kept

    @rule(by=OPENINGS)
    def reopen(self, by: int) -> None:
        """Open the store again; a key that does not fit is refused, and then exchanged."""
        self.stores[by].close()
        self.stores[by] = open_store(self.url)
        if not self.fits(by):
            with pytest.raises(ConfigError, match="another key"):
                self.log_of(by)
            assert self.signed_with is not None
            self.keys[by] = self.signed_with
        self.logs[by] = self.log_of(by)

    @rule(by=OPENINGS, key=KEYS)
    def take_over(self, by: int, key: int) -> None:
        self.keys[by] = key
        act = Act("os:root", "local", "", "audit.new_key")
        self.logs[by] = AuditLog(self.stores[by], self.signing[key], self.clock)
        self.added(self.logs[by].take_over(act), act, by)

    # -- someone with the database, and without the key ----------------------------------------

    @precondition(lambda self: self.entries)
    @rule(place=PLACES, field=st.sampled_from(FIELDS))
    def change_an_entry(self, place: int, field: str) -> None:
        entry = self.at(place)
        value = getattr(entry, field)
        self.burglar.set(entry.seq, field, value + "x")
        assert self.problems()
        self.burglar.set(entry.seq, field, value)

    @precondition(lambda self: self.entries)
    @rule(place=PLACES)
    def take_an_entry(self, place: int) -> None:
        row = self.burglar.take(self.at(place).seq)
        assert self.problems()
        self.burglar.put_back(row)

    @precondition(lambda self: self.entries)
    @rule(field=st.sampled_from(["first", "seq"]), change=st.sampled_from([-1, 1]))
    def move_an_end(self, field: str, change: int) -> None:
        """Have the signed head begin or end elsewhere."""
        value = self.entries[0 if field == "first" else -1].seq
        self.burglar.set_head(field, value + change)
        assert self.problems()
        self.burglar.set_head(field, value)

    def at(self, place: int) -> AuditEntry:
        return self.entries[place % len(self.entries)]

    def problems(self) -> list[str]:
        store = self.stores[0]
        public = self.signing[self.signed_with or 0].public
        return verify(all_entries(store), store.audit_head(), public).problems

    @invariant()
    def the_log_is_the_list_and_whole(self) -> None:
        for store in self.stores:
            head = store.audit_head()
            entries = list(all_entries(store))
            assert entries == self.entries
            if head is None or self.signed_with is None:
                assert (head, entries, self.signed_with) == (None, [], None)
                continue
            assert (head.first, head.seq) == (entries[0].seq, entries[-1].seq)
            assert not self.signing[1 - self.signed_with].public.has_signed(head)
        assert verify(entries, head, self.signing[self.signed_with or 0].public).problems == []


@pytest.mark.parametrize("backend", PLAIN)
@pytest.mark.timeout(0)
def test_as_the_model(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    url_of(backend, tmp_path, request)  # starts its server
    files = [tmp_path / f"key{number}.pem" for number in range(2)]
    signing = [SigningKey.load_or_make(file) for file in files]

    def new_url() -> str:
        return url_of(backend, tmp_path / uuid.uuid4().hex, request)

    members = {"new_url": staticmethod(new_url), "key_files": files, "signing": signing}
    machine = type("Machine", (AuditMachine,), members)
    steps = machine_settings()
    if backend == "mongodb":
        # FerretDB answers slowly.
        steps = settings(steps, max_examples=max(1, steps.max_examples // 4))
    run_state_machine_as_test(machine, settings=steps)
