"""The cooldown of a store against a few lines of Python, with two openings that take turns."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from susracker.errors import RecentAlertError
from susracker.models import Alert
from susracker.plugins import open_store
from susracker.stores.base import Store
from susracker.testing.records import MINUTE, NOON, activity, criminal, face_alert
from tests.contracts.conftest import PLAIN, url_of
from tests.state_machines import machine_settings

WRITERS = st.integers(0, 1)
PEOPLE = st.sampled_from(["ann", "bob"])
CAMERAS = st.sampled_from(["gate", "hall"])
MINUTES = st.integers(0, 12)
COOLDOWNS = st.sampled_from([0, 2, 6]).map(lambda minutes: minutes * MINUTE)


class CooldownMachine(RuleBasedStateMachine):
    """Alerts of people and activities, on cameras of its own.

    Attributes:
        alerts: what is stored, in order.
    """

    def __init__(self, stores: list[Store], number: int) -> None:
        super().__init__()
        self.stores, self.number = stores, number
        self.alerts: list[Alert] = []
        for who in ("ann", "bob"):
            self.enrol(0, who)

    def own(self, name: str) -> str:
        """A person's or a camera's id in this run."""
        return f"{name} {self.number}"

    def enrol(self, by: int, who: str) -> None:
        self.stores[by].add_criminal(criminal(self.own(who), name=self.own(who)))

    @rule(by=WRITERS, who=PEOPLE, camera=CAMERAS, minute=MINUTES, cooldown=COOLDOWNS)
    def recognise(self, by: int, who: str, camera: str, minute: int, cooldown: timedelta) -> None:
        about = face_alert(self.own(who), camera_id=self.own(camera), occurred_at=at(minute))
        self.record(by, [about], cooldown)

    @rule(by=WRITERS, minute=MINUTES, cooldown=COOLDOWNS, seconds=st.integers(-30, 30))
    def recognise_both(self, by: int, minute: int, cooldown: timedelta, seconds: int) -> None:
        """Of two cameras, and not quite at the same time: nobody says that this cannot be."""
        moments = [at(minute), at(minute) + timedelta(seconds=seconds)]
        seen = zip(("ann", "bob"), ("gate", "hall"), moments, strict=True)
        alerts = [
            face_alert(self.own(who), camera_id=self.own(camera), occurred_at=moment)
            for who, camera, moment in seen
        ]
        self.record(by, alerts, cooldown)

    @rule(by=WRITERS, camera=CAMERAS, minute=MINUTES, cooldown=COOLDOWNS)
    def see(self, by: int, camera: str, minute: int, cooldown: timedelta) -> None:
        self.record(by, [activity(camera_id=self.own(camera), occurred_at=at(minute))], cooldown)

    @rule(by=WRITERS, who=PEOPLE)
    def erase_and_enrol_again(self, by: int, who: str) -> None:
        self.stores[by].remove_criminal(self.own(who))
        self.alerts = [one for one in self.alerts if one.criminal_id != self.own(who)]
        self.enrol(1 - by, who)

    def record(self, by: int, alerts: list[Alert], cooldown: timedelta) -> None:
        newest = {one.cooldown_key: replace(one, face=None) for one in self.alerts}
        found = [(one, newest.get(one.cooldown_key)) for one in alerts]
        expected = {
            alert.id: stored
            for alert, stored in found
            if stored and abs(stored.occurred_at - alert.occurred_at) < cooldown
        }
        refused: dict[str, Alert] = {}
        try:
            self.alerts += self.stores[by].record([], alerts, cooldown=cooldown)
        except RecentAlertError as error:
            refused = dict(error.recent)
        assert refused == expected


def at(minute: int) -> datetime:
    return NOON + minute * MINUTE


@pytest.mark.parametrize("backend", PLAIN)
@pytest.mark.timeout(0)
def test_as_the_model(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    url, numbers = url_of(backend, tmp_path, request), itertools.count()
    # FerretDB reads all outcomes for each look-up.
    fewer = {"max_examples": 5} if backend == "mongodb" else {}
    with open_store(url) as one, open_store(url) as other:
        run_state_machine_as_test(
            lambda: CooldownMachine([one, other], next(numbers)),
            settings=settings(machine_settings(), **fewer),
        )
