"""What every outbox must do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from susracker.errors import ConflictError, NotFoundError
from susracker.plugins import open_store
from susracker.stores.base import Store
from susracker.stores.outbox import MAX_LETTERS, ChannelState, DeadLetter
from susracker.testing.race import THREADS, race
from susracker.testing.records import MINUTE, NOON

FULL = ChannelState(
    "phone",
    cursor=7,
    holder="someone",
    paused="on holiday",
    problem="no answer, Zoë 王",
    failures=3,
    faults=2,
    retry_at=NOON,
    window_at=NOON - MINUTE,
    in_window=4,
    gathering_to=9,
)


def letter(seq: int, **fields: object) -> DeadLetter:
    values = {"last_seq": seq, "reason": "422 no", "failed_at": NOON, "again": False}
    return DeadLetter(seq, **values | fields)


def test_a_channel_comes_back_as_it_was_stored(store: Store) -> None:
    assert store.channels() == []
    assert store.add_channel(FULL) == FULL
    assert store.add_channel(ChannelState("email", 0)) == ChannelState("email", 0)
    assert store.channels() == [ChannelState("email", 0), FULL]
    assert store.channel("phone") == FULL


def test_a_channel_that_exists_is_left_as_it_is(store: Store) -> None:
    store.add_channel(FULL)
    assert store.add_channel(ChannelState("phone", 99)) == FULL
    assert store.channel("phone") == FULL


def test_an_unknown_channel_is_not_found(store: Store) -> None:
    with pytest.raises(NotFoundError):
        store.channel("phone")
    with pytest.raises(ConflictError):
        store.put_channel(FULL)
    assert store.channels() == []
    assert store.dead_letters("phone") == []


def test_each_change_has_the_next_revision(store: Store) -> None:
    first = store.add_channel(FULL)
    second = store.put_channel(replace(first, cursor=8, retry_at=None))
    assert second == replace(first, cursor=8, retry_at=None, revision=first.revision + 1)
    assert store.channel("phone") == second
    third = store.put_channel(second)
    assert third.revision == second.revision + 1


def test_a_change_that_is_based_on_an_earlier_state_is_refused(store: Store) -> None:
    first = store.add_channel(FULL)
    second = store.put_channel(replace(first, cursor=8), add=[letter(8)])
    with pytest.raises(ConflictError):
        store.put_channel(replace(first, cursor=9), add=[letter(9)], remove=[8])
    assert store.channel("phone") == second
    assert store.dead_letters("phone") == [letter(8)]


def test_dead_letters_change_with_the_state(store: Store) -> None:
    state = store.put_channel(store.add_channel(FULL), add=[letter(9), letter(8, last_seq=11)])
    assert store.dead_letters("phone") == [letter(8, last_seq=11), letter(9)]
    state = store.put_channel(state, add=[letter(9, again=True, reason="500")])
    assert store.dead_letters("phone")[1] == letter(9, again=True, reason="500")
    state = store.put_channel(state, add=[letter(10)], remove=[8, 77])
    assert [one.seq for one in store.dead_letters("phone")] == [9, 10]
    store.put_channel(state)
    assert [one.seq for one in store.dead_letters("phone")] == [9, 10]


def test_dead_letters_are_those_of_one_channel(store: Store) -> None:
    store.put_channel(store.add_channel(FULL), add=[letter(9)])
    other = store.add_channel(ChannelState("email", 0))
    other = store.put_channel(other, add=[letter(9, reason="other")])
    store.put_channel(other, remove=[9])
    assert store.dead_letters("phone") == [letter(9)]
    assert store.dead_letters("email") == []


def test_the_newest_dead_letters_are_kept(store: Store) -> None:
    many = [letter(seq) for seq in range(1, MAX_LETTERS + 4)]
    store.put_channel(store.add_channel(FULL), add=many)
    assert store.dead_letters("phone") == many[3:]


def test_of_those_who_change_a_channel_at_once_one_wins(url: str) -> None:
    with open_store(url) as here, open_store(url) as there:
        state = here.add_channel(ChannelState("phone", 0))
        for _ in range(5):
            stores = (here, there)
            results = race(
                lambda n, state=state, stores=stores: stores[n % 2].put_channel(
                    replace(state, holder=f"worker {n}"), add=[letter(n)]
                )
            )
            won = [one for one in results if isinstance(one, ChannelState)]
            assert len(won) == 1
            lost = [one for one in results if one not in won]
            assert all(isinstance(one, ConflictError) for one in lost)
            assert len(lost) == THREADS - 1
            state = there.channel("phone")
            assert state == won[0]
            assert [one.seq for one in here.dead_letters("phone")] == [results.index(state)]
            state = here.put_channel(state, remove=range(THREADS))


def test_of_those_who_add_a_channel_at_once_all_are_told_the_same(url: str) -> None:
    with open_store(url) as here, open_store(url) as there:
        stores = (here, there)
        told = race(lambda n: stores[n % 2].add_channel(ChannelState("phone", n)))
        assert told == [here.channel("phone")] * THREADS
