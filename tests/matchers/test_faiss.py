"""Searching a part finds almost always whom searching everything finds."""

from __future__ import annotations

import threading

import faiss
import numpy as np
import pytest

from susracker.matchers.exact import ExactMatcher
from susracker.matchers.faiss import LISTS_FROM, FaissMatcher
from susracker.watchlist.fitting import virtual_people
from susracker.watchlist.scoring import load_scoring

COUNT = LISTS_FROM + 5000


@pytest.fixture(scope="module")
def people():
    """As alike as real faces are."""
    cohort = load_scoring("dlib-resnet-v1").cohort
    return virtual_people(cohort, COUNT, np.random.default_rng(1))


@pytest.fixture(scope="module")
def names():
    return [f"c{number:06}" for number in range(COUNT)]


@pytest.fixture
def loaded(people, names):
    matcher = FaissMatcher(128)
    matcher.load(names[: COUNT - 3000], people[: COUNT - 3000].copy())
    matcher.load(names[COUNT - 3000 :], people[COUNT - 3000 :].copy())
    return matcher


def test_the_true_best_person_is_found(loaded, people, names):
    random = np.random.default_rng(2)
    probes = people[random.choice(COUNT, 500, replace=False)]
    probes = probes + 0.03 * random.normal(size=probes.shape).astype(np.float32)
    probes /= np.linalg.norm(probes, axis=1, keepdims=True)
    exact = ExactMatcher(128)
    exact.load(names, people.copy())
    true = [found[0] for found in exact.search(probes, 1)]
    near = [found[0] for found in loaded.search(probes, 50)]
    same = [one.criminal_id == other.criminal_id for one, other in zip(true, near, strict=True)]
    assert np.mean(same) >= 0.99
    for one, other in zip(true, near, strict=True):
        if one.criminal_id == other.criminal_id:
            assert one.similarity == pytest.approx(other.similarity, abs=1e-5)


def test_lists_follow_edits_and_removals(loaded, people):
    assert len(loaded) == COUNT
    for number in range(10):
        loaded.remove(f"c{number:06}")
    loaded.upsert("c000020", people[5:7])
    assert len(loaded) == COUNT - 10
    (found,) = loaded.search(people[5:6], 3)
    assert found[0].criminal_id == "c000020"
    gone = {f"c{number:06}" for number in range(10)}
    for found in loaded.search(people[:10], 20):
        assert not gone & {one.criminal_id for one in found}
    assert np.isnan(loaded.vectors(["c000003"])).all()
    np.testing.assert_allclose(loaded.vectors(["c000020"])[0], people[5], atol=1e-6)


def test_faiss_computes_on_one_core_whichever_thread_calls(loaded, people):
    calls = {
        "search": lambda: loaded.search(people[:1], 1),
        "load": lambda: loaded.load(["c000001"], people[1:2].copy()),
        "remove": lambda: loaded.remove("c000002"),
        "vectors": lambda: loaded.vectors(["c000003"]),
    }
    threads = {}

    def call(name: str) -> None:
        faiss.omp_set_num_threads(4)  # as in a new thread on a machine with four cores
        calls[name]()
        threads[name] = faiss.omp_get_max_threads()

    for name in calls:
        thread = threading.Thread(target=call, args=[name])
        thread.start()
        thread.join()
    assert threads == dict.fromkeys(calls, 1)
