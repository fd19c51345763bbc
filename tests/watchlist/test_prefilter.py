"""Which faces are worth a full embedding, judged by a fast one."""

from __future__ import annotations

import numpy as np
import pytest

from susracker.testing.records import NOON
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
    gallery = watchlist._gallery
    expected = [found[0].score for found in gallery.search(PEOPLE)]
    assert gallery.best_scores(PEOPLE).tolist() == expected
