"""Edits of the watch-list: what they cost, and what they do to searches at the same moment."""

from __future__ import annotations

import numpy as np
import pytest

from susracker.errors import StoreUnavailableError
from susracker.testing.records import MINUTE, NOON
from susracker.watchlist.gallery import SCORED_NEIGHBOURS, choose_members
from susracker.watchlist.statistics import People
from susracker.watchlist.watchlist import WatchList
from tests.watchlist.doubles import (
    DIMENSION,
    ENCODER,
    HookedMatcher,
    MemoryStore,
    tiny_scoring,
    unit,
)

SIZES = [20, 500, 999, 1000, 1001, 1500, 1999, 2001, 3001, 5001, 8001]


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def matcher():
    return HookedMatcher()


@pytest.fixture
def watchlist(store, matcher):
    return WatchList(store, ENCODER, matcher, tiny_scoring(), target_fpir=0.1)


def enrol(store, count):
    for number, vector in enumerate(unit(count, seed=1)):
        store.put(f"c{number:05}", vector[None])


def kept_mean(watchlist, criminal_id):
    return watchlist._gallery._statistics([criminal_id]).means


def expected_mean(watchlist, matcher, criminal_id):
    """Computed from scratch."""
    vectors = matcher.vectors([criminal_id])
    return pytest.approx(watchlist._gallery._scoring.statistics(vectors).means, abs=1e-5)


@pytest.mark.parametrize("size", SIZES)
def test_an_edit_leaves_most_statistics_alone(store, watchlist, size):
    enrol(store, size)
    watchlist.refresh(NOON)
    assert watchlist.prepare(10**6) == size
    store.put("c00000", unit(1, seed=2))
    store.put("new", unit(1, seed=3))
    store.remove("c00001")
    watchlist.refresh(NOON)
    # The neighbours of one vector that left and of two that changed are computed again.
    assert 2 <= watchlist.prepare(10**6) <= 3 * SCORED_NEIGHBOURS + 2
    assert store.full_reads == 1


@pytest.mark.parametrize("size", [100, 2001])
def test_members_are_chosen_anew_when_more_than_a_tenth_of_them_have_left(store, size):
    watchlist = WatchList(store, ENCODER, HookedMatcher(), tiny_scoring(), 0.1, 0.0, 100)
    enrol(store, size)
    watchlist.refresh(NOON)
    watchlist.prepare(10**6)
    chosen = watchlist._gallery.cohort_members
    for removed in chosen[:10]:
        store.remove(removed)
        watchlist.refresh(NOON)
    assert watchlist._gallery.cohort_members == chosen[10:]
    store.remove(chosen[10])
    watchlist.refresh(NOON)
    assert len(watchlist._gallery.cohort_members) == min(100, len(watchlist))
    assert watchlist.prepare(10**6) == len(watchlist)
    assert store.full_reads == 1


def test_a_template_that_is_no_vector_blinds_nobody(store, watchlist):
    enrol(store, 30)
    store.put("nothing", np.full((1, DIMENSION), np.nan, np.float32))
    watchlist.refresh(NOON)
    probes = unit(30, seed=1)
    assert all(watchlist.prefilter(probes))
    found = watchlist.identify(probes, NOON)
    assert [one[0].criminal_id for one in found] == [f"c{number:05}" for number in range(30)]


def test_a_member_whom_another_process_took_out_of_the_matcher_blinds_nobody(
    store, matcher, watchlist
):
    enrol(store, 30)
    matcher.after_load = lambda: matcher.remove("c00000")
    watchlist.refresh(NOON)
    found = watchlist.identify(unit(30, seed=1)[1:], NOON)
    assert [one[0].criminal_id for one in found] == [f"c{number:05}" for number in range(1, 30)]


def test_members_are_chosen_anew_when_more_than_a_tenth_of_them_have_changed(store, watchlist):
    enrol(store, 100)
    watchlist.refresh(NOON)
    watchlist.prepare(10**6)
    for edit in range(3):  # the same ten people three times
        for number in range(10):
            store.put(f"c{number:05}", unit(1, seed=100 * edit + number))
        watchlist.refresh(NOON)
        assert len(watchlist._gallery._outdated) == 10
    store.put("c00011", unit(1, seed=11))
    watchlist.refresh(NOON)
    assert not watchlist._gallery._outdated
    assert watchlist.prepare(10**6) == 100


def test_whoever_resembles_a_member_that_leaves_is_normalised_anew(store, matcher, watchlist):
    """One member that is nearly the same can double a deviation, and so halve a score."""
    enrol(store, 100)
    copy = unit(100, seed=1)[7:8] + 0.01 * unit(1, seed=2)
    store.put("copy", copy / np.linalg.norm(copy))
    watchlist.refresh(NOON)
    watchlist.prepare(10**6)
    store.remove("copy")
    watchlist.refresh(NOON)
    assert kept_mean(watchlist, "c00007") == expected_mean(watchlist, matcher, "c00007")


def test_members_are_chosen_anew_when_the_list_has_grown_by_more_than_a_tenth(store, watchlist):
    enrol(store, 100)
    watchlist.refresh(NOON)
    watchlist.prepare(10**6)
    for number, computed in enumerate([*[1] * 10, 111]):
        store.put(f"new{number}", unit(1, seed=100 + number))
        watchlist.refresh(NOON)
        assert watchlist.prepare(10**6) == computed


def test_every_process_chooses_the_same_members_in_whatever_order_it_read_the_people():
    ids = [f"c{number}" for number in range(500)]
    chosen = choose_members(ids, 100)
    assert chosen == choose_members(ids[::-1], 100)
    assert len(set(chosen)) == 100
    assert sorted(ids) == choose_members(ids, 500)


