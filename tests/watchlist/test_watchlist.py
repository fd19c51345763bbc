"""The watch-list: its members in the cohort, and lists of every size."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from susracker.benchmark.datasets import read_dataset
from susracker.benchmark.embedding import Embedder
from susracker.benchmark.rules import stack_templates
from susracker.plugins import open_encoder, open_matcher, open_store
from susracker.testing.records import NOON, criminal, photo, template
from susracker.watchlist.scoring import load_scoring
from susracker.watchlist.watchlist import WatchList
from tests.pictures import shared

shipped = load_scoring("dlib-resnet-v1")


@pytest.fixture
def store(tmp_path):
    with open_store(f"sqlite:///{tmp_path / 'people.db'}") as store:
        yield store


@pytest.fixture
def people(store):
    return WatchList(store, "dlib/1", open_matcher("exact", 128), shipped, 0.01)


def enrol(store, criminal_id, vectors=None):
    """With one made-up template, or with `vectors`, shape (n, 128)."""
    photos = [photo(criminal_id) for _ in range(1 if vectors is None else len(vectors))]
    templates = [template(one) for one in photos]
    if vectors is not None:
        templates = [
            type(one)(one.photo_id, criminal_id, one.encoder_id, vector, one.quality)
            for one, vector in zip(templates, vectors, strict=True)
        ]
    store.put_criminal(criminal(criminal_id), photos, templates)
    return templates[0].vector


def in_cohort(people, vector) -> bool:
    return bool((people._gallery._scoring.cohort @ vector > 0.99999).any())


def test_enrolled_people_are_cohort_members_until_they_are_removed(store, people):
    vectors = {f"c{number}": enrol(store, f"c{number}") for number in range(30)}
    people.refresh(NOON)
    assert all(in_cohort(people, vector) for vector in vectors.values())
    store.remove_criminal("c7")
    people.refresh(NOON)
    assert not in_cohort(people, vectors["c7"])
    assert len(people._gallery._scoring.cohort) == len(shipped.cohort) + 29


def test_a_list_that_grew_has_the_scores_of_one_that_was_loaded(store, people):
    for number in range(40):
        enrol(store, f"c{number}")
        people.refresh(NOON)
    loaded = WatchList(store, "dlib/1", open_matcher("exact", 128), shipped, 0.01)
    loaded.refresh(NOON)
    ids = [f"c{number}" for number in range(40)]
    grown, fresh = (one._gallery._statistics(ids) for one in (people, loaded))
    assert grown.means == pytest.approx(fresh.means, abs=0.01)
    assert grown.deviations == pytest.approx(fresh.deviations, abs=0.01)
    assert people.threshold == pytest.approx(loaded.threshold, abs=0.01)


def test_a_new_photo_changes_the_vector_of_a_cohort_member(store, people):
    before = enrol(store, "c1")
    enrol(store, "c2")
    people.refresh(NOON)
    another = photo("c1")
    store.put_criminal(criminal("c1"), [another], [template(another)])
    people.refresh(NOON)
    assert not in_cohort(people, before)
    assert sorted(people._gallery.cohort_members) == ["c1", "c2"]


@cache
def real_people():
    """All templates of each of some people of LFW's development set."""
    dataset = read_dataset(shared("lfw-dev"), limit=150)
    embedded = Embedder(open_encoder("dlib")).embed_all(dataset.photos, workers=2)
    found = [
        [embedded[one] for one in photos if embedded[one].found]
        for photos in dataset.people.values()
    ]
    return [stack_templates(photos) for photos in found if photos]


@pytest.mark.parametrize("size", [1, 5, 20])
def test_a_short_list_finds_its_people_among_others(store, people, size):
    several = [person for person in real_people() if len(person) > 1]
    others = np.stack([person[0] for person in real_people() if len(person) == 1])
    found = searches = returned = 0
    for start in range(0, 20, size):
        for number, person in enumerate(several[start : start + size]):
            enrol(store, f"c{number}", person[:1])
        people.refresh(NOON)
        for number, person in enumerate(several[start : start + size]):
            for candidates in people.identify(person[1:], NOON):
                searches += 1
                found += bool(candidates) and candidates[0].criminal_id == f"c{number}"
        returned += sum(map(bool, people.identify(others, NOON)))
        for number in range(size):
            store.remove_criminal(f"c{number}")
    assert found / searches > 0.8
    assert returned / (len(others) * 20 / size) < 0.03


def test_what_searches_need_is_prepared_a_few_at_a_time(store, people):
    for number in range(25):
        enrol(store, f"c{number}")
    people.refresh(NOON)
    assert [people.prepare(10) for _ in range(4)] == [10, 10, 5, 0]
    enrol(store, "new")
    people.refresh(NOON)
    assert people.prepare(10) == 1
