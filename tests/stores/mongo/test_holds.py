"""A hold and a removal in MongoDB, step by step: they change different documents."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import pymongo
import pytest
from pymongo.errors import AutoReconnect

from susracker.errors import HeldError, NotFoundError
from susracker.oversight import Hold
from susracker.plugins import open_store
from susracker.testing.records import (
    MINUTE,
    NOON,
    candidate,
    enroll,
    event,
    face_alert,
    judgement,
    sighting,
)

STORE = "susracker.stores.mongo"


@pytest.fixture
def other(store, url):
    """Another process."""
    with open_store(url) as opened:
        yield opened


@pytest.fixture
def shown(store):
    """A template of the photo that the alert shows."""
    enroll(store, "c2")
    return enroll(store, "c1")[0]


@pytest.fixture
def alert(store, shown):
    (stored,) = store.record([], [face_alert("c1", photo_id=shown.photo_id)])
    return stored


def hold(store, alert) -> None:
    store.hold_alert(Hold(alert.id, "court", "Jo (k1)", NOON))


def followed_by(path: str, act):
    """Let something happen right after the first call of a function."""
    module, name = f"{STORE}.{path}".rsplit(".", 1)
    function = getattr(__import__(module, fromlist=[name]), name)
    acts = [act]

    def call(*args):
        found = function(*args)
        if acts:
            acts.pop()()
        return found

    return patch(f"{module}.{name}", call)


def test_a_person_named_by_a_hold_that_was_not_found_is_not_removed(store, other, alert):
    with (
        followed_by("removing.refuse_if_held", lambda: hold(other, alert)),
        pytest.raises(HeldError, match=alert.id),
    ):
        store.remove_criminal("c1")
    assert store.alerts() == [alert]
    assert store.criminal("c1").name == "Ada Nowak"


def test_a_photo_shown_by_a_hold_that_was_not_found_is_not_removed(store, other, alert, shown):
    with (
        followed_by("photos.refuse_if_shown", lambda: hold(other, alert)),
        pytest.raises(HeldError, match=alert.id),
    ):
        store.remove_photo("c1", shown.photo_id)
    assert store.photo_ids("c1") == [shown.photo_id]


def test_a_candidate_whom_a_held_alert_names_since_a_moment_ago_is_not_removed(store, other, alert):
    hold(store, alert)
    best = replace(alert.candidates[0], fpir=0.001)
    better = replace(alert, candidates=(best, candidate("c2")))
    with (
        followed_by("removing.refuse_if_held", lambda: other.improve_alert(better)),
        pytest.raises(HeldError, match=alert.id),
    ):
        store.remove_criminal("c2")
    assert store.alert(alert.id).candidates == better.candidates


def test_a_removal_that_came_before_a_hold_is_seen_by_whoever_holds(store, alert, url):
    """The other process looked for holds before this one was stored, and is about to go on."""
    with pymongo.MongoClient(url) as client:
        people = client.get_default_database()["criminals"]

        def mark() -> None:
            people.update_one({"_id": "c1"}, {"$set": {"susracker.removing": True}})

        with followed_by("retention.rewrite_outcome", mark):
            hold(store, alert)
    assert (store.alert(alert.id).name, store.alert(alert.id).face) == (None, None)
    assert [one.alert_id for one in store.holds()] == [alert.id]


def test_judgements_of_an_alert_that_is_held_meanwhile_are_not_forgotten(store, other, alert):
    said = store.add_judgement(judgement(alert.id), "unsure", 0)
    find = store._old_judgements

    def find_and_hold(before):
        found = find(before)
        hold(other, alert)
        return found

    with patch.object(store, "_old_judgements", find_and_hold):
        assert store.forget("judgements", NOON + MINUTE, 10) == 0
    assert store.judgements([alert.id]) == [said]


def test_judgements_that_are_about_to_be_forgotten_are_gone_after_a_hold(store, other, alert):
    """The other process was too late to keep them, and removes them before its hold returns."""
    store.add_judgement(judgement(alert.id), "unsure", 0)
    with patch(f"{STORE}.retention.drop_judgements"):
        assert store.forget("judgements", NOON + MINUTE, 10) == 1
    assert len(store.judgements([alert.id])) == 1
    hold(other, alert)
    assert store.judgements([alert.id]) == []


def test_an_alert_that_was_forgotten_a_moment_ago_is_not_held(store, other, shown):
    """What was stored with it stays, and so does the document that both are in."""
    old, new = store.record(
        [], [face_alert("c1", received_at=NOON - MINUTE), face_alert("c2", received_at=NOON)]
    )
    find = store._db.outcomes.find_one

    def find_and_forget(*args):
        found = find(*args)
        other.forget("alerts", NOON, 1)
        return found

    with (
        patch.object(store._db.outcomes, "find_one", side_effect=find_and_forget),
        pytest.raises(NotFoundError, match=old.id),
    ):
        hold(store, old)
    assert store.holds() == []
    assert store.alerts() == [new]


@pytest.fixture
def orphan(store, other, shown):
    """An alert about someone who was removed, by a process that could not find that out yet."""
    with patch(f"{STORE}.journal.known_among", side_effect=AutoReconnect("gone")):
        (stored,) = store.record([sighting("c1")], [face_alert("c1")], event())
    other.remove_criminal("c1")
    return stored


def test_an_alert_that_is_held_is_not_taken_back(store, other, orphan):
    hold(other, orphan)
    store.record([], [])
    found = store.alert(orphan.id)
    assert (found.name, found.face, found.candidates) == (None, None, ())
    assert [one.alert_id for one in store.holds()] == [orphan.id]
    store.release_alert(orphan.id)
    assert store.holds() == []


def test_an_alert_that_is_judged_is_not_taken_back(store, other, orphan):
    said = other.add_judgement(judgement(orphan.id), "unsure", 0)
    store.record([], [])
    found = store.alert(orphan.id)
    assert (found.name, found.face, found.status) == (None, None, "unsure")
    assert store.judgements([orphan.id]) == [said]


def test_an_alert_that_is_taken_back_a_moment_before_is_not_held(store, other, orphan):
    """Whoever holds it has read it, when nobody was left in it."""
    with (
        followed_by("retention._holds", lambda: store.record([], [])),
        pytest.raises(NotFoundError, match=orphan.id),
    ):
        hold(other, orphan)
    assert store.alerts() == store.holds() == []


def test_a_hold_whose_alert_is_gone_can_be_ended(store, alert):
    """Databases of earlier versions may have some."""
    hold(store, alert)
    store._db.outcomes.update_one({"alerts.id": alert.id}, {"$set": {"alerts": []}})
    store.release_alert(alert.id)
    assert store.holds() == []
    with pytest.raises(NotFoundError, match="held"):
        store.release_alert(alert.id)
