"""What is particular to MongoDB: its errors, and a web panel that writes to the same database."""

from __future__ import annotations

import base64
import logging
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from unittest.mock import Mock, patch

import pymongo
import pytest
from bson import ObjectId
from pymongo.errors import AutoReconnect

from susracker.demo.process import ServerProcess
from susracker.enrolment.enroller import Enroller
from susracker.enrolment.panel import enroll_panel_photos
from susracker.errors import (
    ConfigError,
    ConflictError,
    InputError,
    NotFoundError,
    StoreFormatError,
    StoreUnavailableError,
)
from susracker.plugins import open_encoder, open_store
from susracker.stores.mongo import panel as panel_module
from susracker.stores.mongo.forgetting import forget_in_outcome
from susracker.stores.mongo.lease import LEASE_SECONDS
from susracker.testing.records import (
    NOON,
    activity,
    criminal,
    event,
    face_alert,
    full_criminal,
    judgement,
    photo,
    sighting,
    template,
)
from tests.enrolment import samples
from tests.pictures import COLLINS, HOPPER, shared
from tests.server.conftest import face_crop
from tests.server.test_two_nodes import upload
from tests.waiting import wait_until

ENCODER = open_encoder("dlib")

JOURNAL = "susracker.stores.mongo.journal"


@pytest.fixture
def panel(url):
    """The collection of a web panel, by plain pymongo."""
    with pymongo.MongoClient(url) as client:
        yield client.get_default_database()["criminals"]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr(panel_module, "SHARE", 0)


def data_uri(path: Path) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(path.read_bytes()).decode()}"


def document(name: str = "Grace Hopper", **fields) -> dict:
    """As a panel writes them."""
    return {
        "name": name,
        "age": 44,
        "crimes": ["forgery", "theft"],
        "threat": "high",
        "status": "wanted",
        "image": data_uri(HOPPER),
        "notes": {"by": "officer 7", "rank": 3},
        **fields,
    }


def follow(store) -> int:
    return enroll_panel_photos(Enroller(store, ENCODER))


def templates(store) -> dict[str, int]:
    return store.template_counts(ENCODER.id)


# -- errors ----------------------------------------------------------------------------------


def test_a_server_that_is_away_is_said():
    with pytest.raises(StoreUnavailableError, match="cannot be reached") as caught:
        open_store("mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=200")
    assert str(caught.value).endswith("Connection refused")


@pytest.mark.parametrize(
    "url",
    ["mongodb://", "mongodb://host:port/x", "mongodb:x"],
)
def test_a_wrong_url_is_a_setting_that_is_wrong(url):
    with pytest.raises(ConfigError):
        open_store(url)


def test_a_newer_format_is_refused(url, store):
    with pymongo.MongoClient(url) as client:
        meta = client.get_default_database()["susracker_meta"]
        meta.update_one({"_id": "format"}, {"$set": {"value": 99}})
    with pytest.raises(StoreFormatError, match="upgrade"):
        open_store(url)


def test_a_value_that_cannot_be_stored_changes_nothing(store):
    taken = photo()
    with pytest.raises(InputError):
        store.put_criminal(criminal(name="half a character \ud800"), [taken])
    assert store.criminals() == []
    with pytest.raises(NotFoundError):
        store.photo(taken.id)


def test_what_a_crash_left_of_a_photo_does_not_keep_it_out(url, store):
    """The photo was stored, and then not the criminal."""
    taken = photo()
    store.put_criminal(criminal(), [taken], [template(taken)])
    with pymongo.MongoClient(url) as client:
        database = client.get_default_database()
        database["criminals"].delete_one({"_id": "c1"})
        database["susracker_photos"].update_one({"_id": taken.id}, {"$set": {"stored_at": 0}})
    store.put_criminal(criminal("c2"), [photo("c2", content=taken.content)])
    assert store.photo_owner(taken.digest) == "c2"


# -- without transactions ---------------------------------------------------------------------


@pytest.fixture
def database(url, store):
    """The store's collections, by plain pymongo."""
    with pymongo.MongoClient(url) as client:
        yield client.get_default_database()


