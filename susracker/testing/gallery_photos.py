"""How one photo is removed from every gallery."""

from __future__ import annotations

from typing import Any

import pytest

from susracker.errors import ConflictError, NotFoundError
from susracker.stores.base import Gallery
from susracker.testing.race import THREADS, race
from susracker.testing.records import ENCODER, criminal, enroll, photo, template


def test_a_removed_photo_is_gone_with_its_templates_and_the_others_stay(gallery: Gallery) -> None:
    wrong, right = photo("c1"), photo("c1")
    made = [template(wrong), template(right), template(wrong, "other.2")]
    gallery.put_criminal(criminal("c1"), [wrong, right], made)
    enroll(gallery, "c2")
    before = gallery.criminal("c1").revision
    changes = gallery.changes(0).revision
    gallery.remove_photo("c1", wrong.id)
    assert gallery.photo_ids("c1") == [right.id]
    assert gallery.photo_owner(wrong.digest) is None
    with pytest.raises(NotFoundError):
        gallery.photo(wrong.id)
    assert [one.photo_id for one in gallery.templates("c1")] == [right.id]
    assert gallery.template_counts(ENCODER) == {"c1": 1, "c2": 1}
    assert gallery.template_counts("other.2") == {}
    assert gallery.template_rows("other.2").criminal_ids == []
    assert gallery.photos_without_template("other.2")[0] == right.id
    assert gallery.photo(right.id) == right
    assert gallery.criminal("c1").revision > before
    assert gallery.changes(changes).criminal_ids == {"c1"}


def test_the_last_photo_may_be_removed_and_the_same_picture_added_again(gallery: Gallery) -> None:
    only = photo("c1")
    gallery.put_criminal(criminal("c1"), [only], [template(only)])
    gallery.remove_photo("c1", only.id)
    assert gallery.photo_ids("c1") == gallery.templates("c1") == []
    assert gallery.criminal("c1").name == "Ada Nowak"
    again = photo("c2", content=only.content)
    gallery.put_criminal(criminal("c2"), [again], [template(again)])
    assert gallery.photo_owner(only.digest) == "c2"


def test_only_a_photo_of_that_person_is_removed_and_only_once(gallery: Gallery) -> None:
    mine, theirs = photo("c1"), photo("c2")
    gallery.put_criminal(criminal("c1"), [mine])
    gallery.put_criminal(criminal("c2"), [theirs])
    gallery.remove_photo("c1", mine.id)
    revision = gallery.changes(0).revision
    for who, which in [("c1", theirs.id), ("c1", mine.id), ("c1", "?"), ("nobody", theirs.id)]:
        with pytest.raises(NotFoundError):
            gallery.remove_photo(who, which)
    assert gallery.photo(theirs.id) == theirs
    assert gallery.changes(0).revision == revision


def test_a_photo_is_removed_only_on_the_revision_that_is_named(gallery: Gallery) -> None:
    taken = photo("c1")
    gallery.put_criminal(criminal("c1"), [taken])
    old = gallery.criminal("c1").revision
    gallery.edit_criminal("c1", {"age": 40})
    with pytest.raises(ConflictError):
        gallery.remove_photo("c1", taken.id, revision=old)
    assert gallery.photo_ids("c1") == [taken.id]
    gallery.remove_photo("c1", taken.id, revision=gallery.criminal("c1").revision)
    assert gallery.photo_ids("c1") == []


def test_of_threads_that_race_to_remove_a_photo_one_wins(gallery: Gallery) -> None:
    taken = [photo("c1") for _ in range(2)]
    gallery.put_criminal(criminal("c1"), taken, [template(one) for one in taken])
    results = race(lambda n: gallery.remove_photo("c1", taken[0].id))
    assert results.count(None) == 1
    assert all(one is None or isinstance(one, NotFoundError) for one in results)
    assert gallery.photo_ids("c1") == [taken[1].id]


def test_a_template_that_is_made_during_a_removal_is_gone_or_refused(gallery: Gallery) -> None:
    for number in range(5):
        taken = photo("c1")
        gallery.put_criminal(criminal("c1"), [taken])
        made = [template(taken, f"encoder {one}") for one in range(THREADS)]

        def act(n: int, taken: Any = taken, made: Any = made) -> None:
            if n == 0:
                gallery.remove_photo("c1", taken.id)
            else:
                gallery.add_template(made[n])

        results = race(act)
        assert results[0] is None
        assert all(one is None or isinstance(one, NotFoundError) for one in results[1:])
        assert gallery.templates("c1") == [], number
        assert not any(gallery.template_counts(one.encoder_id) for one in made)
