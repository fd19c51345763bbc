"""What every gallery must do."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import numpy as np
import pytest

from susracker.errors import ConflictError, DuplicateError, NotFoundError
from susracker.plugins import open_store
from susracker.stores.base import Gallery
from susracker.testing.race import THREADS, race
from susracker.testing.records import (
    ENCODER,
    MICROSECOND,
    NOON,
    criminal,
    enroll,
    full_criminal,
    photo,
    template,
)


@pytest.mark.parametrize("one", [criminal(), full_criminal()], ids=["bare", "full"])
def test_a_criminal_comes_back_as_stored(gallery: Gallery, one: Any) -> None:
    gallery.put_criminal(one)
    assert gallery.criminal(one.id) == one


def test_a_new_criminal_without_a_date_gets_the_present_one(gallery: Gallery) -> None:
    before = datetime.now(timezone.utc)
    gallery.put_criminal(criminal(created_at=None))
    created_at = gallery.criminal("c1").created_at
    assert created_at is not None
    assert before <= created_at <= datetime.now(timezone.utc)


def test_replacing_a_criminal_adds_photos_and_templates(gallery: Gallery) -> None:
    first = enroll(gallery, "c1")
    second = enroll(gallery, "c1")
    assert gallery.photo_ids("c1") == [one.photo_id for one in first + second]
    assert gallery.template_counts(ENCODER) == {"c1": 2}


def test_a_photo_that_is_stored_already_leaves_nothing_behind(gallery: Gallery) -> None:
    known = photo("c1")
    gallery.put_criminal(criminal("c1"), [known])
    revision = gallery.changes(0).revision
    fresh, again = photo("c2"), photo("c2", content=known.content)
    with pytest.raises(DuplicateError):
        gallery.put_criminal(criminal("c2"), [fresh, again], [template(fresh), template(again)])
    with pytest.raises(NotFoundError):
        gallery.criminal("c2")
    with pytest.raises(DuplicateError):
        gallery.put_criminal(criminal("c1", name="Edited"), [photo("c1", content=known.content)])
    assert gallery.criminal("c1").name == "Ada Nowak"
    assert gallery.photo_owner(fresh.digest) is None
    assert gallery.template_counts(ENCODER) == {}
    assert gallery.changes(0).revision == revision


def test_the_same_photo_twice_at_once_is_a_duplicate(gallery: Gallery) -> None:
    one = photo()
    with pytest.raises(DuplicateError):
        gallery.put_criminal(criminal(), [one, replace(one, id="other")])
    assert gallery.criminals() == []


def test_of_threads_that_race_to_store_a_photo_one_wins(gallery: Gallery) -> None:
    content = b"the same picture"
    results = race(
        lambda n: gallery.put_criminal(criminal(f"c{n}"), [photo(f"c{n}", content=content)])
    )
    assert results.count(None) == 1
    owner = gallery.photo_owner(photo(content=content).digest)
    assert [one.id for one in gallery.criminals()] == [owner] == [f"c{results.index(None)}"]


def test_a_template_of_an_unknown_photo_leaves_nothing_behind(gallery: Gallery) -> None:
    with pytest.raises(NotFoundError):
        gallery.put_criminal(criminal(), [], [template(photo())])
    assert gallery.criminals() == []


def test_a_criminal_is_removed_only_once(gallery: Gallery) -> None:
    gallery.put_criminal(criminal())
    gallery.remove_criminal("c1")
    revision = gallery.changes(0).revision
    with pytest.raises(NotFoundError):
        gallery.remove_criminal("c1")
    assert gallery.changes(0).revision == revision


def test_a_criminal_is_removed_only_on_the_revision_that_is_named(gallery: Gallery) -> None:
    gallery.put_criminal(criminal("c1"), [photo("c1")])
    old = gallery.criminal("c1").revision
    gallery.edit_criminal("c1", {"age": 40})
    with pytest.raises(ConflictError):
        gallery.remove_criminal("c1", revision=old)
    assert gallery.criminal("c1").age == 40
    assert len(gallery.photo_ids("c1")) == 1
    gallery.remove_criminal("c1", revision=gallery.criminal("c1").revision)
    with pytest.raises(NotFoundError):
        gallery.remove_criminal("c1", revision=old)


def test_criminals_are_in_order_of_name_and_then_id(gallery: Gallery) -> None:
    for criminal_id, name in [("3", "B"), ("1", "C"), ("2", "B"), ("4", "A")]:
        gallery.put_criminal(criminal(criminal_id, name=name))
    assert [one.id for one in gallery.criminals()] == ["4", "2", "3", "1"]
    assert [one.id for one in gallery.criminals(["1", "3", "2", "nobody", "2"])] == ["2", "3", "1"]
    assert gallery.criminals([]) == []


def test_many_criminals_are_asked_for_at_once(gallery: Gallery) -> None:
    enroll(gallery, "c1")
    asked = ["c1", *(f"nobody {n}" for n in range(50_000))]
    assert [one.id for one in gallery.criminals(asked)] == ["c1"]
    assert gallery.template_rows(ENCODER, asked).criminal_ids == ["c1"]


def test_criminals_of_exactly_a_name(gallery: Gallery) -> None:
    for criminal_id, name in [("2", "Ada"), ("1", "Ada"), ("3", "ada"), ("4", "Ada N")]:
        gallery.put_criminal(criminal(criminal_id, name=name))
    assert [one.id for one in gallery.criminals_named("Ada")] == ["1", "2"]
    assert gallery.criminals_named("Nobody") == []


def test_changes_name_who_was_added_edited_or_removed(gallery: Gallery) -> None:
    assert gallery.changes(0).criminal_ids == frozenset()
    for one in ("c1", "c2", "c3"):
        gallery.put_criminal(criminal(one))
    added = gallery.changes(0)
    assert added.criminal_ids == {"c1", "c2", "c3"}
    gallery.put_criminal(criminal("c2", status="apprehended"))
    gallery.remove_criminal("c3")
    edited = gallery.changes(added.revision)
    assert edited.criminal_ids == {"c2", "c3"}
    assert edited.revision > added.revision
    assert gallery.changes(edited.revision).criminal_ids == frozenset()
    assert gallery.changes(edited.revision).revision == edited.revision
    assert gallery.changes(0).criminal_ids == {"c1", "c2", "c3"}


def test_a_change_follows_those_of_another_process(gallery: Gallery, url: str) -> None:
    """Also where nothing is left of some that the other made."""
    gallery.add_criminal(criminal("c1"))
    with open_store(url) as other:
        for _ in range(3):
            other.put_criminal(criminal("c2"))
        revision = other.revision()
        gallery.remove_criminal("c1")
        assert other.changes(revision).criminal_ids == {"c1"}


def test_the_revision_is_that_of_the_newest_change(gallery: Gallery) -> None:
    assert gallery.revision() == 0
    for change in (
        lambda: gallery.put_criminal(criminal("c1")),
        lambda: gallery.put_criminal(criminal("c2")),
        lambda: gallery.remove_criminal("c2"),
    ):
        before = gallery.revision()
        change()
        assert gallery.revision() == gallery.changes(0).revision > before


def test_who_follows_changes_hears_of_every_one(gallery: Gallery) -> None:
    heard: set[str] = set()
    done = threading.Event()

    def follow() -> None:
        revision, last = 0, False
        while not last:
            last = done.is_set()
            found = gallery.changes(revision)
            revision = found.revision
            heard.update(found.criminal_ids)

    follower = threading.Thread(target=follow)
    follower.start()
    race(lambda n: [gallery.put_criminal(criminal(f"{n}-{m}")) for m in range(10)])
    done.set()
    follower.join()
    assert heard == {f"{n}-{m}" for n in range(THREADS) for m in range(10)}


def test_a_photo_comes_back_as_stored(gallery: Gallery) -> None:
    taken = photo(content=bytes(range(256)) * 4000)
    gallery.put_criminal(criminal(), [taken])
    assert gallery.photo(taken.id) == taken
    assert gallery.photo_owner(taken.digest) == "c1"
    assert gallery.photo_owner("0" * 64) is None
    with pytest.raises(NotFoundError):
        gallery.photo("unknown")


def test_photos_are_in_order_of_enrolment(gallery: Gallery) -> None:
    gallery.put_criminal(criminal("c1"), [photo("c1", id="z"), photo("c1", id="b")])
    gallery.put_criminal(criminal("c2"), [photo("c2", id="m")])
    gallery.put_criminal(criminal("c1"), [photo("c1", id="a")])
    assert gallery.photo_ids("c1") == ["z", "b", "a"]
    assert gallery.photos_without_template(ENCODER) == ["z", "b", "m", "a"]
    assert gallery.photo_ids("unknown") == []


def test_template_rows_are_exact_and_a_criminals_stand_together(gallery: Gallery) -> None:
    expected: dict[str, set[bytes]] = {}
    for one in ("c2", "c1", "c2", "c3", "c1"):
        expected.setdefault(one, set()).update(
            made.vector.tobytes() for made in enroll(gallery, one, photos=2)
        )
    rows = gallery.template_rows(ENCODER)
    assert rows.vectors.dtype == np.float32
    assert rows.vectors.shape == (10, 128)
    found: dict[str, set[bytes]] = {}
    for owner, vector in zip(rows.criminal_ids, rows.vectors, strict=True):
        found.setdefault(owner, set()).add(vector.tobytes())
    assert found == expected
    changes_of_owner = sum(
        one != other for one, other in zip(rows.criminal_ids, rows.criminal_ids[1:], strict=False)
    )
    assert changes_of_owner == 2


def test_template_rows_of_some_and_of_no_one(gallery: Gallery) -> None:
    assert len(gallery.template_rows(ENCODER).vectors) == 0
    for one in ("c1", "c2", "c3"):
        enroll(gallery, one)
    assert sorted(gallery.template_rows(ENCODER, {"c3", "c1", "?"}).criminal_ids) == ["c1", "c3"]
    nothing = gallery.template_rows(ENCODER, [])
    assert nothing.criminal_ids == []
    assert nothing.vectors.shape[0] == 0
    assert nothing.vectors.ndim == 2


def test_template_rows_of_who_is_wanted(gallery: Gallery) -> None:
    enroll(gallery, "wanted")
    enroll(gallery, "caught", status="apprehended")
    enroll(gallery, "until later", expires_at=NOON + MICROSECOND)
    enroll(gallery, "until now", expires_at=NOON)
    rows = gallery.template_rows(ENCODER, wanted_at=NOON)
    assert sorted(rows.criminal_ids) == ["until later", "wanted"]
    assert rows.vectors.shape == (2, 128)
    some = gallery.template_rows(ENCODER, ["wanted", "caught"], wanted_at=NOON)
    assert some.criminal_ids == ["wanted"]
    assert len(gallery.template_rows(ENCODER).criminal_ids) == 4


def test_templates_of_encoders_are_kept_apart(gallery: Gallery) -> None:
    taken = photo()
    gallery.put_criminal(criminal(), [taken], [template(taken), template(taken, "other", seed=1)])
    assert gallery.template_rows(ENCODER).vectors.shape == (1, 128)
    assert gallery.template_counts("other") == {"c1": 1}
    assert gallery.template_counts("third") == {}
    assert gallery.photos_without_template("third") == [taken.id]
    assert gallery.photos_without_template("other") == []


def test_a_template_takes_the_place_of_the_same_encoders(gallery: Gallery) -> None:
    taken, bare = photo(), photo()
    gallery.put_criminal(criminal(), [taken, bare], [template(taken, seed=1)])
    assert gallery.photos_without_template(ENCODER) == [bare.id]
    better = template(taken, seed=2)
    gallery.add_template(better)
    assert gallery.template_counts(ENCODER) == {"c1": 1}
    np.testing.assert_array_equal(gallery.template_rows(ENCODER).vectors, [better.vector])
    gallery.add_template(template(bare))
    assert gallery.template_counts(ENCODER) == {"c1": 2}
    assert gallery.photos_without_template(ENCODER) == []


def test_templates_come_back_as_stored(gallery: Gallery) -> None:
    first, second = photo(id="a.$1"), photo(id="b")
    made = [template(second), template(first, "other/2.0", seed=1), template(first)]
    gallery.put_criminal(criminal(), [first, second], made)
    enroll(gallery, "c2")
    found = gallery.templates("c1")
    keys = [(one.photo_id, one.criminal_id, one.encoder_id, one.quality) for one in found]
    expected = sorted(made, key=lambda one: (one.photo_id, one.encoder_id))
    assert keys == [(o.photo_id, o.criminal_id, o.encoder_id, o.quality) for o in expected]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.vector, other.vector)
    assert gallery.templates("unknown") == []


def test_a_template_of_a_photo_that_was_removed_is_refused(gallery: Gallery) -> None:
    taken = photo()
    gallery.put_criminal(criminal(), [taken])
    gallery.remove_criminal("c1")
    with pytest.raises(NotFoundError):
        gallery.add_template(template(taken))
    assert len(gallery.template_rows(ENCODER).vectors) == 0


# -- adding, and editing against a revision ----------------------------------------------------


def test_a_new_person_does_not_take_the_place_of_another(gallery: Gallery) -> None:
    gallery.add_criminal(criminal(name="First"))
    taken = photo()
    with pytest.raises(ConflictError):
        gallery.add_criminal(criminal(name="Second"), [taken])
    assert gallery.criminal("c1").name == "First"
    assert gallery.photo_owner(taken.digest) is None


def test_a_name_may_have_to_be_new(gallery: Gallery) -> None:
    gallery.add_criminal(criminal("c1", name="Jo", case_reference="A"))
    for number, fields in enumerate([{}, {"case_reference": "A"}]):
        with pytest.raises(ConflictError):
            gallery.add_criminal(criminal(f"n{number}", name="Jo", **fields), name_is_new=True)
    gallery.add_criminal(criminal("c2", name="Jo", case_reference="B"), name_is_new=True)
    gallery.add_criminal(criminal("c3", name="Jo"))
    gallery.add_criminal(criminal("c4", name="jo"), name_is_new=True)
    assert len(gallery.criminals()) == 4


def test_of_those_who_add_one_name_at_once_one_succeeds(url: str) -> None:
    with open_store(url) as one, open_store(url) as other:
        race(lambda n: (one, other)[n % 2].add_criminal(criminal(f"c{n}"), name_is_new=True))
        assert len(one.criminals()) == 1