@pytest.mark.parametrize("step", ["MongoJournal._move_last_seen", "known_among"])
def test_a_failure_after_an_alert_was_stored_is_no_failure(store, monkeypatch, step):
    store.put_criminal(criminal())
    with monkeypatch.context() as patched:
        patched.setattr(f"{JOURNAL}.{step}", Mock(side_effect=AutoReconnect("gone")))
        (stored,) = store.record([sighting()], [face_alert()], event())
    assert store.alerts() == [stored]
    assert store.criminal("c1").last_seen_at is None
    store.record([], [])
    assert store.criminal("c1").last_seen_at == NOON


def test_a_person_removed_before_a_sighting_was_stored_is_forgotten_later(store, monkeypatch):
    """The removal did not find the sighting, and whoever stored it could not ask for the person."""
    store.put_criminal(criminal())
    store.remove_criminal("c1")
    with monkeypatch.context() as patched:
        patched.setattr(f"{JOURNAL}.known_among", Mock(side_effect=AutoReconnect("gone")))
        (stored,) = store.record([sighting()], [face_alert()], event())
    assert store.alerts() == [stored]
    store.record([], [])
    assert store.sightings("c1") == []
    assert store.alerts() == []


def test_a_person_removed_after_a_sighting_was_stored_stays_forgotten(url, store, monkeypatch):
    """What follows from the sighting is done later, by who remembers it with the person in it."""
    store.put_criminal(criminal())
    with monkeypatch.context() as patched:
        patched.setattr(f"{JOURNAL}.known_among", Mock(side_effect=AutoReconnect("gone")))
        store.record([sighting()], [face_alert()], event())
    with open_store(url) as other:
        other.remove_criminal("c1")
    store.record([], [])
    assert store.sightings("c1") == []
    assert all(alert.name is None for alert in store.alerts())


def test_an_interrupted_removal_is_finished_at_the_next_opening(url, store, database):
    taken = photo()
    store.put_criminal(criminal(), [taken], [template(taken)])
    store.record([sighting()], [face_alert()])
    database["criminals"].update_one({"_id": "c1"}, {"$set": {"susracker.removing": True}})
    assert store.criminals() == []
    with pytest.raises(NotFoundError):
        store.edit_criminal("c1", {"name": "Jo"})
    revision = store.revision()
    with open_store(url) as other:
        assert other.changes(revision).criminal_ids == {"c1"}
        assert other.sightings("c1") == []
        assert other.alerts()[0].name is None
        with pytest.raises(NotFoundError):
            other.photo(taken.id)
    assert database["criminals"].count_documents({}) == 0


def test_an_interrupted_removal_strikes_judgements_when_it_is_finished(url, store):
    store.put_criminal(criminal())
    (alert,) = store.record([], [face_alert()])
    said = store.add_judgement(judgement(alert.id, note="Ada again"), "unsure", 0)
    with (
        patch.object(store._removals, "finish", side_effect=AutoReconnect("gone")),
        pytest.raises(StoreUnavailableError),
    ):
        store.remove_criminal("c1", strikes_judgements=True)
    assert store.judgements([alert.id]) == [said]
    with open_store(url) as other:
        assert other.judgements([alert.id]) == [replace(said, note="")]


def test_an_interrupted_removal_of_a_photo_is_finished_at_the_next_opening(url, store, database):
    taken = photo()
    store.put_criminal(criminal(), [taken], [template(taken)])
    revision = store.revision()
    with (
        patch.object(store._photos, "_finish", side_effect=AutoReconnect("gone")),
        pytest.raises(StoreUnavailableError),
    ):
        store.remove_photo("c1", taken.id)
    assert store.photo_ids("c1") == store.templates("c1") == []
    assert database["susracker_photos"].count_documents({}) == 1
    with open_store(url) as other:
        assert database["susracker_photos"].count_documents({}) == 0
        assert other.changes(revision).criminal_ids == {"c1"}
    assert "leaving" not in database["criminals"].find_one({"_id": "c1"})["susracker"]


def test_two_removals_at_once_leave_nothing_behind(url, store):
    """Another process removes a candidate of the alert while this one takes out the match."""
    store.put_criminal(criminal())
    store.put_criminal(criminal("c2"))
    (alert,) = store.record([sighting()], [face_alert("c1", "c2")])
    (outcome,) = store._db.read(store._db.outcomes, {"sighted": "c1"})
    with open_store(url) as other:
        other.remove_criminal("c2")
    forget_in_outcome(store._db, outcome, ["c1"])
    found = store.alert(alert.id)
    assert (found.name, found.face, found.candidates) == (None, None, ())
    assert store.sightings("c1") == []


