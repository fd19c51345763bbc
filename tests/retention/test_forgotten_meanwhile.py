"""Alerts that are forgotten while someone looks at whom they name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from susracker.oversight import Hold
from susracker.plugins import open_store
from susracker.retention.erasure import traces_of
from susracker.retention.holds import refuse_if_shown
from susracker.stores.base import Store
from susracker.testing.records import enroll, face_alert

NOON = datetime(2026, 5, 4, 12, tzinfo=timezone.utc)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'site.db'}") as opened:
        enroll(opened, "c1")
        yield opened


def forgetting(store: Store, read: Callable[..., Any]) -> Callable[..., Any]:
    """Read, and lose all alerts right after that."""

    def read_and_forget(*args: object) -> Any:
        found = read(*args)
        store.forget("alerts", NOON + timedelta(days=1), 10)
        return found

    return read_and_forget


def test_the_traces_of_a_person_do_not_need_every_alert(store, monkeypatch):
    (alert,) = store.record([], [face_alert(received_at=NOON)])
    monkeypatch.setattr(store, "alerts_naming", forgetting(store, store.alerts_naming))
    traces = traces_of(store, "c1")
    assert (traces.alerts, traces.seen_at) == ((alert.id,), ())


def test_a_photo_is_not_held_by_an_alert_that_is_gone(store, monkeypatch):
    (photo_id,) = store.photo_ids("c1")
    (alert,) = store.record([], [face_alert(received_at=NOON, photo_id=photo_id)])
    store.hold_alert(Hold(alert.id, "court", "Jo (k1)", NOON))

    def holds() -> list[Hold]:
        found = read()
        store.release_alert(alert.id)
        return found

    read = store.holds
    monkeypatch.setattr(store, "holds", forgetting(store, holds))
    refuse_if_shown(store, photo_id)
