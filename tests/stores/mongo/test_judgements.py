"""Judgements in MongoDB, where a judgement and the status of its alert are two documents."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from types import MethodType

import pymongo
import pytest

from susracker.plugins import open_store
from susracker.stores.journal import AlertFilter
from susracker.testing.records import MINUTE, NOON, activity, criminal, face_alert, judgement
from susracker.testing.records import sighting as seen


@pytest.fixture
def dying(url):
    """A process that dies as soon as a judgement is stored."""
    with open_store(url) as opened:
        opened._settle_judgements = MethodType(lambda _: set(), opened)
        yield opened


@pytest.fixture
def panel(url):
    with pymongo.MongoClient(url, tz_aware=True) as client:
        yield client.get_default_database()["criminals"]


def test_a_process_that_dies_leaves_no_alert_without_its_status(store, dying):
    alert, other = store.record([], [activity(), activity()])
    dying.add_judgement(judgement(alert.id), "dismissed", 0)
    for one in (store, dying):
        assert one.alert(alert.id).status == "dismissed"
        assert [alert.status for alert in one.alerts()] == ["dismissed", "new"]
    store.add_judgement(judgement(other.id), "unsure", 0)
    assert [one.id for one in store.alerts(wanted=AlertFilter(status="dismissed"))] == [alert.id]
    assert store._db.read(store._db.judgements, {"settled": False}) == []


def test_what_follows_from_a_judgement_is_done_by_whoever_starts(store, dying, url):
    store.put_criminal(criminal())
    (alert,) = store.record([], [face_alert(camera_location="Gate 9")])
    dying.add_judgement(judgement(alert.id), "confirmed", 0)
    assert store.criminal("c1").last_seen_location is None
    with open_store(url):
        assert store.criminal("c1").last_seen_location == "Gate 9"


def test_alerts_are_found_by_a_status_that_is_not_copied_to_them_yet(store, dying):
    first, second, third = (store.record([], [activity()])[0] for _ in range(3))
    dying.add_judgement(judgement(first.id), "dismissed", 0)
    (found,) = store.alerts(wanted=AlertFilter(status="dismissed"))
    assert found.id == first.id
    # A page is full although the first that is stored as new is passed over.
    assert store.alerts(limit=2, wanted=AlertFilter(status="new")) == [second, third]


def test_the_work_of_a_process_that_is_late_is_not_done_over_a_newer_judgement(store, dying):
    (alert,) = store.record([], [activity()])
    first = dying.add_judgement(judgement(alert.id), "confirmed", 0)
    (late,) = store._db.read(store._db.judgements, {"settled": False})
    store.add_judgement(judgement(alert.id), "dismissed", first.seq)
    dying._settle_judgement(late)
    assert store.alert(alert.id).status == "dismissed"


def test_a_confirmed_alert_moves_what_a_panel_shows(store, panel):
    store.put_criminal(criminal())
    (alert,) = store.record([], [face_alert(camera_location="Gate 9")])
    store.add_judgement(judgement(alert.id), "confirmed", 0)
    shown = panel.find_one({"_id": "c1"})
    assert shown["last_seen_date"] == NOON.replace(microsecond=123_000)
    assert shown["last_seen_location"] == "Gate 9"


def test_what_a_panel_shows_never_moves_back(store, panel):
    store.put_criminal(criminal())
    (alert,) = store.record([], [face_alert(camera_location="Gate 9")])
    store.record([seen(occurred_at=NOON + MINUTE)], [])
    store.add_judgement(judgement(alert.id), "confirmed", 0)
    shown = panel.find_one({"_id": "c1"})
    assert shown["last_seen_date"] > NOON
    assert shown["last_seen_location"] == "Main gate"


def test_sightings_that_were_held_back_do_not_keep_the_panel_from_moving(store, panel):
    """They move our own `last_seen_at`, and not what a panel shows."""
    store.put_criminal(criminal())
    (alert,) = store.record([], [face_alert(camera_location="Gate 9")])
    store.record([seen(occurred_at=NOON + MINUTE, suppressed=True)], [])
    store.add_judgement(judgement(alert.id), "confirmed", 0)
    assert panel.find_one({"_id": "c1"})["last_seen_location"] == "Gate 9"
    assert store.criminal("c1").last_seen_at == NOON + MINUTE
    assert store.criminal("c1").last_seen_location == "Main gate"


def test_a_date_that_a_panel_wrote_itself_is_respected(store, panel):
    store.put_criminal(criminal())
    later = datetime(2026, 12, 24, tzinfo=timezone.utc)
    panel.update_one({"_id": "c1"}, {"$set": {"last_seen_date": later}})
    (alert,) = store.record([], [face_alert(occurred_at=later - timedelta(days=1))])
    store.add_judgement(judgement(alert.id), "confirmed", 0)
    assert panel.find_one({"_id": "c1"})["last_seen_date"] == later
