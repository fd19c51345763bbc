"""Several workers share a channel, die at any moment, or are taken for dead; the receiver fails,
refuses, and loses answers: no alert is lost, order is kept, and repeats have the same id."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from susracker.delivery.outbox import LEASE_SECONDS, LONGEST_WAIT, Courier
from susracker.delivery.rules import Rule
from susracker.delivery.selection import Alerts
from susracker.errors import ConflictError
from susracker.plugins import open_store
from susracker.stores.outbox import ChannelState
from susracker.testing.records import activity
from tests.delivery.receiver import ANSWERS, Receiver, Time, options
from tests.state_machines import machine_settings

NODES = 3
GATES = (Rule(to=["phone"], cameras=["gate-*"]),)


class Died(BaseException):
    """What kills a worker; nothing catches it."""


class Mortal:
    """A store under a worker that dies just before, or just after, one of its next writes."""

    def __init__(self, store) -> None:
        self._store = store
        self.writes_left: int | None = None
        self.writes_last = False

    def __getattr__(self, name):
        return getattr(self._store, name)

    def put_channel(self, *args, **kwargs):
        if self.writes_left is not None:
            self.writes_left -= 1
        if self.writes_left == -1 and not self.writes_last:
            raise Died
        stored = self._store.put_channel(*args, **kwargs)
        if self.writes_left == -1:
            raise Died
        return stored


class OutboxMachine(RuleBasedStateMachine):
    def __init__(self, per_minute: int) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = open_store(f"sqlite:///{Path(self.folder.name) / 'store.db'}")
        self.time, self.receiver = Time(), Receiver()
        self.options = options(per_minute=per_minute)
        self.wanted: list[int] = []
        self.accidents = 0
        self.two_at_once = False
        self.was_dead: set[int] = set()
        self.nodes = [self.new_node() for _ in range(NODES)]

    def new_node(self):
        mortal = Mortal(self.store)
        selection = Alerts(mortal, self.options, GATES)
        return mortal, Courier(mortal, "phone", selection, self.receiver, self.time.clock)

    def step(self, number):
        mortal, courier = self.nodes[number]
        try:
            courier.step()
        except Died:
            self.accidents += 1
            self.nodes[number] = self.new_node()
        else:
            mortal.writes_left = None
        letters = self.store.dead_letters("phone")
        self.was_dead |= {n for one in letters for n in range(one.seq, one.last_seq + 1)}

    def change(self, **fields):
        """What a person does on the command line."""
        while True:
            state = self.store.channel("phone")
            try:
                return self.store.put_channel(replace(state, **fields))
            except ConflictError:
                continue

    @rule(cameras=st.lists(st.sampled_from(["gate-1", "gate-2", "yard"]), min_size=1, max_size=6))
    def alerts_are_stored(self, cameras):
        new = [
            activity(camera_id=one, occurred_at=self.time.now, received_at=self.time.now)
            for one in cameras
        ]
        stored = self.store.record([], new)
        self.wanted += [one.seq for one in stored if one.camera_id != "yard"]

    @rule(number=st.integers(0, NODES - 1), steps=st.integers(1, 5))
    def a_node_works(self, number, steps):
        for _ in range(steps):
            self.step(number)

    @rule(number=st.integers(0, NODES - 1), writes=st.integers(0, 3), last=st.booleans())
    def a_node_dies_at_work(self, number, writes, last):
        mortal, _ = self.nodes[number]
        mortal.writes_left, mortal.writes_last = writes, last
        self.a_node_works(number, 3)

    @rule(data=st.data())
    def a_node_is_taken_for_dead_at_work(self, data):
        slow, other = data.draw(st.permutations(range(NODES)))[:2]

        def meanwhile():
            self.accidents += 1
            before = len(self.receiver.messages)
            self.step(other)
            self.two_at_once |= len(self.receiver.messages) > before
            self.time.seconds += LEASE_SECONDS
            for _ in range(3):
                self.step(other)

        self.receiver.during = meanwhile
        self.step(slow)
        self.receiver.during = lambda: None

    @rule(does=st.sampled_from(list(ANSWERS)))
    def the_receiver_changes(self, does):
        self.receiver.does = does
        self.accidents += does == "takes it, and the answer is lost"

    @rule(seconds=st.sampled_from([0.5, 3.0, LEASE_SECONDS, 70.0, LONGEST_WAIT]))
    def time_passes(self, seconds):
        self.time.seconds += seconds

    @rule()
    def a_person_pauses_the_channel(self):
        self.change(paused="lunch")

    @rule()
    def a_person_resumes_the_channel(self):
        self.change(paused="")

    @precondition(lambda self: self.store.dead_letters("phone"))
    @rule()
    def a_person_retries(self):
        self.accidents += 1
        again = [replace(one, again=True) for one in self.store.dead_letters("phone")]
        self.store.put_channel(self.store.channel("phone"), add=again)

    def teardown(self):
        self.receiver.does = "takes it"
        self.change(paused="")
        for _ in range(400):
            before = (len(self.receiver.messages), self.store.channel("phone").cursor)
            for number in range(NODES):
                self.step(number)
            self.time.seconds += 61
            idle = before == (len(self.receiver.messages), self.store.channel("phone").cursor)
            if idle and not self.store.channel("phone").holder and self.is_level():
                break
        self.check()
        self.store.close()
        self.folder.cleanup()

    def is_level(self):
        return self.time.seconds and not set(self.wanted) - set(self.known())

    def known(self):
        letters = self.store.dead_letters("phone")
        dead = [n for one in letters for n in range(one.seq, one.last_seq + 1)]
        return [*self.receiver.seqs(), *dead]

    def check(self):
        assert not self.two_at_once
        got = self.receiver.seqs()
        assert not set(self.wanted) - set(self.known()), "lost"
        assert set(got) <= set(self.wanted), "unwanted"
        in_order = [seq for seq in got if seq not in self.was_dead]
        assert in_order == sorted(in_order)
        bodies = {}
        for sent in self.receiver.messages:
            about = [one.seq for one in sent.alerts]
            assert bodies.setdefault(sent.id, about) == about
        told = [seq for about in bodies.values() for seq in about if seq not in self.was_dead]
        assert len(told) == len(set(told)), "a repeat has another id"
        if not self.accidents:
            assert len(bodies) == len(self.receiver.messages)
        assert self.store.channel("phone").holder == ""


@pytest.mark.timeout(0)
@pytest.mark.parametrize("per_minute", [0, 2])
def test_nothing_is_lost_and_order_is_kept(per_minute):
    run_state_machine_as_test(
        lambda: OutboxMachine(per_minute), settings=machine_settings(steps_per_run=30)
    )


def test_a_new_channel_begins_with_what_is_new(tmp_path):
    with open_store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        store.record([], [activity(camera_id="gate-1")])
        receiver, time = Receiver(), Time()
        courier = Courier(store, "phone", Alerts(store, options(), GATES), receiver, time.clock)
        assert store.channels() == [ChannelState("phone", 1)]
        store.record([], [activity(camera_id="gate-1")])
        courier.step()
        assert receiver.seqs() == [2]
