"""What is left by a process that dies, or loses the database, between two writes to MongoDB."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import Mock, patch

import pymongo
import pytest
from pymongo.errors import AutoReconnect

from susracker.errors import NotFoundError, StoreUnavailableError
from susracker.plugins import open_store
from susracker.stores.mongo import panel as panel_module
from susracker.testing.access import next_entry
from susracker.testing.records import (
    MINUTE,
    NOON,
    criminal,
    enroll,
    face_alert,
    judgement,
    photo,
    sighting,
    template,
)

STORE = "susracker.stores.mongo"
OLD = NOON - MINUTE
PICTURE = "a picture in base64"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr(panel_module, "SHARE", 0)


@pytest.fixture
def panel(url, store):
    """The collection of a web panel, by plain pymongo."""
    with pymongo.MongoClient(url) as client:
        yield client.get_default_database()["criminals"]


@pytest.fixture
def shown(store):
    """A template of the one photo of c1, and nothing that is still to be told."""
    (made,) = enroll(store, "c1")
    store.panel_photos()
    return made


def cut_off(place, name: str):
    """Let the database be away when a certain step comes."""
    return patch.object(place, name, side_effect=AutoReconnect("gone"))


def start_again(url: str, store) -> None:
    """Another server takes over, after the one that followed the panel has died."""
    store._db.meta.delete_one({"_id": "panel"})
    with open_store(url) as other:
        other.panel_photos()


# -- what nobody was told --------------------------------------------------------------------------


def edit(store, shown) -> None:
    store.edit_criminal("c1", {"expires_at": NOON})


def add_photo(store, shown) -> None:
    taken = photo()
    store.edit_criminal("c1", {}, [taken], [template(taken)])


def add_template(store, shown) -> None:
    store.add_template(template(store.photo(shown.photo_id), "other/1"))


def adopt(store, shown) -> None:
    taken = photo()
    (found,) = store.panel_photos()
    store.adopt_photo(found, taken, template(taken))


def remove_photo(store, shown) -> None:
    store.remove_photo("c1", shown.photo_id)


def remove(store, shown) -> None:
    store.remove_criminal("c1")


@pytest.mark.parametrize(
    "change",
    [edit, add_photo, add_template, adopt, remove_photo, remove],
    ids=lambda one: one.__name__,
)
def test_a_change_is_told_to_all_servers_later(store, url, panel, shown, change):
    panel.update_one({"_id": "c1"}, {"$set": {"image": PICTURE}})
    revision = store.revision()
    with cut_off(store._db, "bump_revision"), pytest.raises(StoreUnavailableError):
        change(store, shown)
    assert store.revision() == revision
    start_again(url, store)
    assert store.changes(revision).criminal_ids == {"c1"}
    told = store.revision()
    start_again(url, store)
    assert store.revision() == told


@pytest.mark.parametrize("change", [edit, add_photo, add_template, adopt])
def test_a_change_is_told_once(store, panel, shown, change):
    """Whoever goes on from the revision that it left is not refused."""
    panel.update_one({"_id": "c1"}, {"$set": {"image": PICTURE}})
    change(store, shown)
    revision = store.criminal("c1").revision
    store.panel_photos()
    assert store.criminal("c1").revision == revision


def test_a_panels_edit_is_told_later(store, panel, shown):
    panel.update_one({"_id": "c1"}, {"$set": {"status": "apprehended"}})
    revision = store.revision()
    with cut_off(store._db, "bump_revision"), pytest.raises(StoreUnavailableError):
        store.panel_photos()
    store.panel_photos()
    assert store.changes(revision).criminal_ids == {"c1"}


@pytest.fixture
def adopted(store, panel, shown):
    """A photo that was made of a panel's picture."""
    panel.update_one({"_id": "c1"}, {"$set": {"image": PICTURE}})
    adopt(store, shown)
    (photo_id,) = set(store.photo_ids("c1")) - {shown.photo_id}
    return photo_id


def test_a_picture_that_a_panel_took_away_is_removed_later(store, url, panel, shown, adopted):
    panel.update_one({"_id": "c1"}, {"$unset": {"image": ""}})
    revision = store.revision()
    with cut_off(store._db.photos, "delete_many"), pytest.raises(StoreUnavailableError):
        store.panel_photos()
    assert store.photo_ids("c1") == [shown.photo_id]
    start_again(url, store)
    assert store._db.photos.count_documents({}) == 1
    assert store.changes(revision).criminal_ids == {"c1"}


# -- who was removed by a panel --------------------------------------------------------------------


def test_someone_whom_a_panel_removed_is_forgotten_later(store, panel, shown):
    store.record([sighting()], [face_alert()])
    panel.delete_one({"_id": "c1"})
    with cut_off(store._db.photos, "delete_many"), pytest.raises(StoreUnavailableError):
        store.panel_photos()
    store.panel_photos()
    assert store._db.photos.count_documents({}) == 0


def test_that_a_panel_removed_someone_is_told_later(store, url, panel, shown):
    """By whoever follows the panel after the process that did so has died."""
    store._db.photos.update_many({}, {"$set": {"stored_at": 0}})
    panel.delete_one({"_id": "c1"})
    revision = store.revision()
    with cut_off(store._db, "bump_revision"), pytest.raises(StoreUnavailableError):
        store.panel_photos()
    start_again(url, store)
    assert store.changes(revision).criminal_ids == {"c1"}
    assert store._db.photos.count_documents({}) == 0


