"""The fair queue, beside a model that is a list of what was put in."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from susracker.runtime.fair_queue import FairQueue
from tests.state_machines import machine_settings

KEYS = st.sampled_from("abcd")


def filled(*puts: str) -> FairQueue[str]:
    queue: FairQueue[str] = FairQueue()
    for put in puts:
        queue.put(put[0], put)
    return queue


def test_keys_take_turns():
    queue = filled("a1", "a2", "a3", "b1", "c1", "c2")
    assert [queue.take() for _ in range(6)] == ["a1", "b1", "c1", "a2", "c2", "a3"]


def test_nothing_waits():
    with pytest.raises(IndexError, match="nothing waits"):
        FairQueue().take()


def test_the_surplus_is_the_newest_of_the_noisiest():
    queue = filled("a1", "a2", "a3", "b1", "b2")
    assert queue.take_surplus("c") == "a3"
    assert queue.take_surplus("b") is None  # with one more it would be the noisiest itself
    assert queue.take_surplus("a") is None
    assert filled("a1", "b1").take_surplus("c") is None


def test_who_gives_up_is_taken_out_once():
    queue = filled("a1", "b1")
    assert queue.remove("a", "a1")
    assert not queue.remove("a", "a1")
    assert (len(queue), queue.take()) == (1, "b1")


class Machine(RuleBasedStateMachine):
    """Whatever happens, nothing is lost, and nobody is passed over twice."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: FairQueue[tuple[str, int]] = FairQueue()
        self.model: list[tuple[str, int]] = []
        self.passed_over: dict[str, set[str]] = {}
        self.number = 0

    @rule(key=KEYS)
    def put(self, key: str) -> None:
        self.number += 1
        self.model.append((key, self.number))
        self.queue.put(key, (key, self.number))

    @rule()
    def take(self) -> None:
        if not self.model:
            return
        key, number = self.queue.take()
        assert number == min(n for k, n in self.model if k == key)
        self.model.remove((key, number))
        for other in {k for k, _ in self.model} - {key}:
            assert key not in self.passed_over.setdefault(other, set())
            self.passed_over[other].add(key)
        self.passed_over[key] = set()

    @rule(key=KEYS)
    def take_surplus(self, key: str) -> None:
        counts = {one: sum(k == one for k, _ in self.model) for one in "abcd"}
        surplus = self.queue.take_surplus(key)
        if max(counts.values()) <= counts[key] + 1:
            assert surplus is None
            return
        assert surplus is not None
        assert counts[surplus[0]] == max(counts.values())
        assert surplus[1] == max(n for k, n in self.model if k == surplus[0])
        self.model.remove(surplus)
        self.forget_the_gone()

    @rule(chance=st.integers(0, 1000))
    def give_up(self, chance: int) -> None:
        if self.model:
            gone = self.model.pop(chance % len(self.model))
            assert self.queue.remove(gone[0], gone)
            assert not self.queue.remove(gone[0], gone)
            self.forget_the_gone()

    def forget_the_gone(self) -> None:
        waiting = {key for key, _ in self.model}
        self.passed_over = {k: v for k, v in self.passed_over.items() if k in waiting}

    @invariant()
    def knows_how_many_wait(self) -> None:
        assert len(self.queue) == len(self.model)


TestMachine = Machine.TestCase
TestMachine.settings = machine_settings(40)