def test_two_removals_at_once_leave_no_sighting_that_was_held_back(url, store):
    store.put_criminal(criminal())
    store.put_criminal(criminal("c2"))
    store.record([sighting(who, suppressed=True) for who in ("c1", "c2")], [])
    (outcome,) = store._db.read(store._db.outcomes, {"sighted": "c1"})
    with open_store(url) as other:
        other.remove_criminal("c2")
    forget_in_outcome(store._db, outcome, ["c1"])
    assert store.sightings("c1") == store.sightings("c2") == []


def test_an_outcome_that_is_gone_needs_no_forgetting(store):
    store.put_criminal(criminal())
    store.record([sighting()], [])
    (outcome,) = store._db.read(store._db.outcomes, {})
    store._db.outcomes.delete_one({"_id": outcome["_id"]})
    forget_in_outcome(store._db, outcome, ["c1"])
    assert store._db.outcomes.count_documents({}) == 0
    assert outcome["sightings"] == []


def test_someone_taken_out_of_a_stored_alert_is_a_change(store):
    """Readers of the log drop what they read before they were taken out."""
    store.put_criminal(criminal())
    store.put_criminal(criminal("c2"))
    store.remove_criminal("c2")
    revision = store.revision()
    (alert,) = store.record([], [face_alert("c1", "c2")])
    assert [one.criminal_id for one in alert.candidates] == ["c1"]
    assert store.changes(revision).criminal_ids == {"c2"}
    store.remove_criminal("c1")
    revision = store.revision()
    with pytest.raises(NotFoundError):
        store.record([sighting()], [face_alert("c1")])
    assert store.changes(revision).criminal_ids == {"c1"}


def test_a_name_is_not_stored_by_whoever_took_too_long(url, store):
    """Another process has taken over meanwhile, and may have stored the same name."""
    store.add_criminal(criminal("c2", name="Max"))
    with open_store(url) as other:
        added = store._added

        def take_long(*args):
            other._names._clock = iter([0, 0, LEASE_SECONDS, LEASE_SECONDS]).__next__
            assert [other._names.take(), other._names.take()] == [False, True]
            return added(*args)

        taken = photo()
        with patch.object(store, "_added", take_long), pytest.raises(ConflictError):
            store.add_criminal(criminal(), [taken], [template(taken)], name_is_new=True)
        other._names.give_back()
        with patch.object(store, "_added", take_long), pytest.raises(ConflictError):
            store.edit_criminal("c2", {"name": "Ada Nowak"}, [taken], name_is_new=True)
        other._names.give_back()
    assert [one.name for one in store.criminals()] == ["Max"]
    store.add_criminal(criminal(), [taken], [template(taken)], name_is_new=True)


def test_only_the_newest_revision_of_each_person_is_kept(store, database):
    for name in ("One", "Two", "Three"):
        store.put_criminal(criminal(name=name))
        store.put_criminal(criminal("c2", name=name))
    store.remove_criminal("c2")
    kept = {one["criminal_id"]: one["_id"] for one in database["susracker_revisions"].find()}
    assert kept == {"c1": 5, "c2": 7}
    assert database["susracker_revisions"].count_documents({}) == 2
    assert store.changes(4).criminal_ids == {"c1", "c2"}


def test_a_change_that_others_overtake_is_announced_after_theirs(url, store):
    """Between reading the newest number and inserting the next."""
    store.put_criminal(criminal())
    with open_store(url) as other:
        read, heard = store._db.revision, []

        def overtaken():
            newest = read()
            if not heard:
                for _ in range(2):
                    other.put_criminal(criminal("c2"))
                heard.append(other.revision())
            return newest

        store._db._revision.forget()
        with patch.object(store._db, "revision", overtaken):
            store.edit_criminal("c1", {"age": 30})
        assert other.changes(heard[0]).criminal_ids == {"c1"}


def test_nothing_is_left_of_a_forgotten_event_that_came_to_nothing(store, database):
    for number in range(3):
        store.record([], [], event(f"e{number}", kind="no match", received_at=NOON))
    (alert,) = store.record([], [activity()], event("alert", received_at=NOON))
    store.forget_events(NOON + timedelta(seconds=1))
    assert database["susracker_outcomes"].count_documents({}) == 1
    assert store.alerts() == [alert]


