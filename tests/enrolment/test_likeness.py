"""Photos of one person, and photos that got among them."""

from __future__ import annotations

import numpy as np
import pytest

from susracker.enrolment.likeness import find_unlike
from susracker.plugins import open_detector, open_encoder
from susracker.watchlist.scoring import load_scoring
from tests.enrolment import samples
from tests.torture.people import strangers

NOBODY = np.empty((0, 128), np.float32)


@pytest.fixture(scope="module")
def scoring():
    return load_scoring(open_encoder("dlib").id)


@pytest.fixture(scope="module")
def hopper():
    """Four photos of one person."""
    return templates(samples.hopper(), *(samples.hopper(quality) for quality in (80, 60, 40)))


@pytest.fixture(scope="module")
def others():
    """Photos of three other people."""
    return templates(samples.collins(), *strangers(2))


def templates(*photos):
    faces = [open_detector().find_in_bytes(photo)[0].chip for photo in photos]
    return open_encoder("dlib").encode(np.stack(faces))


def test_photos_of_one_person_belong_together(scoring, hopper):
    assert find_unlike(scoring, hopper, NOBODY) == {}
    assert find_unlike(scoring, hopper[:1], hopper[1:]) == {}


def test_one_photo_alone_is_not_compared(scoring, hopper):
    assert find_unlike(scoring, hopper[:1], NOBODY) == {}
    assert find_unlike(scoring, NOBODY, hopper) == {}


def test_a_photo_of_someone_else_is_found_wherever_it_is(scoring, hopper, others):
    for place in range(4):
        photos = np.insert(hopper[:3], place, others[0], axis=0)
        found = find_unlike(scoring, photos, NOBODY)
        assert {row: one.reason for row, one in found.items()} == {place: "unlike the other photos"}


def test_photos_of_as_many_people_are_all_refused(scoring, hopper, others):
    photos = np.concatenate([hopper[:1], others])
    found = find_unlike(scoring, photos, NOBODY)
    assert [found[row].reason for row in range(4)] == ["several people"] * 4
    assert "the 4 photos of this person show 4 different faces" in str(found[0])


def test_half_is_no_majority(scoring, hopper, others):
    photos = np.concatenate([hopper[:2], others[:2]])
    assert len(find_unlike(scoring, photos, NOBODY)) == 4


def test_the_photos_that_are_enrolled_say_who_it_is(scoring, hopper, others):
    photos = np.concatenate([others[:2], hopper[:1]])
    assert set(find_unlike(scoring, photos, hopper[1:2])) == {0, 1}
    assert set(find_unlike(scoring, hopper[:3], others[:1])) == {0, 1, 2}


def test_a_photo_may_be_like_one_of_several_that_are_enrolled(scoring, hopper, others):
    assert find_unlike(scoring, hopper[:1], np.concatenate([others, hopper[1:2]])) == {}
