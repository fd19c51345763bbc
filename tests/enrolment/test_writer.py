"""Who a person is in the store, and what is there already."""

from __future__ import annotations

import pytest

from susracker.enrolment.fields import criminal_from_fields
from susracker.enrolment.report import Report
from susracker.enrolment.sources import Person
from susracker.enrolment.writer import StoredPhoto, Writer
from tests.enrolment import samples


@pytest.fixture
def report():
    return Report()


@pytest.fixture
def writer(enroller, report):
    return Writer(enroller, report, lambda written: None)


def person(**fields):
    return Person(fields, [])


def add(store, **fields):
    criminal = criminal_from_fields(fields)
    store.put_criminal(criminal)
    return criminal


def test_nobody_of_that_name_is_someone_new(enroller, store, writer, report):
    jo = person(name="Jo", age=40)
    writer.write(jo, [("1.jpg", enroller.prepare(samples.hopper()))])
    writer.write(jo, [("2.jpg", enroller.prepare(samples.hopper(80)))])
    (criminal,) = store.criminals()
    assert (criminal.name, criminal.age) == ("Jo", 40)
    entry = report.people[criminal.id]
    assert (entry.is_new, entry.photos, entry.is_edited) == (True, 2, False)


def test_who_has_the_name_gets_photos_and_fields(enroller, store, writer, report):
    before = add(store, name="Jo", age=40, crimes=["arson"])
    writer.write(person(name="Jo", age=41), [("1.jpg", enroller.prepare(samples.hopper()))])
    (after,) = store.criminals()
    assert (after.id, after.age, after.crimes) == (before.id, 41, ("arson",))
    entry = report.people[before.id]
    assert (entry.is_new, entry.photos, entry.is_edited) == (False, 1, True)


def test_the_case_tells_people_of_one_name_apart(enroller, store, writer, report):
    add(store, name="Jo", case_reference="A")
    b = add(store, name="Jo", case_reference="B")
    jo = person(name="Jo", case_reference="B")
    writer.write(jo, [("1.jpg", enroller.prepare(samples.hopper()))])
    assert list(report.people) == [b.id]
    another = person(name="Jo", case_reference="C")
    writer.write(another, [("2.jpg", enroller.prepare(samples.collins()))])
    assert len(store.criminals_named("Jo")) == 3


def test_one_of_several_is_not_guessed(enroller, store, writer, report):
    ids = {add(store, name="Jo", case_reference="A").id, add(store, name="Jo").id}
    writer.write(person(name="Jo"), [("1.jpg", enroller.prepare(samples.hopper()))])
    (refusal,) = report.refused
    assert (refusal.path, refusal.reason) == ("1.jpg", "several people of that name")
    assert "--id" in refusal.detail
    assert all(one in refusal.detail for one in ids)
    assert report.people == {}


def test_an_id_says_who_it_is_and_may_come_with_a_new_name(enroller, store, writer):
    add(store, name="Jo")
    second = add(store, name="Jo")
    jo = Person({"name": "Jo Doe"}, [], criminal_id=second.id)
    writer.write(jo, [("1.jpg", enroller.prepare(samples.hopper()))])
    assert store.criminal(second.id).name == "Jo Doe"
    assert len(store.photo_ids(second.id)) == 1


def test_without_a_photo_there_is_no_person(store, writer, report):
    owner = add(store, name="Max")
    writer.write(person(name="Jo"), [("1.jpg", StoredPhoto(owner.id))])
    assert [one.name for one in store.criminals()] == ["Max"]
    (refusal,) = report.refused
    assert (refusal.path, refusal.reason) == ("1.jpg", "enrolled as someone else")
    assert "Max" in refusal.detail
    assert report.people == {}


def test_the_same_photo_twice_is_stored_once(enroller, store, writer, report):
    photo = enroller.prepare(samples.hopper())
    writer.write(person(name="Jo"), [("1.jpg", photo), ("2.jpg", photo)])
    (entry,) = report.people.values()
    assert (entry.photos, entry.already_there) == (1, 1)
    writer.write(person(name="Max"), [("3.jpg", photo)])
    assert [refusal.reason for refusal in report.refused] == ["enrolled as someone else"]


def test_another_process_stores_a_photo_at_the_same_moment(
    enroller, store, writer, report, monkeypatch
):
    jo = add(store, name="Jo")
    first, second = enroller.prepare(samples.hopper()), enroller.prepare(samples.hopper(80))
    look_up = store.photo_owner
    owners = [look_up, lambda digest: None, lambda digest: None]
    monkeypatch.setattr(store, "photo_owner", lambda digest: (owners or [look_up]).pop()(digest))
    enroller.enroll(jo, [first])
    writer.write(person(name="Jo"), [("1.jpg", first), ("2.jpg", second)])
    entry = report.people[jo.id]
    assert (entry.photos, entry.already_there) == (1, 1)
    assert len(store.photo_ids(jo.id)) == 2


def test_another_process_adds_the_person_at_the_same_moment(
    enroller, store, writer, report, monkeypatch
):
    first, second = enroller.prepare(samples.hopper()), enroller.prepare(samples.hopper(80))
    look_up = store.criminals_named

    def before_the_other(name):
        monkeypatch.setattr(store, "criminals_named", look_up)
        found = look_up(name)
        enroller.add(criminal_from_fields({"name": "Jo"}), [first])
        return found

    monkeypatch.setattr(store, "criminals_named", before_the_other)
    writer.write(person(name="Jo"), [("2.jpg", second)])
    (jo,) = store.criminals()
    assert len(store.photo_ids(jo.id)) == 2
    assert (report.people[jo.id].is_new, report.people[jo.id].photos) == (False, 1)


def test_an_edit_by_another_process_holds(enroller, store, writer, monkeypatch):
    jo = add(store, name="Jo", age=40)
    look_up = store.criminals_named

    def before_the_other(name):
        found = look_up(name)
        store.edit_criminal(jo.id, {"status": "apprehended"})
        return found

    monkeypatch.setattr(store, "criminals_named", before_the_other)
    writer.write(person(name="Jo", age=41), [("1.jpg", enroller.prepare(samples.hopper()))])
    after = store.criminal(jo.id)
    assert (after.age, after.status) == (41, "apprehended")


def test_someone_who_is_removed_meanwhile_is_not_brought_back(
    enroller, store, writer, report, monkeypatch
):
    jo = add(store, name="Jo")
    look_up = store.criminal

    def before_the_other(criminal_id):
        found = look_up(criminal_id)
        store.remove_criminal(criminal_id)
        return found

    monkeypatch.setattr(store, "criminal", before_the_other)
    photo = enroller.prepare(samples.hopper())
    writer.write(Person({}, [], criminal_id=jo.id), [("1.jpg", photo)])
    assert store.criminals() == []
    assert [(one.path, one.reason) for one in report.refused] == [("1.jpg", "person removed")]