def test_templates_are_counted_without_being_read(store, database):
    taken = photo()
    store.put_criminal(criminal(), [taken], [template(taken)])
    database["criminals"].update_one({"_id": "c1"}, {"$unset": {"susracker.templates": ""}})
    assert store.template_counts("dlib/1") == {"c1": 1}
    assert store.photos_without_template("dlib/1") == []


def test_an_edit_by_a_panel_is_a_new_revision(store, panel):
    key = panel.insert_one(document()).inserted_id
    follow(store)
    revision = store.criminal(str(key)).revision
    assert revision > 0
    panel.update_one({"_id": key}, {"$set": {"status": "apprehended"}})
    follow(store)
    with pytest.raises(ConflictError):
        store.edit_criminal(str(key), {"status": "wanted"}, revision=revision)


def test_an_edit_of_ours_is_no_edit_by_a_panel(store, panel):
    """Whoever goes on from the revision that an edit left is not refused."""
    key = str(panel.insert_one(document()).inserted_id)
    follow(store)
    store.add_criminal(full_criminal("c1"))
    for who in ("c1", key):
        for name, value in [("status", "apprehended"), ("crimes", ("fraud",)), ("age", None)]:
            revision = store.criminal(who).revision
            follow(store)
            assert store.criminal(who).revision == revision
            store.edit_criminal(who, {name: value}, revision=revision)
    panel.update_one({"_id": "c1"}, {"$set": {"status": "wanted"}})
    follow(store)
    assert store.criminal("c1").revision > store.criminal(key).revision


@pytest.mark.parametrize("is_new", [True, False])
def test_a_change_that_was_not_announced_is_announced_by_whoever_follows(store, is_new):
    if not is_new:
        store.add_criminal(criminal())
    revision = store.revision()
    gone = patch.object(store._db, "bump_revision", side_effect=AutoReconnect("gone"))
    with gone, pytest.raises(StoreUnavailableError):
        store.put_criminal(criminal(status="apprehended"))
    follow(store)
    assert store.changes(revision).criminal_ids == {"c1"}


def test_an_edit_by_a_panel_during_ours_is_noticed(store, panel):
    store.add_criminal(criminal())
    bump = store._db.bump_revision

    def meanwhile(criminal_id):
        panel.update_one({"_id": criminal_id}, {"$set": {"status": "apprehended"}})
        bump(criminal_id)

    with patch.object(store._db, "bump_revision", meanwhile):
        store.edit_criminal("c1", {"age": 30})
    revision = store.criminal("c1").revision
    follow(store)
    assert store.criminal("c1").revision > revision


# -- a panel ---------------------------------------------------------------------------------


def test_who_a_panel_adds_is_enrolled_and_his_document_left_as_it_is(store, panel):
    key = panel.insert_one(document()).inserted_id
    assert follow(store) == 1
    found = store.criminal(str(key))
    assert (found.name, found.age, found.threat) == ("Grace Hopper", 44, "high")
    assert found.crimes == ("forgery", "theft")
    assert templates(store) == {str(key): 1}
    assert store.photo(store.photo_ids(str(key))[0]).content == HOPPER.read_bytes()
    kept = panel.find_one({"_id": key}, {"susracker": 0})
    assert kept == {"_id": key} | document()
    assert follow(store) == 0


def test_several_pictures_and_new_ones(store, panel, tmp_path):
    another = tmp_path / "another.jpg"
    another.write_bytes(samples.hopper(80))
    key = panel.insert_one(document(images=[data_uri(another)])).inserted_id
    assert follow(store) == 2
    revision = store.revision()
    panel.update_one({"_id": key}, {"$set": {"images": []}})
    assert follow(store) == 0
    assert templates(store) == {str(key): 1}
    assert [one.content for one in photos_of(store, key)] == [HOPPER.read_bytes()]
    assert [one.photo_id for one in store.templates(str(key))] == store.photo_ids(str(key))
    assert store.template_rows(ENCODER.id).criminal_ids == [str(key)]
    assert store.changes(revision).criminal_ids == {str(key)}
    panel.update_one({"_id": key}, {"$set": {"image": data_uri(COLLINS)}})
    assert follow(store) == 1
    assert store.photo(store.photo_ids(str(key))[0]).content == COLLINS.read_bytes()


def test_a_picture_of_someone_else_is_refused_once(store, panel, caplog):
    key = panel.insert_one(document(images=[data_uri(COLLINS)])).inserted_id
    assert follow(store) == 1
    assert "unlike the other photos" in caplog.text
    assert templates(store) == {str(key): 1}
    assert follow(store) == 0
    assert caplog.text.count("unlike the other photos") == 1


