"""What every store of a site's plan must do."""

from __future__ import annotations

from susracker.models import Place, Plan
from susracker.plugins import open_store
from susracker.stores.base import Store

FIRST = Plan("d1", "image/png", b"\x89PNG one")
SECOND = Plan("d2", "image/jpeg", b"\xff\xd8 two")


def test_there_is_no_plan_at_first(store: Store) -> None:
    assert store.plan() is None
    assert store.places() == []
    store.remove_plan()
    store.remove_place("gate")


def test_a_plan_replaces_the_one_before_and_can_be_removed(store: Store) -> None:
    store.put_plan(FIRST)
    assert store.plan() == FIRST
    store.put_plan(SECOND)
    assert store.plan() == SECOND
    store.remove_plan()
    assert store.plan() is None


def test_cameras_have_places_by_id_and_keep_them(store: Store) -> None:
    store.put_place(Place("hall $1.2", 0.5, 0.25))
    store.put_place(Place("Gate", 0.0, 1.0))
    store.put_plan(FIRST)
    store.remove_plan()
    assert store.places() == [Place("Gate", 0.0, 1.0), Place("hall $1.2", 0.5, 0.25)]
    store.put_place(Place("Gate", 0.75, 0.125))
    store.remove_place("hall $1.2")
    assert store.places() == [Place("Gate", 0.75, 0.125)]


def test_a_plan_and_places_outlive_the_process(url: str) -> None:
    with open_store(url) as store:
        store.put_plan(FIRST)
        store.put_place(Place("gate", 0.1, 0.9))
    with open_store(url) as store:
        assert store.plan() == FIRST
        assert store.places() == [Place("gate", 0.1, 0.9)]
