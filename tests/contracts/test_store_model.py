"""A store against a plain model, written to by two openings that take turns at every step."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from susracker.errors import ConflictError, DuplicateError, NotFoundError
from susracker.models import Alert, Criminal, Sighting
from susracker.plugins import open_store
from susracker.stores.base import Store
from susracker.testing.records import (
    NOON,
    activity,
    camera,
    criminal,
    event,
    face_alert,
    photo,
    sighting,
    template,
)
from tests.contracts.conftest import PLAIN, url_of
from tests.state_machines import machine_settings

PEOPLE = ("c1", "c2", "c3")
EVENT_IDS = ("e1", "e2", "e3")
ENCODER_IDS = ("one/1", "two.0")

IDS = st.sampled_from(PEOPLE)
NAMES = st.sampled_from(["Ada", "ben", "Cleo"])
EVENTS = st.none() | st.sampled_from(EVENT_IDS)
MINUTES = st.integers(0, 20)
WRITERS = st.integers(0, 1)
ENCODERS = st.sampled_from(ENCODER_IDS)


@dataclass
class Person:
    """What the model knows of someone who is enrolled."""

    criminal: Criminal
    photos: list[str] = field(default_factory=list)
    templates: set[tuple[str, str]] = field(default_factory=set)


@dataclass
class Model:
    """A store in plain dictionaries."""

    people: dict[str, Person] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    sightings: list[Sighting] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    events: dict[str, tuple[Any, list[str]]] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    cameras: dict[str, int] = field(default_factory=dict)

    def remove(self, who: str) -> None:
        for photo_id in self.people.pop(who).photos:
            self.digests = {k: v for k, v in self.digests.items() if v != photo_id}
        self.sightings = [one for one in self.sightings if one.criminal_id != who]
        self.alerts = [_without(alert, who) for alert in self.alerts]

    def see(self, seen: Sighting) -> None:
        person = self.people[seen.criminal_id]
        before = person.criminal.last_seen_at
        self.sightings.append(seen)
        if before is None or before < seen.occurred_at:
            person.criminal = replace(
                person.criminal,
                last_seen_at=seen.occurred_at,
                last_seen_camera=seen.camera_id,
                last_seen_location=seen.camera_location,
            )


def _without(alert: Alert, who: str) -> Alert:
    others = tuple(one for one in alert.candidates if one.criminal_id != who)
    if alert.criminal_id != who:
        return replace(alert, candidates=others)
    return replace(alert, candidates=others, criminal_id=None, name=None, photo_id=None, face=None)


class StoreMachine(RuleBasedStateMachine):
    """Every rule does to the model what it does to the store, through either opening."""

    open: Callable[[], tuple[Store, Store]]

    def __init__(self) -> None:
        super().__init__()
        self.stores = self.open()
        self.stack = ExitStack()
        for store in self.stores:
            self.stack.enter_context(store)
        self.model = Model()
        self.revision = 0
        self.seen_revisions: dict[str, int] = {}
        self.step = 0

    def teardown(self) -> None:
        with self.stack:
            if sys.exc_info()[1] is None:  # else a difference has been found already
                self.compare_everything()

    def writes(self, who: str) -> None:
        """Someone changed: followers are to hear of it."""
        self.model.changed.add(who)

    @initialize(by=WRITERS)
    def enrol_everyone(self, by: int) -> None:
        """Else most steps would be about people who are not there."""
        for who, name in zip(PEOPLE, ("Ada", "Ben", "Cleo"), strict=True):
            self.add(by, who, name, 1, False)

    # -- gallery -----------------------------------------------------------------------------

    @rule(by=WRITERS, who=IDS, name=NAMES, photos=st.integers(0, 2), name_is_new=st.booleans())
    def add(self, by: int, who: str, name: str, photos: int, name_is_new: bool) -> None:
        taken = [photo(who) for _ in range(photos)]
        made = [template(one, "one/1") for one in taken]
        new = criminal(who, name=name)
        known = who in self.model.people
        named = any(one.criminal.name == name for one in self.model.people.values())
        try:
            self.stores[by].add_criminal(new, taken, made, name_is_new=name_is_new)
        except ConflictError:
            assert known or (name_is_new and named)
            return
        assert not known
        assert not (name_is_new and named)
        self.model.people[who] = Person(
            new, [one.id for one in taken], {(one.id, "one/1") for one in taken}
        )
        self.model.digests |= {one.digest: one.id for one in taken}
        self.writes(who)

    @rule(
        by=WRITERS,
        who=IDS,
        edit=st.fixed_dictionaries(
            {},
            optional={
                "name": NAMES,
                "age": st.none() | st.integers(0, 90),
                "status": st.sampled_from(["wanted", "apprehended"]),
                "crimes": st.just(("theft",)),
                "expires_at": st.none() | st.just(NOON),
            },
        ),
        based_on=st.sampled_from(["nothing", "now", "earlier"]),
        adds_photo=st.booleans(),
        name_is_new=st.booleans(),
    )
    def edit(
        self,
        by: int,
        who: str,
        edit: dict[str, Any],
        based_on: str,
        adds_photo: bool,
        name_is_new: bool,
    ) -> None:
        person = self.model.people.get(who)
        taken = [photo(who)] if adds_photo else []
        present = self.stores[1 - by].criminal(who).revision if person else 1
        revision = {"nothing": None, "now": present, "earlier": self.seen_revisions.get(who, 0)}
        is_taken = name_is_new and any(
            one.criminal.name == edit.get("name")
            for other, one in self.model.people.items()
            if other != who
        )
        try:
            self.stores[by].edit_criminal(
                who, edit, taken, revision=revision[based_on], name_is_new=name_is_new
            )
        except NotFoundError:
            assert person is None
            return
        except ConflictError:
            assert person is not None
            assert is_taken or revision[based_on] not in (None, present)
            return
        assert person is not None
        assert not is_taken
        assert revision[based_on] in (None, present)
        person.criminal = replace(person.criminal, **edit)
        person.photos += [one.id for one in taken]
        self.model.digests |= {one.digest: one.id for one in taken}
        self.seen_revisions[who] = present
        assert self.stores[by].criminal(who).revision > present
        self.writes(who)

    @rule(by=WRITERS, who=IDS)
    def remove(self, by: int, who: str) -> None:
        if who not in self.model.people:
            with pytest.raises(NotFoundError):
                self.stores[by].remove_criminal(who)
            return
        self.stores[by].remove_criminal(who)
        self.model.remove(who)
        self.writes(who)

    @rule(by=WRITERS, who=IDS, data=st.data())
    def remove_photo(self, by: int, who: str, data: st.DataObject) -> None:
        """One of theirs, or someone else's."""
        known = sorted(self.model.digests.values())
        photo_id = data.draw(st.sampled_from([*known, "unknown"]))
        person = self.model.people.get(who)
        if person is None or photo_id not in person.photos:
            with pytest.raises(NotFoundError):
                self.stores[by].remove_photo(who, photo_id)
            return
        present = self.stores[1 - by].criminal(who).revision
        earlier = self.seen_revisions.get(who, 0)
        if earlier != present:
            with pytest.raises(ConflictError):
                self.stores[by].remove_photo(who, photo_id, revision=earlier)
        self.stores[by].remove_photo(who, photo_id, revision=present)
        person.photos.remove(photo_id)
        person.templates = {one for one in person.templates if one[0] != photo_id}
        self.model.digests = {k: v for k, v in self.model.digests.items() if v != photo_id}
        self.seen_revisions[who] = present
        assert self.stores[by].criminal(who).revision > present
        self.writes(who)

    @rule(by=WRITERS, who=IDS, encoder=ENCODERS)
    def encode(self, by: int, who: str, encoder: str) -> None:
        for photo_id in self.model.people[who].photos if who in self.model.people else []:
            made = template(photo(who, id=photo_id), encoder)
            self.stores[by].add_template(made)
            self.model.people[who].templates.add((photo_id, encoder))
            self.writes(who)

    @rule(by=WRITERS, who=IDS, data=st.data())
    def add_a_known_photo(self, by: int, who: str, data: st.DataObject) -> None:
        if who not in self.model.people or not self.model.digests:
            return
        digest = data.draw(st.sampled_from(sorted(self.model.digests)))
        with pytest.raises(DuplicateError):
            self.stores[by].edit_criminal(who, {"name": "Never"}, [photo(who, digest=digest)])

    # -- journal -----------------------------------------------------------------------------

    @rule(by=WRITERS, who=IDS, other=IDS, minute=MINUTES, event_id=EVENTS, held=st.booleans())
    def record(
        self, by: int, who: str, other: str, minute: int, event_id: str | None, held: bool
    ) -> None:
        moment = NOON + timedelta(minutes=minute)
        seen = sighting(who, occurred_at=moment, suppressed=held, camera_id=f"cam-{minute % 3}")
        others = [other] if other != who else []
        about = [] if held else [face_alert(who, *others), activity()]
        handled = event(event_id, received_at=moment) if event_id else None
        try:
            stored = self.stores[by].record([seen], about, handled)
        except DuplicateError:
            assert event_id in self.model.events
            return
        except NotFoundError:
            assert who not in self.model.people
            return
        assert event_id not in self.model.events
        assert who in self.model.people
        for wanted, alert in zip(about, stored, strict=True):
            kept = [one for one in wanted.candidates if one.criminal_id in self.model.people]
            assert alert == replace(wanted, seq=alert.seq, candidates=tuple(kept))
        assert [one.seq for one in stored] > [one.seq for one in self.model.alerts[-1:]] or held
        self.model.see(seen)
        self.model.alerts += stored
        if event_id:
            self.model.events[event_id] = (moment, [one.id for one in stored])

    @rule(by=WRITERS, minute=MINUTES)
    def forget(self, by: int, minute: int) -> None:
        before = NOON + timedelta(minutes=minute)
        self.stores[by].forget_events(before)
        self.model.events = {k: v for k, v in self.model.events.items() if v[0] >= before}

    @rule(by=WRITERS, name=st.sampled_from(["cam-1", "cam-2"]))
    def count(self, by: int, name: str) -> None:
        self.stores[by].count_cameras([camera(name)])
        self.model.cameras[name] = self.model.cameras.get(name, 0) + 1

    @rule(by=WRITERS)
    def follow(self, by: int) -> None:
        found = self.stores[by].changes(self.revision)
        expected, self.model.changed = self.model.changed, set()
        assert found.criminal_ids >= expected
        # A removal may be announced again, as when a sighting that came after it is taken back.
        assert not (found.criminal_ids - expected) & self.model.people.keys()
        self.revision = found.revision

    # -- what both show ----------------------------------------------------------------------

    # Comparing everything through both at every step would take nearly all of the time. So each
    # step compares a part, and the steps after it the rest. At the end everything is compared.

    @invariant()
    def a_part_is_the_models(self) -> None:
        self.step += 1
        store, turn = self.stores[self.step // 2 % 2], self.step // 4
        if self.step % 2:
            self.compare_gallery(store, [ENCODER_IDS[turn % 2]])
        else:
            self.compare_journal(store, [PEOPLE[turn % 3]], [EVENT_IDS[turn % 3]])

    def compare_everything(self) -> None:
        for store in self.stores:
            self.compare_gallery(store, ENCODER_IDS)
            self.compare_journal(store, PEOPLE, EVENT_IDS)

    def compare_gallery(self, store: Store, encoders: Sequence[str]) -> None:
        people = self.model.people
        expected = sorted(
            (person.criminal for person in people.values()),
            key=lambda one: (one.name.casefold(), one.id),
        )
        assert store.criminals() == store.find_criminals() == expected
        assert store.photo_ids_of(people) == {who: one.photos for who, one in people.items()}
        for encoder in encoders:
            counts = {
                who: sum(by == encoder for _, by in one.templates) for who, one in people.items()
            }
            assert store.template_counts(encoder) == {k: v for k, v in counts.items() if v}
            assert len(store.template_rows(encoder).criminal_ids) == sum(counts.values())

    def compare_journal(self, store: Store, ids: Sequence[str], events: Sequence[str]) -> None:
        assert store.alerts() == self.model.alerts
        assert store.last_seq() >= max((one.seq for one in self.model.alerts), default=0)
        for who in ids:
            theirs = [one for one in self.model.sightings if one.criminal_id == who]
            assert store.sightings(who) == sorted(theirs, key=lambda one: (one.occurred_at, one.id))
        for event_id in events:
            outcome = store.event_outcome("cam-1", event_id)
            ids_of_alerts = [one.id for one in outcome.alerts] if outcome else None
            assert ids_of_alerts == self.model.events.get(event_id, (None, None))[1]
        assert {one.id: one.detections for one in store.cameras()} == self.model.cameras


@pytest.mark.parametrize("backend", PLAIN)
@pytest.mark.timeout(0)
def test_as_the_model(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    url_of(backend, tmp_path, request)  # starts its server

    def both() -> tuple[Store, Store]:
        folder = tmp_path / uuid.uuid4().hex
        url = url_of(backend, folder, request)
        return open_store(url), open_store(url)

    machine = type("Machine", (StoreMachine,), {"open": staticmethod(both)})
    run_state_machine_as_test(machine, settings=machine_settings())