def test_an_edit_is_a_change_and_no_change_is_none(store, panel):
    key = panel.insert_one(document()).inserted_id
    follow(store)
    revision = store.revision()
    follow(store)
    assert store.revision() == revision
    panel.update_one({"_id": key}, {"$set": {"status": "Apprehended"}})
    follow(store)
    assert store.changes(revision).criminal_ids == {str(key)}
    assert store.criminal(str(key)).status == "apprehended"
    assert store.template_rows(ENCODER.id, wanted_at=NOON).criminal_ids == []


def test_who_a_panel_removes_is_forgotten(store, panel):
    key = panel.insert_one(document()).inserted_id
    follow(store)
    who = str(key)
    (alert,) = store.record([sighting(who)], [face_alert(who)])
    taken = store.photo_ids(who)[0]
    revision = store.revision()
    panel.delete_one({"_id": key})
    follow(store)
    assert store.changes(revision).criminal_ids == {who}
    assert store.sightings(who) == []
    assert store.alert(alert.id).name is None
    with pytest.raises(NotFoundError):
        store.photo(taken)


@pytest.mark.parametrize(
    ("seen", "alerts", "names"),
    [
        (["c1", "c2"], [face_alert("c1", "c2")], [None]),
        (["c1", "c2"], [], []),
        (["c2"], [face_alert("c2", "c1")], ["Ada Nowak"]),
    ],
    ids=["matched", "held back", "candidate"],
)
def test_nothing_is_left_of_someone_removed_before_a_crash(url, store, seen, alerts, names):
    """What was seen of them was stored, and its process did not live to take it back."""
    for who in ("c1", "c2"):
        store.put_criminal(criminal(who))
    store.remove_criminal("c1")
    with patch.object(store, "_settle"):
        store.record([sighting(who) for who in seen], alerts)
    with open_store(url) as other:
        other.panel_photos()
        assert (len(other.sightings("c1")), len(other.sightings("c2"))) == (0, 1)
        found = other.alerts()
    assert [alert.name for alert in found] == names
    assert [one.criminal_id for alert in found for one in alert.candidates] == ["c2"] * len(names)
    assert all(alert.name or alert.face is None for alert in found)


def test_someone_added_while_a_panel_is_read_is_not_forgotten(url, store):
    """They are not among those who were read, and have been seen already."""
    forget_missing = store._panel._forget_missing

    def add_first(*args):
        taken = photo()
        store.put_criminal(criminal(), [taken], [template(taken)])
        store.record([sighting()], [face_alert()])
        return forget_missing(*args)

    with patch.object(store._panel, "_forget_missing", add_first):
        store.panel_photos()
    assert len(store.sightings("c1")) == 1
    assert len(store.photo_ids("c1")) == 1


def test_a_removed_photo_of_a_panel_is_not_enrolled_again(store, panel):
    key = panel.insert_one(document()).inserted_id
    follow(store)
    store.remove_photo(str(key), store.photo_ids(str(key))[0])
    assert follow(store) == 0
    assert (store.photo_ids(str(key)), templates(store)) == ([], {})
    panel.update_one({"_id": key}, {"$set": {"image": data_uri(COLLINS)}})
    assert follow(store) == 1
    assert len(store.photo_ids(str(key))) == 1


def test_a_removal_that_is_tried_again_is_finished(store, database):
    """The first attempt failed in the middle."""
    taken = photo()
    store.put_criminal(criminal(), [taken], [template(taken)])
    store.record([sighting()], [face_alert()])
    with (
        patch.object(store._removals, "finish", side_effect=AutoReconnect("gone")),
        pytest.raises(StoreUnavailableError),
    ):
        store.remove_criminal("c1")
    with pytest.raises(NotFoundError):
        store.remove_criminal("c1")
    assert database["susracker_photos"].count_documents({}) == 0
    assert database["criminals"].count_documents({}) == 0
    assert store.alerts()[0].face is None


def test_who_was_removed_while_nobody_followed_is_forgotten(url, store, panel):
    key = panel.insert_one(document()).inserted_id
    follow(store)
    taken = store.photo_ids(str(key))[0]
    with pymongo.MongoClient(url) as client:
        photos = client.get_default_database()["susracker_photos"]
        photos.update_one({"_id": taken}, {"$set": {"stored_at": 0}})
        client.get_default_database()["susracker_meta"].delete_one({"_id": "panel"})
    panel.delete_one({"_id": key})
    with open_store(url) as another:
        follow(another)
        with pytest.raises(NotFoundError):
            another.photo(taken)


