"""Alerts that are held between the look for holds and the removal of whom they name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from susracker.access.audit import AuditLog
from susracker.access.signing import SigningKey
from susracker.errors import HeldError
from susracker.loading import make_settings
from susracker.models import Alert
from susracker.oversight import Hold
from susracker.plugins import open_store
from susracker.retention import erasure, holds, purge
from susracker.stores.base import Store
from susracker.testing.records import enroll, face_alert, judgement

NOON = datetime(2026, 5, 4, 12, tzinfo=timezone.utc)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'site.db'}") as opened:
        enroll(opened, "c1", expires_at=NOON - timedelta(days=9))
        yield opened


@pytest.fixture
def alert(store: Store) -> Alert:
    (stored,) = store.record([], [face_alert("c1")])
    return stored


def followed_by_a_hold(read: Callable[..., Any], alert: Alert) -> Callable[..., Any]:
    """Look for holds, and hold an alert right after that."""

    def read_and_hold(store: Store, *args: object) -> Any:
        found = read(store, *args)
        store.hold_alert(Hold(alert.id, "court", "Jo (k1)", NOON))
        return found

    return read_and_hold


def test_an_erasure_is_refused(store, alert, monkeypatch):
    late = followed_by_a_hold(holds.refuse_if_held, alert)
    monkeypatch.setattr(erasure, "refuse_if_held", late)
    said = store.add_judgement(judgement(alert.id, note="again"), "unsure", 0)
    with pytest.raises(HeldError, match=alert.id):
        erasure.erase(store, store.criminal("c1"))
    assert store.alert(alert.id).face == alert.face
    assert store.judgements([alert.id]) == [said]


def test_an_erasure_despite_holds_ends_those_too(store, alert, monkeypatch):
    late = followed_by_a_hold(erasure.traces_of, alert)
    monkeypatch.setattr(erasure, "traces_of", late)
    assert erasure.erase(store, store.criminal("c1"), despite_holds=True).holds == 1
    assert store.criminals() == store.holds() == []
    assert store.alert(alert.id).face is None


def test_an_erasure_waits_for_a_hold_that_is_not_readable_yet(store, alert, monkeypatch):
    """A replica set refuses the removal before the majority of its servers has the hold."""
    pauses: list[float] = []

    def read(*args: Any) -> list[Hold]:
        return holds.held_about(*args) if len(pauses) == 2 else []

    store.hold_alert(Hold(alert.id, "court", "Jo (k1)", NOON))
    monkeypatch.setattr(erasure, "held_about", read)
    erased = erasure.erase(store, store.criminal("c1"), despite_holds=True, pause=pauses.append)
    assert erased.holds == 1
    assert pauses == [erasure.PAUSE] * 2
    assert store.criminals() == []


def test_an_erasure_waits_for_it_only_so_long(store, alert, monkeypatch):
    pauses: list[float] = []
    store.hold_alert(Hold(alert.id, "court", "Jo (k1)", NOON))
    monkeypatch.setattr(erasure, "held_about", lambda *args: [])
    with pytest.raises(HeldError, match="erase them again"):
        erasure.erase(store, store.criminal("c1"), despite_holds=True, pause=pauses.append)
    assert pauses == [erasure.PAUSE] * erasure.ATTEMPTS
    assert store.alert(alert.id).face == alert.face


def test_an_erasure_does_not_end_the_same_hold_for_ever(store, alert, monkeypatch):
    remove = store.remove_criminal

    def hold_and_remove(*args: Any, **options: Any) -> None:
        store.hold_alert(Hold(alert.id, "court", "Jo (k1)", NOON))
        remove(*args, **options)

    monkeypatch.setattr(store, "remove_criminal", hold_and_remove)
    with pytest.raises(HeldError, match=f"{erasure.ATTEMPTS} holds were ended"):
        erasure.erase(store, store.criminal("c1"), despite_holds=True)
    assert store.criminal("c1").id == "c1"


def test_whoever_expired_stays(store, alert, monkeypatch, tmp_path):
    monkeypatch.setattr(purge, "held_about", followed_by_a_hold(holds.held_about, alert))
    log = AuditLog(store, SigningKey.load_or_make(tmp_path / "audit.key"))
    purging = purge.Purge(store, make_settings({"keep_expired_days": 3}), log, lambda seconds: None)
    assert list(purging.batches(NOON)) == []
    assert store.alerts() == [alert]
