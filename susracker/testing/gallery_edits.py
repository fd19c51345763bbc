"""How people in every gallery are edited and found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from susracker.errors import ConflictError, InputError, NotFoundError
from susracker.plugins import open_store
from susracker.stores.base import Gallery
from susracker.testing.race import THREADS, race
from susracker.testing.records import (
    ENCODER,
    NOON,
    criminal,
    enroll,
    full_criminal,
    photo,
    template,
)


def test_an_edit_changes_only_the_fields_that_are_given(gallery: Gallery) -> None:
    before = full_criminal()
    gallery.add_criminal(before)
    gallery.edit_criminal("c1", {"status": "wanted", "expires_at": None, "crimes": ("theft",)})
    after = replace(before, status="wanted", expires_at=None, crimes=("theft",))
    assert gallery.criminal("c1") == after
    gallery.edit_criminal("c1", {"expires_at": NOON})
    assert gallery.criminal("c1") == replace(after, expires_at=NOON)


def test_edits_of_different_fields_at_once_all_hold(gallery: Gallery, url: str) -> None:
    edits: list[dict[str, object]] = [
        {"name": "Jo"},
        {"age": 7},
        {"threat": "low"},
        {"status": "apprehended"},
        {"case_reference": "K"},
        {"crimes": ("theft",)},
    ]
    gallery.add_criminal(criminal())
    with open_store(url) as other:
        race(lambda n: (gallery, other)[n % 2].edit_criminal("c1", edits[n]), len(edits))
    found = gallery.criminal("c1")
    assert all(getattr(found, name) == value for edit in edits for name, value in edit.items())


def test_an_edit_during_the_upload_of_a_photo_holds(gallery: Gallery) -> None:
    gallery.add_criminal(criminal())
    taken = photo()
    gallery.edit_criminal("c1", {"status": "apprehended"})
    gallery.edit_criminal("c1", {}, [taken], [template(taken)])
    assert gallery.criminal("c1").status == "apprehended"
    assert gallery.template_counts(ENCODER) == {"c1": 1}


def test_an_edit_does_not_bring_a_removed_person_back(gallery: Gallery) -> None:
    gallery.add_criminal(criminal())
    gallery.remove_criminal("c1")
    taken = photo()
    with pytest.raises(NotFoundError):
        gallery.edit_criminal("c1", {"name": "Jo"}, [taken], [template(taken)])
    assert gallery.criminals() == []
    assert gallery.photo_owner(taken.digest) is None


def test_an_edit_of_an_older_revision_is_refused(gallery: Gallery) -> None:
    gallery.add_criminal(criminal())
    revision = gallery.criminal("c1").revision
    gallery.edit_criminal("c1", {"name": "Jo"}, revision=revision)
    taken = photo()
    with pytest.raises(ConflictError):
        gallery.edit_criminal("c1", {"name": "Max"}, [taken], revision=revision)
    assert gallery.criminal("c1").name == "Jo"
    assert gallery.photo_owner(taken.digest) is None
    newer = gallery.criminal("c1").revision
    assert newer > revision > 0
    gallery.edit_criminal("c1", {"name": "Max"}, revision=newer)
    assert gallery.criminal("c1").name == "Max"


def test_of_edits_of_one_revision_one_succeeds(gallery: Gallery, url: str) -> None:
    gallery.add_criminal(criminal())
    revision = gallery.criminal("c1").revision
    with open_store(url) as other:
        results = race(
            lambda n: (gallery, other)[n % 2].edit_criminal(
                "c1", {"name": f"Name {n}"}, revision=revision
            )
        )
    (won,) = (number for number, result in enumerate(results) if result is None)
    assert all(isinstance(one, ConflictError) for one in results if one is not None)
    assert gallery.criminal("c1").name == f"Name {won}"


def test_a_new_name_may_have_to_be_nobody_elses(gallery: Gallery) -> None:
    gallery.add_criminal(criminal("c1", name="Jo", case_reference="A"))
    gallery.add_criminal(criminal("c2", name="Max"))
    with pytest.raises(ConflictError, match="'Jo'"):
        gallery.edit_criminal("c2", {"name": "Jo", "age": 7}, name_is_new=True)
    assert (gallery.criminal("c2").name, gallery.criminal("c2").age) == ("Max", None)
    gallery.edit_criminal("c1", {"name": "Jo", "age": 8}, name_is_new=True)
    gallery.edit_criminal("c2", {"age": 9}, name_is_new=True)
    gallery.edit_criminal("c2", {"name": "jo"}, name_is_new=True)
    gallery.edit_criminal("c2", {"name": "Jo"})
    assert len(gallery.criminals_named("Jo")) == 2


def test_of_those_who_take_one_name_at_once_one_succeeds(gallery: Gallery, url: str) -> None:
    for number in range(THREADS):
        gallery.add_criminal(criminal(f"c{number}", name=f"Name {number}"))
    with open_store(url) as other:

        def take(number: int) -> None:
            by = (gallery, other)[number % 2]
            if number < 2:
                by.add_criminal(criminal(f"new {number}", name="Jo"), name_is_new=True)
            else:
                by.edit_criminal(f"c{number}", {"name": "Jo"}, name_is_new=True)

        results = race(take)
    assert sum(isinstance(one, ConflictError) for one in results) == THREADS - 1
    assert len(gallery.criminals_named("Jo")) == 1


def test_who_is_enrolled_again_has_another_revision(gallery: Gallery) -> None:
    gallery.add_criminal(criminal())
    revision = gallery.criminal("c1").revision
    gallery.remove_criminal("c1")
    gallery.add_criminal(criminal())
    with pytest.raises(ConflictError):
        gallery.edit_criminal("c1", {"name": "Jo"}, revision=revision)


def test_a_new_template_is_a_new_revision(gallery: Gallery) -> None:
    taken = photo()
    gallery.add_criminal(criminal(), [taken])
    revision = gallery.criminal("c1").revision
    gallery.add_template(template(taken))
    assert gallery.criminal("c1").revision > revision


@pytest.mark.parametrize("name", ["id", "created_at", "last_seen_at", "revision", "nonsense"])
def test_other_fields_cannot_be_edited(gallery: Gallery, name: str) -> None:
    gallery.add_criminal(criminal())
    with pytest.raises(InputError, match=name):
        gallery.edit_criminal("c1", {name: "x"})


# -- pages -------------------------------------------------------------------------------------


def test_people_are_found_in_pages(gallery: Gallery) -> None:
    for number in (4, 2, 0, 3, 1):
        gallery.add_criminal(criminal(f"c{number}", name=f"Name {number // 2}"))
    assert [one.id for one in gallery.find_criminals()] == ["c0", "c1", "c2", "c3", "c4"]
    assert [one.id for one in gallery.find_criminals(limit=2)] == ["c0", "c1"]
    assert [one.id for one in gallery.find_criminals(after="c1", limit=2)] == ["c2", "c3"]
    assert [one.id for one in gallery.find_criminals(after="c3", limit=2)] == ["c4"]
    assert gallery.find_criminals(after="c4") == []
    with pytest.raises(NotFoundError):
        gallery.find_criminals(after="removed")


def test_upper_and_lower_case_are_sorted_alike(gallery: Gallery) -> None:
    names = {"c1": "émile", "c2": "Zoë", "c3": "ÉMILE", "c4": "adam", "c5": "Bo", "c6": "Jo"}
    for criminal_id, name in names.items():
        gallery.add_criminal(criminal(criminal_id, name=name))
    gallery.edit_criminal("c6", {"name": "aaron"})
    expected = ["c6", "c4", "c5", "c2", "c1", "c3"]
    assert [one.id for one in gallery.criminals()] == expected
    assert [one.id for one in gallery.criminals(expected[::-1])] == expected
    assert [one.id for one in gallery.find_criminals()] == expected
    last = gallery.find_criminals(limit=4)[-1].id
    assert [one.id for one in gallery.find_criminals(after=last)] == expected[4:]
    assert [one.id for one in gallery.find_criminals("o", after="c5")] == ["c2"]


def test_people_are_found_by_part_of_a_name_or_case_or_the_start_of_an_id(
    gallery: Gallery,
) -> None:
    gallery.add_criminal(criminal("aa1", name="Zoë O'Brien"))
    gallery.add_criminal(criminal("ab2", name="ÉMILE 100%", case_reference="K-17/2026"))
    gallery.add_criminal(criminal("bb3", name="Max_Roe"))

    def found(query: str, **page: Any) -> list[str]:
        return sorted(one.id for one in gallery.find_criminals(query, **page))

    assert found("zoË") == ["aa1"]
    assert found("émile") == ["ab2"]
    assert found("k-17") == ["ab2"]
    assert found("a") == ["aa1", "ab2", "bb3"]
    assert found("ab") == ["ab2"]
    assert found("b3") == []
    assert found("%") == ["ab2"]
    assert found("_") == ["bb3"]
    assert found("o'") == ["aa1"]
    assert found("e", after="bb3") == ["aa1", "ab2"]


def test_photo_ids_and_template_counts_of_many(gallery: Gallery) -> None:
    first, second = enroll(gallery, "c1", photos=2)
    (third,) = enroll(gallery, "c2")
    assert gallery.photo_ids_of(["c2", "c1", "nobody"]) == {
        "c1": [first.photo_id, second.photo_id],
        "c2": [third.photo_id],
        "nobody": [],
    }
    assert gallery.template_counts(ENCODER, ["c1", "nobody"]) == {"c1": 2}
    assert gallery.template_counts("another", ["c1"]) == {}


def test_ids_may_hold_any_character(gallery):
    taken = photo("a.$b", id="p.$1")
    gallery.add_criminal(criminal("a.$b"), [taken])
    assert gallery.photo_ids("a.$b") == ["p.$1"]
    assert gallery.photos_without_template("dlib/1.5") == ["p.$1"]
    gallery.edit_criminal("a.$b", {}, [], [template(taken, "dlib/1.5")])
    assert gallery.photos_without_template("dlib/1.5") == []
    assert gallery.photo_owner(taken.digest) == "a.$b"
    assert [one.photo_id for one in gallery.templates("a.$b")] == ["p.$1"]