def test_who_was_removed_while_another_process_followed_is_forgotten(url, store, panel):
    """Someone whom this one never saw; the other ended before it could forget them."""
    follow(store)
    with open_store(url) as other:
        panel.database["susracker_meta"].delete_one({"_id": "panel"})
        key = panel.insert_one(document()).inserted_id
        assert follow(other) == 1
        assert follow(store) == 0
    (taken,) = store.photo_ids(str(key))
    panel.database["susracker_photos"].update_one({"_id": taken}, {"$set": {"stored_at": 0}})
    panel.delete_one({"_id": key})
    panel.database["susracker_meta"].delete_one({"_id": "panel"})
    follow(store)
    with pytest.raises(NotFoundError):
        store.photo(taken)


def test_a_picture_that_cannot_be_enrolled_is_said_once(store, panel, caplog):
    panel.insert_many(
        [
            document("No picture", image="https://example.com/jo.jpg"),
            document("No face", image="data:image/png;base64," + base64.b64encode(b"x").decode()),
            document("Nothing", image=None),
        ]
    )
    with caplog.at_level(logging.WARNING):
        assert follow(store) == follow(store) == 0
    said = [one.message for one in caplog.records if "cannot enrol a photo" in one.message]
    ids = {one.name: one.id for one in store.criminals()}
    assert sorted(one.partition("): ")[0] for one in said) == [
        f"cannot enrol a photo of {name} ({ids[name]}" for name in ("No face", "No picture")
    ]
    assert templates(store) == {}


def test_a_picture_that_a_crash_left_without_owner_is_enrolled_later(store, panel):
    """The photo was stored, then not its criminal; and the server started again at once."""
    key = panel.insert_one(document()).inserted_id
    with (
        patch.object(store._panel, "adopt", side_effect=SystemExit),
        patch.object(store._db.photos, "delete_one"),
        pytest.raises(SystemExit),
    ):
        follow(store)
    assert follow(store) == 0
    panel.database["susracker_photos"].update_many({}, {"$set": {"stored_at": 0}})
    assert follow(store) == 1
    assert templates(store) == {str(key): 1}


def test_the_same_picture_of_two_people_is_enrolled_once(store, panel, caplog):
    panel.insert_many([document("One"), document("Two")])
    with caplog.at_level(logging.WARNING):
        assert follow(store) == 1
        assert follow(store) == 0
    assert "stored already" in caplog.text


def test_fields_of_any_kind_are_read(store, panel):
    panel.insert_one({"name": 7, "age": "51", "crimes": "arson", "threat": "extreme"})
    panel.insert_one({"age": "unknown", "status": "released", "crimes": None})
    follow(store)
    seven, unnamed = store.criminals()
    assert (seven.name, seven.age, seven.crimes, seven.threat) == ("7", 51, ("arson",), "medium")
    assert seven.status == "wanted"
    assert (unnamed.name, unnamed.age, unnamed.crimes) == ("unnamed", None, ())
    assert unnamed.status == "apprehended"


def test_a_panel_is_shown_where_someone_was_last_alerted(store, panel):
    key = panel.insert_one(document()).inserted_id
    follow(store)
    who = str(key)
    store.record([sighting(who, camera_location="Gate 1")], [])
    store.record(
        [
            sighting(
                who,
                camera_location="Gate 2",
                occurred_at=NOON + timedelta(seconds=1),
                suppressed=True,
            )
        ],
        [],
    )
    shown = panel.find_one({"_id": key})
    assert shown["last_seen_location"] == "Gate 1"
    # MongoDB's dates have milliseconds, and come back without a time zone, as UTC.
    assert shown["last_seen_date"] == NOON.replace(microsecond=123_000, tzinfo=None)
    assert store.criminal(who).last_seen_location == "Gate 2"


def test_one_of_two_processes_follows(url, store, panel):
    panel.insert_one(document())
    with open_store(url) as other:
        assert follow(store) == 1
        panel.insert_one(document("Eileen Collins", image=data_uri(COLLINS)))
        assert other.panel_photos() == []
        assert follow(store) == 1