def test_one_more_person_changes_one_member_at_most():
    ids = [f"c{number}" for number in range(500)]
    for size in range(100, 500):
        before, after = (set(choose_members(ids[:n], 100)) for n in (size, size + 1))
        assert len(before - after) <= 1


def test_whoever_expires_leaves_the_list_at_the_next_refresh(store, watchlist):
    enrol(store, 20)
    store.put("c00003", unit(1, seed=3), expires_at=NOON + MINUTE)
    watchlist.refresh(NOON)
    store.put("c00004", unit(1, seed=4), expires_at=NOON + MINUTE)
    assert watchlist.refresh(NOON) == 1
    threshold = watchlist.threshold
    assert watchlist.refresh(NOON + MINUTE) == 2
    assert len(watchlist) == 18
    assert watchlist.threshold < threshold
    store.put("c00004", unit(1, seed=4), expires_at=NOON + 3 * MINUTE)
    assert watchlist.refresh(NOON + 2 * MINUTE) == 1
    assert len(watchlist) == 19
    assert watchlist.refresh(NOON + 3 * MINUTE) == 1
    assert watchlist.refresh(NOON + 3 * MINUTE) == 0
    assert len(watchlist) == 18


def test_expiry_times_of_a_long_list_are_read_a_part_at_a_refresh(store, watchlist, monkeypatch):
    monkeypatch.setattr("susracker.watchlist.watchlist.EXPIRIES_AT_ONCE", 5)
    for number, vector in enumerate(unit(12, seed=1)):
        store.put(f"c{number}", vector[None], expires_at=NOON + MINUTE)
    sizes = [watchlist.refresh(NOON) and len(watchlist)]
    for _ in range(4):
        watchlist.refresh(NOON + MINUTE)
        sizes.append(len(watchlist))
    assert sizes == [12, 7, 2, 0, 0]


def test_an_edit_while_the_list_is_loaded_is_read_by_the_next_refresh(
    store, watchlist, monkeypatch
):
    enrol(store, 20)
    read = store.template_rows

    def read_then_edit(*given, **named):
        rows = read(*given, **named)
        store.put("new", unit(1, seed=3))
        return rows

    with monkeypatch.context() as patched:
        patched.setattr(store, "template_rows", read_then_edit)
        watchlist.refresh(NOON)
    assert watchlist.refresh(NOON) == 1
    assert len(watchlist) == 21


def test_a_store_that_fails_in_a_refresh_loses_no_expiry(store, watchlist, monkeypatch):
    enrol(store, 20)
    store.put("c00003", unit(1, seed=3), expires_at=NOON + MINUTE)
    watchlist.refresh(NOON)
    with monkeypatch.context() as patched:
        patched.setattr(store, "template_rows", fail)
        with pytest.raises(StoreUnavailableError):
            watchlist.refresh(NOON + MINUTE)
    assert watchlist.refresh(NOON + MINUTE) == 1
    assert len(watchlist) == 19


def fail(*given, **named):
    raise StoreUnavailableError("unplugged")


def test_copies_that_were_removed_a_moment_ago_do_not_hide_a_wanted_person(store, watchlist):
    enrol(store, 20)
    person = unit(1, seed=9)
    for number in range(7):
        store.put(f"a{number}", person)
    store.put("wanted", person)
    watchlist.refresh(NOON)
    for number in range(7):
        store.remove(f"a{number}")
    assert [one.criminal_id for one in watchlist.identify(person, NOON)[0]][:1] == ["wanted"]


def test_an_edit_between_the_computing_of_statistics_and_their_use_hides_nobody(
    store, matcher, watchlist, monkeypatch
):
    enrol(store, 20)
    watchlist.refresh(NOON)
    person = unit(20, seed=1)[7:8]
    learn = People.learn

    def learn_then_edit(people, *given):
        learn(people, *given)
        monkeypatch.setattr(People, "learn", learn)
        store.put("c00007", person, name="Another Name")
        watchlist.refresh(NOON)

    monkeypatch.setattr(People, "learn", learn_then_edit)
    found = watchlist.identify(person, NOON)[0]
    assert [one.name for one in found[:1]] == ["Another Name"]


def test_statistics_of_the_vector_before_an_edit_are_not_kept(store, matcher, watchlist):
    enrol(store, 20)
    watchlist.refresh(NOON)

    def edit():
        store.put("c00007", unit(1, seed=2))
        watchlist.refresh(NOON)

    matcher.after_vectors = edit
    watchlist.identify(unit(20, seed=1)[7:8], NOON)
    watchlist.prepare(100)
    assert kept_mean(watchlist, "c00007") == expected_mean(watchlist, matcher, "c00007")


def test_a_search_just_before_the_matcher_has_the_new_vector_pins_nothing(
    store, matcher, watchlist
):
    enrol(store, 20)
    watchlist.refresh(NOON)
    before = unit(20, seed=1)[7:8]
    matcher.before_load = lambda: watchlist.identify(before, NOON)
    store.put("c00007", unit(1, seed=2))
    watchlist.refresh(NOON)
    assert kept_mean(watchlist, "c00007") == expected_mean(watchlist, matcher, "c00007")


def test_whoever_is_removed_during_a_search_is_not_found(store, matcher, watchlist):
    enrol(store, 20)
    watchlist.refresh(NOON)

    def remove():
        store.remove("c00007")
        watchlist.refresh(NOON)

    matcher.after_search = remove
    found = watchlist.identify(unit(20, seed=1)[7:8], NOON)[0]
    assert "c00007" not in [one.criminal_id for one in found]
