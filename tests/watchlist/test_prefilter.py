"""Which faces are worth a full embedding, judged by a fast one."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from susracker.testing.records import NOON
from susracker.watchlist import gallery
from susracker.watchlist.watchlist import PREFILTER_MARGIN, WatchList
from tests.watchlist.doubles import ENCODER, HookedMatcher, MemoryStore, tiny_scoring, unit

PEOPLE = unit(20, seed=1)


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def watchlist(store):
    return WatchList(store, ENCODER, HookedMatcher(), tiny_scoring(), target_fpir=0.1)


def test_nobody_is_like_anyone_on_an_empty_list(watchlist):
    watchlist.refresh(NOON)
    assert watchlist.prefilter(PEOPLE[:3]).tolist() == [False] * 3


def test_people_on_the_list_pass_and_their_opposites_do_not(store, watchlist):
    for number, vector in enumerate(PEOPLE):
        store.put(f"c{number}", vector[None])
    watchlist.refresh(NOON)
    assert watchlist.prefilter(PEOPLE).all()
    opposites = -PEOPLE.mean(axis=0, keepdims=True)
    assert watchlist.prefilter(opposites / np.linalg.norm(opposites)).tolist() == [False]
    assert watchlist.prefilter(PEOPLE[:0]).dtype == bool


def test_the_best_score_may_be_below_the_threshold_by_a_margin(store, watchlist, monkeypatch):
    store.put("c1", PEOPLE[:1])
    watchlist.refresh(NOON)
    least = watchlist.threshold - PREFILTER_MARGIN + 1e-4
    below = least - 2e-4
    best = np.array([least, least + 1, below, -np.inf], np.float32)
    monkeypatch.setattr(watchlist._gallery, "best_scores", lambda probes: best)
    assert watchlist.prefilter(PEOPLE[:4]).tolist() == [True, True, False, False]


def test_the_best_score_is_the_first_that_a_search_finds(store, watchlist):
    for number, vector in enumerate(PEOPLE):
        store.put(f"c{number}", vector[None])
    watchlist.refresh(NOON)
    people = watchlist._gallery
    expected = [found[0].score for found in people.search(PEOPLE)]
    assert people.best_scores(PEOPLE).tolist() == expected


def test_threads_that_search_at_once_find_what_each_finds_alone(store, watchlist, monkeypatch):
    for number, vector in enumerate(PEOPLE):
        store.put(f"c{number}", vector[None])
    watchlist.refresh(NOON)
    probes = unit(200, seed=2)
    alone = [watchlist._gallery.search(probe[None]) for probe in probes]
    monkeypatch.setattr(gallery, "TOGETHER_FROM", len(PEOPLE))
    together: list[int] = []
    shared = watchlist._gallery._together
    compare = shared._work

    def noted(items):
        while not together and len(shared._waiting) < 7:
            time.sleep(0.001)
        together.append(len(items))
        return compare(items)

    shared._work = noted
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda probe: watchlist._gallery.search(probe[None]), probes))
    assert together[0] == 1
    assert together[1] >= 7
    for (mine,), (theirs,) in zip(found, alone, strict=True):
        assert [one.criminal_id for one in mine] == [one.criminal_id for one in theirs]
        scores = [one.score for one in theirs]
        assert [one.score for one in mine] == pytest.approx(scores, abs=1e-4)
