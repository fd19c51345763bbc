"""What is kept for long enough is forgotten, in batches, by a server and by a command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from click.testing import CliRunner

from susracker.access.audit import Act, AuditLog
from susracker.access.signing import SigningKey
from susracker.access.verification import verify
from susracker.cli import main
from susracker.errors import StoreUnavailableError
from susracker.loading import make_settings
from susracker.oversight import Hold
from susracker.plugins import open_store
from susracker.retention import purge as purging
from susracker.retention.purge import EVERY, HourlyPurge, Purge, unlimited
from susracker.runtime.periodic import Periodic
from susracker.server.tail import Tail
from susracker.stores.base import Store
from susracker.testing.records import activity, criminal, enroll, face_alert, sighting

DAY = timedelta(days=1)
NOW = datetime.now(timezone.utc)
KEPT = {"keep_alerts_days": 31, "keep_sightings_days": 7, "keep_expired_days": 3}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'site.db'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with open_store(url) as opened:
        enroll(opened, "c1")
        yield opened


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return SigningKey.load_or_make(tmp_path / "audit.key")


def make(store: Store, key: SigningKey, **settings: float) -> Purge:
    return Purge(store, make_settings(settings), AuditLog(store, key), pause=lambda seconds: None)


def fill(store: Store, count: int = 3) -> None:
    for days in (60, 1):
        seen = [sighting(received_at=NOW - days * DAY) for _ in range(count)]
        store.record(seen, [face_alert(received_at=NOW - days * DAY) for _ in range(count)])


def total(purge: Purge) -> dict[str, int]:
    found: dict[str, int] = {}
    for kind, size in purge.batches(NOW):
        found[kind] = found.get(kind, 0) + size
    return found


def test_without_a_limit_everything_is_kept(store, key):
    fill(store)
    assert total(make(store, key)) == make(store, key).count(NOW) == {}
    assert len(unlimited(make_settings({}))) == 6
    assert "keep_alerts_days" not in unlimited(make_settings(KEPT))


def test_each_kind_has_its_own_limit(store, key):
    fill(store)
    purge = make(store, key, **KEPT)
    assert purge.count(NOW) == {"alerts": 3, "sightings": 3, "expired people": 0}
    assert total(purge) == {"alerts": 3, "sightings": 3}
    assert (len(store.alerts()), len(store.sightings("c1"))) == (3, 3)
    assert total(purge) == {}


def test_batches_are_small_and_others_have_time_in_between(store, key, monkeypatch):
    monkeypatch.setattr(purging, "BATCH", 2)
    fill(store, 5)
    pauses: list[float] = []
    settings = make_settings({"keep_alerts_days": 31})
    purge = Purge(store, settings, AuditLog(store, key), pauses.append)
    assert list(purge.batches(NOW)) == [("alerts", 2), ("alerts", 2), ("alerts", 1)]
    assert len(pauses) == 3


def test_people_are_removed_some_days_after_they_expired(store, key):
    for name, days in (("long ago", 4), ("lately", 2)):
        store.put_criminal(criminal(name, name=name, expires_at=NOW - days * DAY))
    store.put_criminal(criminal("held", name="Held", expires_at=NOW - 9 * DAY))
    (alert,) = store.record([], [face_alert("held")])
    store.hold_alert(Hold(alert.id, "court", "Jo (k1)", NOW))
    purge = make(store, key, **KEPT)
    assert purge.count(NOW)["expired people"] == 1
    assert total(purge) == {"expired people": 1}
    assert {one.id for one in store.criminals()} == {"c1", "lately", "held"}


def test_the_audit_log_is_cut_and_still_verifies(store, key):
    moments = iter([NOW - 60 * DAY, NOW - 59 * DAY, NOW - DAY, NOW])
    log = AuditLog(store, key, lambda: next(moments))
    for number in range(3):
        log.note(Act("os:jo", "local", "", f"act {number}"))
    purge = Purge(store, make_settings({"keep_audit_days": 31}), log, lambda seconds: None)
    assert purge.count(NOW) == total(purge) == {"audit": 2}
    assert [one.action for one in store.audit()] == ["act 2"]
    head = store.audit_head()
    assert head is not None
    assert verify(store.audit(), head, key.public).problems == []


# -- a server ------------------------------------------------------------------------------------


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


def test_a_server_purges_at_once_and_then_every_hour(store, key):
    clock = Clock()
    hourly = HourlyPurge(make(store, key, **KEPT), clock)
    fill(store)
    hourly()
    assert len(store.alerts()) == 3
    fill(store)
    clock.now += EVERY - timedelta(seconds=1)
    hourly()
    assert len(store.alerts()) == 9
    clock.now += timedelta(seconds=1)
    hourly()
    assert len(store.alerts()) == 6


def test_a_purge_that_takes_long_goes_on_with_the_next_call(store, key, monkeypatch):
    monkeypatch.setattr(purging, "SLICE", -1.0)
    monkeypatch.setattr(purging, "BATCH", 2)
    fill(store, 5)
    hourly = HourlyPurge(make(store, key, keep_alerts_days=31), Clock())
    left = []
    for _ in range(4):
        hourly()
        left.append(len(store.alerts()))
    assert left == [8, 6, 5, 5]


def test_a_purge_that_fails_is_a_warning_and_is_tried_again(store, key, monkeypatch):
    fill(store)
    hourly = HourlyPurge(make(store, key, **KEPT), Clock())

    def fail(kind, before, limit):
        raise StoreUnavailableError("the disk is full")

    periodic = Periodic("forgetting what is old", 3600, hourly)
    with monkeypatch.context() as broken:
        broken.setattr(store, "forget", fail)
        periodic._call()
        assert periodic.problem == "the disk is full"
    periodic._call()
    assert periodic.problem is None
    assert len(store.alerts()) == 3
    periodic.close()


def test_what_is_forgotten_is_not_sent_to_those_who_catch_up(store):
    fill(store)
    tail = Tail(store)
    assert len(tail.after(0)) == 6
    store.forget("faces", NOW - 31 * DAY, 100)
    assert [one.face is None for one in tail.after(0)] == [True] * 3 + [False] * 3
    store.forget("alerts", NOW - 31 * DAY, 100)
    assert len(tail.after(0)) == 3


# -- the command ---------------------------------------------------------------------------------


@pytest.fixture
def run(url, tmp_path):
    def call(*args: str, typed: str | None = None, status: int = 0) -> str:
        flags = ["--store", url, "--audit-key", str(tmp_path / "audit.key")]
        result = CliRunner().invoke(main, [*args, *flags], input=typed)
        assert result.exit_code == status, result.output
        return result.output

    return call


LIMITS = ("--keep-alerts-days", "31", "--keep-sightings-days", "31")


def test_a_dry_run_only_counts(store, run):
    fill(store)
    table = run("purge", "--dry-run", *LIMITS)
    for name in ("keep_alerts_days", "keep_sightings_days"):
        (line,) = (line for line in table.splitlines() if name in line)
        assert line.split("│")[2].strip() == "31 days"
        assert line.split("│")[4].strip() == "3"
    assert json.loads(run("purge", "--dry-run", "--json", *LIMITS)) == {
        "due": {"alerts": 3, "sightings": 3},
        "forgotten": {},
    }
    assert len(store.alerts()) == 6


def test_a_purge_asks_unless_told_not_to(store, run):
    fill(store)
    run("purge", *LIMITS, typed="n\n", status=1)
    assert len(store.alerts()) == 6
    assert "forgot 6 records" in run("purge", *LIMITS, "--yes")
    assert len(store.alerts()) == 3
    assert [one.action for one in store.audit()] == ["purge"]
    assert "forgot 0 records" in run("purge", *LIMITS)


def test_an_alert_is_held_and_released(store, url, tmp_path):
    (alert,) = store.record([], [activity(received_at=NOW - 60 * DAY)])
    flags = ["--store", url, "--audit-key", str(tmp_path / "audit.key")]

    def call(*args: str) -> int:
        return CliRunner().invoke(main, ["alerts", *args, *flags]).exit_code

    assert call("hold", alert.id, "--reason", " court ") == 0
    assert [(one.alert_id, one.reason) for one in store.holds()] == [(alert.id, "court")]
    assert call("release", alert.id) == 0
    assert store.holds() == []
    assert [one.action for one in store.audit()] == ["alert.hold", "alert.release"]


def test_a_server_notes_whom_it_removes_and_how_much_it_forgets(store, key):
    fill(store)
    store.put_criminal(criminal("c9", expires_at=NOW - 9 * DAY))
    HourlyPurge(make(store, key, **KEPT), lambda: NOW)()
    noted = [(one.action, one.subject, one.reason) for one in store.audit()]
    assert noted == [("criminal.remove", "c9", "expired over 3 days ago"), ("purge", "", "")]
    assert json.loads(store.audit()[1].detail) == {"alerts": 3, "sightings": 3, "expired people": 1}
    assert {(one.actor, one.role, one.address) for one in store.audit()} == {
        ("susracker", "system", "")
    }


def test_what_a_server_forgot_is_noted_once_the_log_can_be_written(store, key, monkeypatch):
    fill(store)
    hourly = HourlyPurge(make(store, key, keep_alerts_days=31), lambda: NOW)

    def full(append: object) -> None:
        raise StoreUnavailableError("full")

    with monkeypatch.context() as broken:
        broken.setattr(store, "append_audit", full)
        with pytest.raises(StoreUnavailableError):
            hourly()
    assert store.audit() == []
    hourly()
    hourly()
    assert [json.loads(one.detail) for one in store.audit()] == [{"alerts": 3}]


def test_a_cut_of_the_log_makes_no_entry_that_would_have_to_be_cut(store, key):
    log = AuditLog(store, key, clock=lambda: NOW - 9 * DAY)
    for _ in range(3):
        log.note(Act("jo (k1)", "admin", "", "criminal.list"))
    HourlyPurge(make(store, key, keep_audit_days=1), lambda: NOW)()
    assert [one.seq for one in store.audit()] == [3]
