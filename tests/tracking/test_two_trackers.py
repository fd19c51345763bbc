"""Two trackers on one store, each with a cooldown of its own that knows nothing of the other."""

from __future__ import annotations

import uuid
from contextlib import closing

import pytest

from susracker.errors import StoreUnavailableError
from tests.tracking.light import Gate, activity, face, open_light


@pytest.fixture(params=["sqlite", "mongodb"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'people.db'}"
    server = request.getfixturevalue("mongodb_server")
    return f"mongodb://127.0.0.1:{server.port}/{uuid.uuid4().hex}"


@pytest.fixture
def here(url):
    with closing(open_light(url)) as tracker:
        yield tracker


@pytest.fixture
def there(here, url):
    with closing(open_light(url)) as tracker:
        yield tracker


both_kinds = pytest.mark.parametrize("seen", [activity, face])


def writes(tracker, monkeypatch) -> list:
    """The alerts of each write that is tried from now on."""
    tried, record = [], tracker.journal.record

    def noting(sightings, alerts, *others, **named):
        tried.append([one.event_type for one in alerts])
        return record(sightings, alerts, *others, **named)

    monkeypatch.setattr(tracker.journal, "record", noting)
    return tried


@both_kinds
def test_what_alerted_there_is_held_back_here(here, there, seen):
    there.handle(seen(0))
    outcome = here.handle(seen(4.9, "e"))
    assert (outcome.kind, outcome.alerts) == ("cooldown", ())
    assert [one.suppressed for one in outcome.sightings] == [True] * (seen is face)
    assert here.journal.event_outcome("gate", "e").kind == "cooldown"
    assert len(here.journal.alerts()) == 1
    assert here.handle(seen(5)).kind == "alert"


@both_kinds
def test_what_comes_next_is_held_back_without_a_look(here, there, seen, monkeypatch):
    there.handle(seen(0))
    tried = writes(here, monkeypatch)
    assert [here.handle(seen(second, f"e{second}")).kind for second in (1, 2)] == ["cooldown"] * 2
    assert tried == [[seen(0).event_type], [], []]


def test_of_several_people_each_is_judged_by_themselves(here, there):
    there.handle(face(0, who=b"bob"))
    outcome = here.handle(face(1, "e", who=b"ann,bob"))
    assert outcome.kind == here.journal.event_outcome("gate", "e").kind == "alert"
    assert [one.criminal_id for one in outcome.alerts] == ["ann"]
    assert [(one.criminal_id, one.suppressed) for one in outcome.sightings] == [
        ("ann", False),
        ("bob", True),
    ]
    assert here.journal.sightings("bob")[-1].suppressed
    assert there.handle(face(2, who=b"ann,bob")).kind == "cooldown"


def test_a_failure_after_a_refusal_gives_back_the_rest(here, there, monkeypatch):
    """What was stored there still holds back, and nothing else does."""
    there.handle(face(0))
    gate = Gate(here.journal.record)
    gate.open()
    gate.failing = {2}
    monkeypatch.setattr(here.journal, "record", gate)
    with pytest.raises(StoreUnavailableError):
        here.handle(face(1, who=b"ann,bob"))
    outcome = here.handle(face(2, who=b"ann,bob"))
    assert [one.criminal_id for one in outcome.alerts] == ["bob"]
    assert here.handle(face(5)).kind == "alert"


@both_kinds
def test_an_event_that_both_handle_at_once_alerts_once(here, there, seen, monkeypatch):
    gate = Gate(here.journal.record)
    monkeypatch.setattr(here.journal, "record", gate)
    with gate.holding(here.handle, seen(0, "e")) as first:
        second = there.handle(seen(0, "e"))
    assert (first.result().kind, second.kind) == ("alert", "alert")
    assert [one.id for one in first.result().alerts] == [one.id for one in second.alerts]
    assert len(here.journal.alerts()) == 1
