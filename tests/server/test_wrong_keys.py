"""Wrong keys are noted in the audit log, but a flood of them does not load the store."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest
import requests

from susracker.access.audit import Act
from susracker.access.issuing import issue
from susracker.errors import StoreUnavailableError
from susracker.plugins import open_store
from susracker.server.wrong_keys import MAX_ADDRESSES, NOTED_EACH, WrongKeys
from tests.waiting import wait_until


class Log:
    """An audit log, and a clock."""

    def __init__(self) -> None:
        self.acts: list[Act] = []
        self.now = 0.0
        self.is_away = False
        self.wrong_keys = WrongKeys(self.note, lambda: self.now)

    def note(self, act: Act) -> None:
        if self.is_away:
            raise StoreUnavailableError("gone")
        self.acts.append(act)

    def minutes_later(self, minutes: float = 1) -> list[tuple[str, object]]:
        """The addresses and counts that are noted so much later."""
        self.now += minutes * NOTED_EACH
        before = len(self.acts)
        self.wrong_keys.note_if_due()
        return sorted((one.address, (one.detail or {})["count"]) for one in self.acts[before:])


@pytest.fixture
def log() -> Log:
    return Log()


def test_an_address_has_one_entry_a_minute_with_its_count(log):
    for _ in range(5000):
        log.wrong_keys.count("192.0.2.1")
    log.wrong_keys.count("192.0.2.2")
    assert log.minutes_later(0.9) == []
    assert log.minutes_later(0.1) == [("192.0.2.1", 5000), ("192.0.2.2", 1)]
    assert log.minutes_later() == []
    log.wrong_keys.count("192.0.2.1")
    assert log.minutes_later() == [("192.0.2.1", 1)]
    assert {(one.actor, one.role, one.action) for one in log.acts} == {
        ("unknown", "none", "session.refused")
    }


def test_many_addresses_share_an_entry(log):
    for number in range(5000):
        log.wrong_keys.count(f"2001:db8::{number:x}")
    noted = log.minutes_later()
    assert len(noted) == MAX_ADDRESSES + 1
    assert noted[0] == ("", 5000 - MAX_ADDRESSES)


def test_what_cannot_be_noted_is_noted_later(log):
    log.wrong_keys.count("192.0.2.1")
    log.is_away = True
    for _ in range(3):
        assert log.minutes_later() == []
        for number in range(100):
            log.wrong_keys.count(f"2001:db8::{number:x}")
    log.is_away = False
    noted = dict(log.minutes_later())
    assert len(noted) <= MAX_ADDRESSES + 1
    assert noted["192.0.2.1"] == 1
    assert sum(noted.values()) == 301


def test_a_server_notes_wrong_keys_with_their_number(own_site):
    site = own_site(enrolled=False)
    with open_store(site.store_url) as store:
        issue(store, "admin", "Jo", None, None, datetime.now(timezone.utc))
    made_up = "sus_000000000000_made-up"
    # Until the server has read the new key, it asks for none.
    assert wait_until(lambda: site.get("/api/cameras").status_code == 401)
    for _ in range(30):
        header = {"Authorization": f"Bearer {made_up}"}
        assert requests.get(f"{site.url}/api/alerts", headers=header).status_code == 401
        assert site.post("/api/session", json={"key": made_up}).status_code == 401
    site.server.stop()
    with open_store(site.store_url) as store:
        (entry,) = store.audit()
    assert (entry.action, entry.actor, entry.role) == ("session.refused", "unknown", "none")
    assert (entry.address, json.loads(entry.detail)) == ("127.0.0.1", {"count": 60})
    assert "made-up" not in repr(entry)
