"""Which faces are worth a full embedding, judged by a fast one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from susracker.watchlist.gallery import Scored
from susracker.watchlist.watchlist import PREFILTER_MARGIN, WatchList
from tests.contracts.records import NOON
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
    least = watchlist.threshold - PREFILTER_MARGIN
    scores = [[least], [least + 1, least - 1], [math.nextafter(least, -math.inf)], []]
    found = [[Scored("c1", 0.5, score) for score in some] for some in scores]
    monkeypatch.setattr(watchlist._gallery, "search", lambda probes: found)
    assert watchlist.prefilter(PEOPLE[:4]).tolist() == [True, True, False, False]