def test_what_a_change_stream_told_is_read_again(store, panel, shown):
    """It does not tell the same twice."""
    told = [{"documentKey": {"_id": "c1"}}, None]
    with patch.object(store._panel, "_open_stream", lambda: Mock(try_next=Mock(side_effect=told))):
        store._panel._stream = store._panel._open_stream()
        panel.update_one({"_id": "c1"}, {"$set": {"status": "apprehended"}})
        revision = store.revision()
        with cut_off(store._db.criminals, "find"), pytest.raises(StoreUnavailableError):
            store.panel_photos()
        store.panel_photos()
    assert store.changes(revision).criminal_ids == {"c1"}


def test_what_a_server_that_died_left_of_someone_is_forgotten(store, url, shown, monkeypatch):
    """It stored what it saw of them, and did not live to find them removed."""
    store.remove_criminal("c1")
    store.panel_photos()
    with open_store(url) as other, patch.object(other, "_settle"):
        other.record([sighting()], [face_alert()])
    store.panel_photos()
    assert len(store.sightings("c1")) == 1
    monkeypatch.setattr(store._panel, "_look_at", 0.0)  # an hour later
    store.panel_photos()
    assert store.sightings("c1") == []
    assert store.alerts()[0].name is None


# -- photos ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("part", "change"), [("_photos", remove_photo), ("_removals", remove)])
def test_a_photo_is_gone_before_its_removal_is_finished(store, url, shown, part, change):
    finish = {"_photos": "finish_removals", "_removals": "finish"}[part]
    with cut_off(getattr(store, part), finish), pytest.raises(StoreUnavailableError):
        change(store, shown)
    assert store._db.photos.count_documents({}) == 1
    with pytest.raises(NotFoundError):
        store.photo(shown.photo_id)


@pytest.mark.parametrize(
    ("step", "is_done"),
    [("insert_one", True), ("insert_one", False), ("update_one", True), ("update_one", False)],
)
def test_a_photo_is_kept_if_it_has_an_owner_in_spite_of_an_error(store, step, is_done):
    """The answer of the database was lost: the write may have been done or not."""
    if step == "update_one":
        store.add_criminal(criminal())
    taken, write = photo(), getattr(store._db.criminals, step)

    def lose_the_answer(*args, **options):
        if is_done:
            write(*args, **options)
        raise AutoReconnect("gone")

    with (
        patch.object(store._db.criminals, step, lose_the_answer),
        pytest.raises(StoreUnavailableError),
    ):
        store.put_criminal(criminal(), [taken], [template(taken)])
    assert store.photo_ids("c1") == [taken.id] * is_done
    assert store._db.photos.count_documents({}) == is_done


# -- what is forgotten -----------------------------------------------------------------------------


def test_judgements_of_an_alert_that_was_forgotten_go_later(store, url, shown):
    old, kept = (store.record([], [face_alert(received_at=at)])[0] for at in (OLD, NOON))
    for one in (old, kept):
        store.add_judgement(judgement(one.id), "unsure", 0)
    before = store.forgotten()
    with (
        patch(f"{STORE}.retention.drop_judgements", side_effect=AutoReconnect("gone")),
        pytest.raises(StoreUnavailableError),
    ):
        store.forget("alerts", NOON, 10)
    assert len(store.judgements([old.id])) == 1
    with open_store(url):
        assert [one.alert_id for one in store.judgements_after()] == [kept.id]
        assert store.forgotten() > before
    after = store.forgotten()
    with open_store(url):
        assert store.forgotten() == after


def test_whoever_keeps_alerts_in_memory_hears_later_that_faces_are_forgotten(store, url, shown):
    (old,) = store.record([], [face_alert(received_at=OLD)])
    said = store.add_judgement(judgement(old.id), "unsure", 0)
    before = store.forgotten()
    with cut_off(store._db, "next_number"), pytest.raises(StoreUnavailableError):
        store.forget("faces", NOON, 10)
    with open_store(url):
        assert store.forgotten() > before
    assert store.judgements([old.id]) == [said]


def test_nobody_judges_an_alert_that_is_forgotten_meanwhile(store, url, shown):
    (old,) = store.record([], [face_alert(received_at=OLD)])
    with open_store(url) as other:
        find = store._newest_of

        def find_and_forget(alert_id):
            found = find(alert_id)
            other.forget("alerts", NOON, 10)
            return found

        with (
            patch.object(store, "_newest_of", find_and_forget),
            pytest.raises(NotFoundError, match=old.id),
        ):
            store.add_judgement(judgement(old.id), "unsure", 0)
    assert store.judgements_after() == []
    assert store.last_judgement_seq() == 1


def test_what_is_cut_off_the_audit_log_goes_later(store, url):
    entries = [store.append_audit(next_entry) for _ in range(3)]
    shorter = replace(store.audit_head(), first=3, anchor=entries[1].digest)
    with cut_off(store._db.audit, "delete_many"), pytest.raises(StoreUnavailableError):
        store.cut_audit(shorter)
    with open_store(url):
        assert store.audit() == entries[2:]
