"""Handlers that run interleaved in every order, with a store that fails at any point.

Whatever happens, what the cooldown holds is what was stored, and an event has one outcome.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from contextlib import closing
from datetime import datetime
from unittest import mock

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from susracker.cooldowns.base import HISTORY, Cooldown
from susracker.errors import StoreUnavailableError
from tests.cooldowns.model import SPAN, Model
from tests.state_machines import machine_settings
from tests.tracking.light import NOON, activity, face, open_light
from tests.tracking.stepping import Stepper

MOMENTS = [-60, -57, -50, -40]
"""Each is that of one event at most, for a key remembers no more than that."""


class ModelCooldown(Cooldown):
    """The model as a cooldown, where handlers stop. It notes who held whom back."""

    def __init__(self) -> None:
        super().__init__(SPAN)
        self.afresh()

    def afresh(self) -> None:
        self.model = Model()
        self.tokens: dict[Stepper, str] = {}
        self.held_back: list[tuple[Stepper, str]] = []

    @classmethod
    def from_url(cls, url: str, seconds: float) -> ModelCooldown:
        return cls()

    def try_acquire(self, key: str, at: datetime, token: str) -> bool:
        handler = Stepper.stop()
        self.tokens[handler] = token
        passed = self.model.acquire(key, (at - NOON).total_seconds(), token)
        if not passed:
            self.held_back.append((handler, self.model.holds[key][-1][1]))
        return passed

    def release(self, key: str, token: str) -> None:
        Stepper.stop()
        self.model.release(key, token)

    def close(self) -> None:
        """Nothing to let go of."""


class HandlingMachine(RuleBasedStateMachine):
    """One camera's detections, some of them twice, handled at once."""

    def __init__(self, tracker, cooldown: ModelCooldown, camera: str) -> None:
        super().__init__()
        self.tracker, self.cooldown, self.camera = tracker, cooldown, camera
        cooldown.afresh()
        self.handlers: dict[Stepper, object] = {}
        self.failing: set[Stepper] = set()
        self.failed: set[Stepper] = set()
        for target, method in (
            (tracker.journal, "event_outcome"),
            (tracker.journal, "record"),
            (tracker.store, "photo_ids"),
        ):
            self.stop_at(target, method)

    def stop_at(self, target, name: str) -> None:
        method = getattr(type(target), name).__get__(target)

        def stopping(*args, **named):
            handler = Stepper.stop()
            if handler in self.failing:
                self.failing.remove(handler)
                raise StoreUnavailableError("the disk is full")
            return method(*args, **named)

        mock.patch.object(target, name, stopping).start()

    def handle(self, detection) -> None:
        handler = Stepper(self.tracker.handle, detection)
        self.handlers[handler] = detection

    def running(self) -> list[Stepper]:
        return [handler for handler in self.handlers if not handler.done]

    @precondition(lambda self: self.unseen())
    @rule(data=st.data(), has_id=st.booleans(), who=st.sampled_from([None, b"ann", b"ann,bob"]))
    def a_detection_arrives(self, data, has_id, who):
        moment = data.draw(st.sampled_from(self.unseen()))
        event_id = f"e{moment}" if has_id else None
        if who is None:
            self.handle(activity(moment, event_id, self.camera))
        else:
            self.handle(face(moment, event_id, self.camera, who))

    def unseen(self) -> list[int]:
        seen = {one.occurred_at for one in self.handlers.values()}
        return [one for one in MOMENTS if activity(one).occurred_at not in seen]

    @precondition(lambda self: self.with_id())
    @rule(data=st.data())
    def it_arrives_again(self, data):
        self.handle(data.draw(st.sampled_from(self.with_id())))

    def with_id(self) -> list:
        found = {one.event_id: one for one in self.handlers.values() if one.event_id}
        return list(found.values())

    @precondition(lambda self: self.running())
    @rule(data=st.data(), steps=st.integers(1, 3))
    def a_handler_goes_on(self, data, steps):
        handler = data.draw(st.sampled_from(self.running()))
        for _ in range(steps):
            if not handler.done:
                handler.step()

    @precondition(lambda self: self.running())
    @rule(data=st.data())
    def the_store_fails_a_handler(self, data):
        handler = data.draw(st.sampled_from(self.running()))
        self.failing.add(handler)
        self.failed.add(handler)

    @rule()
    def housekeeping(self):
        self.tracker.keep_house()

    def teardown(self):
        try:
            self.finish()
            self.check_errors()
            self.check_events()
            self.check_holds()
            self.check_held_back()
        finally:
            mock.patch.stopall()

    def finish(self) -> None:
        for handler in self.handlers:
            while not handler.done:
                handler.step()

    def check_errors(self) -> None:
        """Who met no failure has no error."""
        for handler in self.handlers:
            if handler.error:
                assert isinstance(handler.error, StoreUnavailableError)
                assert handler in self.failed

    def check_events(self) -> None:
        """An event has one outcome, whoever handled it; what was answered is stored, once."""
        answers, alerts = defaultdict(set), set()
        for handler, detection in self.handlers.items():
            if handler.result:
                ids = frozenset(alert.id for alert in handler.result.alerts)
                answers[detection.event_id or handler].add((handler.result.kind, ids))
                alerts |= ids
        assert all(len(different) == 1 for different in answers.values())
        stored = self.tracker.journal.alerts(limit=10**6)
        assert {one.id for one in stored if one.camera_id == self.camera} == alerts

    def check_holds(self) -> None:
        """A key is held by exactly those whose alert was stored."""
        stored = defaultdict(set)
        for handler, token in self.cooldown.tokens.items():
            for alert in handler.result.alerts if handler.result else ():
                stored[alert.cooldown_key].add(token)
        holds = self.cooldown.model.holds
        assert {key: {hold[1] for hold in held} for key, held in holds.items() if held} == stored

    def check_held_back(self) -> None:
        """No event was held back by itself."""
        tokens = self.cooldown.tokens
        for handler, by in self.cooldown.held_back:
            event_id = self.handlers[handler].event_id
            same = {one for one in self.handlers if self.handlers[one].event_id == event_id}
            assert event_id is None or by not in {tokens.get(one) for one in same}


def test_handlers_that_run_interleaved(tmp_path):
    assert len(MOMENTS) <= HISTORY
    cooldown, numbers = ModelCooldown(), itertools.count()
    with closing(open_light(f"sqlite:///{tmp_path / 'people.db'}", cooldown)) as tracker:
        run_state_machine_as_test(
            lambda: HandlingMachine(tracker, cooldown, f"camera {next(numbers)}"),
            # A failure is short as it is; to make it shorter would take minutes.
            settings=settings(machine_settings(40), phases=[Phase.generate]),
        )
