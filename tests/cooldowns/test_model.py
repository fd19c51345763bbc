"""The cooldown against a model of a few lines, with failures between taking and storing."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import redis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from susracker.plugins import open_cooldown
from tests.cooldowns.model import SPAN, Model
from tests.services.servers import redis_url
from tests.state_machines import machine_settings

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)

keys = st.sampled_from(["ann", "bob", "ann\x1fgate"])
halves = st.integers(0, 4 * SPAN).map(lambda n: n / 2)


class CooldownMachine(RuleBasedStateMachine):
    """Detections of several cameras, each of which is stored or fails."""

    def __init__(self, cooldown) -> None:
        super().__init__()
        self.cooldown = cooldown
        self.model = Model()
        self.now = 0.0
        self.seen: list[tuple[str, str]] = []
        self.under_way: list[tuple[str, str]] = []

    @rule(key=keys)
    def another_detection(self, key):
        self.acquire(key, f"t{len(self.seen)}")

    @precondition(lambda self: self.seen)
    @rule(data=st.data())
    def the_same_detection_again(self, data):
        self.acquire(*data.draw(st.sampled_from(self.seen)))

    def acquire(self, key, token):
        passed = self.cooldown.try_acquire(key, NOON + timedelta(seconds=self.now), token)
        assert passed == self.model.acquire(key, self.now, token)
        self.seen.append((key, token))
        if passed:
            self.under_way.append((key, token))

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def a_write_succeeds(self, data):
        self.under_way.remove(data.draw(st.sampled_from(self.under_way)))

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def a_write_fails(self, data):
        key, token = data.draw(st.sampled_from(self.under_way))
        self.under_way.remove((key, token))
        self.cooldown.release(key, token)
        self.model.release(key, token)

    @rule(key=keys)
    def what_holds_nothing_is_given_back(self, key):
        self.cooldown.release(key, "nobody's")

    @rule(seconds=halves)
    def time_passes(self, seconds):
        self.now += seconds

    @rule(seconds=halves)
    def a_clock_is_set_back(self, seconds):
        self.now -= seconds


def test_memory():
    run_state_machine_as_test(
        lambda: CooldownMachine(open_cooldown("memory", SPAN)), settings=machine_settings()
    )


def test_redis(redis_server):
    with redis.Redis(port=redis_server.port) as client:
        cooldown = open_cooldown(redis_url(redis_server), SPAN)

        def afresh() -> CooldownMachine:
            client.flushall()
            return CooldownMachine(cooldown)

        run_state_machine_as_test(afresh, settings=machine_settings())
        assert cooldown.problem is None
        cooldown.close()
