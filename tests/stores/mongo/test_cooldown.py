"""How MongoDB holds back repeated alerts without transactions."""

from __future__ import annotations

import re
from unittest.mock import patch

import pymongo
import pytest

from susracker.errors import NotFoundError, RecentAlertError
from susracker.plugins import open_store
from susracker.stores.mongo.documents import REMOVING
from susracker.testing.records import MINUTE, NOON, activity, criminal, face_alert, sighting


@pytest.fixture
def store(store):
    for who in ("c1", "c2"):
        store.put_criminal(criminal(who))
    return store


@pytest.fixture
def other(store, url):
    """The same store, as another server has it open."""
    with open_store(url) as opened:
        yield opened


@pytest.fixture
def outcomes(store, url):
    """The collection, by plain pymongo."""
    with pymongo.MongoClient(url) as client:
        yield client.get_default_database()["susracker_outcomes"]


def alert_of_both(store):
    seen = [sighting("c1"), sighting("c2")]
    return store.record(seen, [face_alert("c1"), face_alert("c2")], cooldown=MINUTE)


def repeat(store, who="c2"):
    return store.record([sighting(who)], [face_alert(who)], cooldown=MINUTE)


def names(outcomes):
    """Everyone who is named in what cameras saw, wherever."""
    return set(re.findall(r"\bc[12]\b", str(outcomes.find_one()).replace("\\x1f", " ")))


def test_what_another_server_stores_after_the_look_is_found_by_the_next(store, other):
    look = store._newest_like

    def look_first(alert):
        found = look(alert)
        if not other.alerts():
            other.record([], [activity(occurred_at=NOON)], cooldown=MINUTE)
        return found

    with patch.object(store, "_newest_like", look_first), pytest.raises(RecentAlertError) as error:
        store.record([], [activity()], cooldown=MINUTE)
    assert [one.id for one in error.value.recent.values()] == [other.alerts()[0].id]
    assert len(store.alerts()) == 1


def test_something_else_stored_after_the_look_costs_another_look_only(store, other):
    look, looks = store._newest_like, []

    def look_first(alert):
        found = look(alert)
        looks.append(found)
        if len(looks) == 1:
            other.record([], [activity(camera_id="cam-2")], cooldown=MINUTE)
        return found

    with patch.object(store, "_newest_like", look_first):
        (stored,) = store.record([], [activity()], cooldown=MINUTE)
    assert looks == [None, None]
    assert [one.id for one in other.alerts()][1:] == [stored.id]


def test_an_alert_that_is_about_to_be_taken_back_holds_nothing_back(store, other):
    """The other person in the picture was removed before it was stored."""
    store.remove_criminal("c1")
    with patch.object(store, "_settle"):
        alert_of_both(store)
    with pytest.raises(NotFoundError):
        repeat(other)
    store._settle()
    (stored,) = repeat(other)
    assert store.alerts() == [stored]
    assert len(store.sightings("c2")) == 1


def test_an_alert_that_is_taken_back_during_the_look_holds_nothing_back(store, other):
    store.remove_criminal("c1")
    with patch.object(store, "_settle"):
        alert_of_both(store)
    look = other._newest_like

    def settle_after(alert):
        found = look(alert)
        store._settle()
        return found

    with patch.object(other, "_newest_like", settle_after), pytest.raises(NotFoundError):
        repeat(other)
    assert len(repeat(other)) == 1


def test_an_alert_of_which_a_removal_leaves_the_rest_holds_back(store, other, outcomes, url):
    """It was answered, so it stands, even if the removal has not come to it yet."""
    alert_of_both(store)
    with pymongo.MongoClient(url) as client:
        people = client.get_default_database()["criminals"]
        people.update_one({"_id": "c1"}, {"$set": {REMOVING: True}})
    with pytest.raises(NotFoundError, match="c1"):
        repeat(other)
    with pytest.raises(RecentAlertError):
        repeat(other)
    removed, kept = store.alerts()
    assert (removed.name, removed.face, kept.face) == (None, None, face_alert().face)
    assert names(outcomes) == {"c2"}


def test_nothing_is_left_of_who_is_erased(store, outcomes):
    alert_of_both(store)
    assert names(outcomes) == {"c1", "c2"}
    store.remove_criminal("c1")
    assert names(outcomes) == {"c2"}


def test_alerts_of_earlier_formats_hold_back(store, outcomes, url):
    alert_of_both(store)
    store.record([], [activity(event_type="Violence")])
    written = {"cooldown_keys": ["activity\x1fViolence\x1fcam-1"]}
    assert outcomes.update_many({"sighted": []}, {"$set": written}).modified_count == 1
    outcomes.update_many({"sighted": {"$ne": []}}, {"$unset": {"cooldown_keys": ""}})
    with pymongo.MongoClient(url) as client:
        meta = client.get_default_database()["susracker_meta"]
        meta.update_one({"_id": "format"}, {"$set": {"value": 3}})
    with open_store(url) as migrated:
        with pytest.raises(RecentAlertError):
            repeat(migrated)
        with pytest.raises(RecentAlertError):
            migrated.record([], [activity(event_type="violence")], cooldown=MINUTE)