def test_two_processes_that_enrol_the_same_picture_know_whose_it_is(url, store, panel):
    """The first takes longer to enrol than its lease lasts."""
    key = panel.insert_one(document()).inserted_id
    with open_store(url) as other:
        waiting = store.panel_photos()
        panel.database["susracker_meta"].delete_one({"_id": "panel"})
        assert other.panel_photos() == waiting
        assert follow_with(waiting, store) == 1
        assert follow_with(waiting, other) == 0
        panel.update_one({"_id": key}, {"$set": {"image": data_uri(COLLINS)}})
        follow(other)
    assert [one.content for one in photos_of(store, key)] == [COLLINS.read_bytes()]


def test_a_picture_that_another_process_is_enrolling_is_not_refused_for_good(url, store, panel):
    panel.insert_one(document())
    with open_store(url) as other:
        waiting = store.panel_photos()
        adopt = store._panel.adopt

        def adopt_late(*args):
            assert follow_with(waiting, other) == 0
            # It would stay refused if this process ended here.
            assert "pictures" not in panel.find_one()["susracker"]["panel"]
            return adopt(*args)

        with patch.object(store._panel, "adopt", adopt_late):
            assert follow_with(waiting, store) == 1
    assert len(templates(store)) == 1


def test_a_picture_of_someone_who_is_removed_meanwhile_is_not_kept(store, panel):
    panel.insert_one(document())
    waiting = store.panel_photos()
    panel.delete_many({})
    assert follow_with(waiting, store) == 0
    assert panel.count_documents({}) == 0
    assert panel.database["susracker_photos"].count_documents({}) == 0


def follow_with(waiting, store) -> int:
    with patch.object(store, "panel_photos", return_value=waiting):
        return follow(store)


def photos_of(store, key) -> list:
    return [store.photo(one) for one in store.photo_ids(str(key))]


def test_alerts_are_stored_while_a_large_collection_is_read(store, panel):
    panel.insert_one(document())
    changed, stored = store._panel._changed, threading.Event()

    def store_an_alert():
        store.record([], [activity()])
        stored.set()

    def take_long():
        threading.Thread(target=store_an_alert, daemon=True).start()
        assert stored.wait(60)
        return changed()

    with patch.object(store._panel, "_changed", take_long):
        store.panel_photos()


def test_who_is_enrolled_by_us_stays_with_a_panel(store, panel):
    taken = photo()
    store.put_criminal(criminal(), [taken], [template(taken)])
    panel.insert_one(document())
    assert follow(store) == 1
    assert follow(store) == 0
    assert store.photo_ids("c1") == [taken.id]
    store.remove_criminal("c1")
    follow(store)
    assert [one.name for one in store.criminals()] == ["Grace Hopper"]


def test_a_panels_database_is_served_with_no_step_but_the_url(url, panel):
    """Fifty real people; then one is added, one caught, and one removed."""
    people = [folder for folder in sorted(shared("lfw-dev").iterdir()) if folder.is_dir()]
    chosen = [one for one in people if len(list(one.iterdir())) == 1][:50]
    files = {one.name: next(one.iterdir()) for one in chosen}
    panel.insert_many([document(name, image=data_uri(file)) for name, file in files.items()])
    flags = ("--store", url, "--cooldown-seconds", "0", "--log-level", "error")
    with ServerProcess(*flags) as server:
        alerted = 0
        faces = {name: face_crop(file) for name, file in list(files.items())[:12]}
        for name, face in faces.items():
            answer = upload(server, face, "gate").json()
            alerted += answer["message"] == "Match found" and answer["match"]["name"] == name
        assert alerted >= 11
        hopper = face_crop(HOPPER)
        assert upload(server, hopper, "gate").json()["message"] == "No match found"
        key = panel.insert_one(document()).inserted_id
        assert wait_until(lambda: says(server, hopper, "Match found"))
        panel.update_one({"_id": key}, {"$set": {"status": "apprehended"}})
        assert wait_until(lambda: says(server, hopper, "No match found"))
        panel.update_one({"_id": key}, {"$set": {"status": "wanted"}})
        assert wait_until(lambda: says(server, hopper, "Match found"))
        panel.delete_one({"_id": ObjectId(key)})
        assert wait_until(lambda: says(server, hopper, "No match found"))
        time.sleep(1)
    assert panel.count_documents({}) == 50


def says(server: ServerProcess, face: bytes, message: str) -> bool:
    return upload(server, face, "gate").json()["message"] == message
