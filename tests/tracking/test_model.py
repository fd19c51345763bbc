"""Handlers of two servers, interleaved in every order, with a store that fails at any point.

Each server has a cooldown of its own. Whatever happens, what a cooldown holds is what was stored,
an event has one outcome, and nobody alerts twice in one span.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from unittest import mock

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from susracker.cooldowns.base import HISTORY, Cooldown
from susracker.errors import StoreUnavailableError
from susracker.models import Alert, Detection, Outcome
from susracker.tracking.alerts import new_alert
from susracker.tracking.tracker import FACE, Tracker
from tests.cooldowns.model import SPAN, Model
from tests.state_machines import machine_settings
from tests.tracking.light import NOON, activity, face, open_light
from tests.tracking.stepping import Stepper

MOMENTS = [-60, -57, -50, -40]
"""Each is that of one event at most, for a key remembers no more than that."""

SERVERS = st.integers(0, 1)
APART = timedelta(seconds=SPAN)


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
        # The first is that of the detection; others are of alerts that another server stored.
        own = self.tokens.setdefault(handler, token)
        passed = self.model.acquire(key, (at - NOON).total_seconds(), token)
        if not passed and token == own:
            self.held_back.append((handler, self.model.holds[key][-1][1]))
        return passed

    def release(self, key: str, token: str) -> None:
        Stepper.stop()
        self.model.release(key, token)

    def close(self) -> None:
        """Nothing to let go of."""


@dataclass
class Server:
    """A tracker, and what its handlers have stored.

    Attributes:
        stored: alerts, each with the token of its detection.
    """

    tracker: Tracker
    cooldown: ModelCooldown
    stored: list[tuple[Alert, str]] = field(default_factory=list)


class HandlingMachine(RuleBasedStateMachine):
    """One camera's detections, some of them twice, handled at once by two servers on one store."""

    def __init__(self, trackers: list[Tracker], camera: str) -> None:
        super().__init__()
        self.camera = camera
        self.servers = [Server(one, one._cooldown) for one in trackers]
        self.handlers: dict[Stepper, object] = {}
        self.failing: set[Stepper] = set()
        self.failed: set[Stepper] = set()
        for server in self.servers:
            server.cooldown.afresh()
            for method in ("event_outcome", "record", "photo_ids"):
                self.stop_at(server, method)

    def stop_at(self, server: Server, name: str) -> None:
        store = server.tracker.store
        method = getattr(type(store), name).__get__(store)

        def stopping(*args, **named):
            handler = Stepper.stop()
            if handler in self.failing:
                self.failing.remove(handler)
                raise StoreUnavailableError("the disk is full")
            result = method(*args, **named)
            if name == "record":
                token = server.cooldown.tokens.get(handler)
                server.stored += [(alert, token) for alert in result]
            return result

        mock.patch.object(store, name, stopping).start()

    def handle(self, detection, by: int) -> None:
        handler = Stepper(self.servers[by].tracker.handle, detection)
        self.handlers[handler] = detection

    def running(self) -> list[Stepper]:
        return [handler for handler in self.handlers if not handler.done]

    @precondition(lambda self: self.unseen())
    @rule(
        data=st.data(),
        by=SERVERS,
        has_id=st.booleans(),
        who=st.sampled_from([None, b"ann", b"ann,bob"]),
    )
    def a_detection_arrives(self, data, by, has_id, who):
        moment = data.draw(st.sampled_from(self.unseen()))
        event_id = f"e{moment}" if has_id else None
        if who is None:
            self.handle(activity(moment, event_id, self.camera), by)
        else:
            self.handle(face(moment, event_id, self.camera, who), by)

    def unseen(self) -> list[int]:
        seen = {one.occurred_at for one in self.handlers.values()}
        return [one for one in MOMENTS if activity(one).occurred_at not in seen]

    @precondition(lambda self: self.with_id())
    @rule(data=st.data(), by=SERVERS)
    def it_arrives_again(self, data, by):
        self.handle(data.draw(st.sampled_from(self.with_id())), by)

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

    @rule(by=SERVERS)
    def housekeeping(self, by):
        self.servers[by].tracker.keep_house()

    def teardown(self):
        try:
            self.finish()
            self.check_errors()
            self.check_events()
            self.check_spans()
            self.check_nobody_is_missed()
            for server in self.servers:
                self.check_holds(server)
                self.check_held_back(server.cooldown)
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
        assert {one.id for one in self.alerts()} == alerts

    def alerts(self) -> list[Alert]:
        stored = self.servers[0].tracker.journal.alerts(limit=10**6)
        return [one for one in stored if one.camera_id == self.camera]

    def check_spans(self) -> None:
        """Whoever stored them, the alerts of a key are a span apart from the one before."""
        times = defaultdict(list)
        for alert in self.alerts():
            times[alert.cooldown_key].append(alert.occurred_at)
        for moments in times.values():
            assert all(abs(later - earlier) >= APART for earlier, later in pairwise(moments))

    def check_nobody_is_missed(self) -> None:
        """Who was held back alerted less than a span away, if no write failed."""
        alerts = self.alerts()
        for handler, detection in self.handlers.items():
            if self.failed or not handler.result:
                continue
            for key in held_back_keys(detection, handler.result):
                near = [
                    one
                    for one in alerts
                    if one.cooldown_key == key
                    and abs(one.occurred_at - detection.occurred_at) < APART
                ]
                assert near

    def check_holds(self, server: Server) -> None:
        """Holds are of stored alerts, and those of its own are all there."""
        ids, own = defaultdict(set), defaultdict(set)
        for alert in self.alerts():
            ids[alert.cooldown_key].add(alert.id)
        for alert, token in server.stored:
            own[alert.cooldown_key].add(token)
        holds = server.cooldown.model.holds
        for key in holds.keys() | own.keys():
            held = {hold[1] for hold in holds[key]}
            assert held <= ids[key] | own[key]
            assert own[key] <= held or len(holds[key]) == HISTORY

    def check_held_back(self, cooldown: ModelCooldown) -> None:
        """No event was held back by itself."""
        for handler, by in cooldown.held_back:
            event_id = self.handlers[handler].event_id
            same = {one for one in self.handlers if self.handlers[one].event_id == event_id}
            assert event_id is None or by not in {cooldown.tokens.get(one) for one in same}


def held_back_keys(detection: Detection, outcome: Outcome) -> list[str]:
    """Keys of the alerts that a detection did not raise."""
    if detection.event_type != FACE:
        key = new_alert(detection, detection.occurred_at).cooldown_key
        return [key] if outcome.kind == "cooldown" else []
    raised = {alert.criminal_id for alert in outcome.alerts}
    return [
        replace(
            new_alert(detection, one.received_at), kind="face", criminal_id=one.criminal_id
        ).cooldown_key
        for one in outcome.sightings
        if one.criminal_id not in raised
    ]


def test_handlers_that_run_interleaved(tmp_path):
    assert len(MOMENTS) <= HISTORY
    numbers = itertools.count()
    url = f"sqlite:///{tmp_path / 'people.db'}"
    with ExitStack() as stack:
        trackers = [
            stack.enter_context(closing(open_light(url, ModelCooldown()))) for _ in range(2)
        ]
        run_state_machine_as_test(
            lambda: HandlingMachine(trackers, f"camera {next(numbers)}"),
            # A failure is short as it is; to make it shorter would take minutes.
            settings=settings(machine_settings(40), phases=[Phase.generate]),
        )
