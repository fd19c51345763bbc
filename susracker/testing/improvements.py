"""What every journal must do with better evidence for its alerts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from susracker.models import Alert
from susracker.stores.base import Gallery, Journal, Store
from susracker.stores.improvements import KEPT, Improvement
from susracker.testing.race import race
from susracker.testing.records import (
    NOON,
    activity,
    candidate,
    criminal,
    event,
    face_alert,
    judgement,
)


@pytest.fixture
def alert(journal: Journal) -> Alert:
    if isinstance(journal, Gallery):
        for one in ("c1", "c2", "c3"):
            journal.put_criminal(criminal(one))
    return journal.record([], [activity(), face_alert("c1", "c2"), activity()], event())[1]


def better(alert: Alert, fpir: float = 0.001, *others: str, **fields: Any) -> Alert:
    """Better evidence for an alert, and other fields that are not to be stored."""
    first = candidate(alert.criminal_id or "c1", distance=0.2, score=0.9, fpir=fpir)
    values: dict[str, Any] = {
        "candidates": (first, *(candidate(one) for one in others)),
        "distance": 0.2,
        "score": 0.9,
        "face": b"a better face\0\xff",
        "occurred_at": NOON + timedelta(seconds=2),
        "camera_location": "elsewhere",
        "photo_id": "p2",
        "seq": 0,
    }
    return replace(alert, **values | fields)


def with_evidence(alert: Alert, of: Alert) -> Alert:
    """An alert with the evidence of another one, and all else as it was."""
    return replace(
        alert,
        candidates=of.candidates,
        distance=of.distance,
        score=of.score,
        face=of.face,
    )


def test_better_evidence_takes_the_place_of_what_there_was(journal: Journal, alert: Alert) -> None:
    before = journal.alerts()
    given = better(alert, 0.001, "c3")
    expected = with_evidence(alert, given)
    assert journal.improve_alert(given) == expected
    assert journal.alert(alert.id) == expected
    assert journal.alerts() == [before[0], expected, before[2]]
    outcome = journal.event_outcome("cam-1", "e1")
    assert outcome
    assert expected in outcome.alerts
    assert journal.last_seq() == before[-1].seq


def test_without_a_face_the_one_before_stays(journal: Journal, alert: Alert) -> None:
    changed = journal.improve_alert(better(alert, face=None))
    assert changed
    assert changed.face == alert.face
    assert journal.alert(alert.id) == changed


def test_evidence_that_is_no_better_changes_nothing(journal: Journal, alert: Alert) -> None:
    first = journal.improve_alert(better(alert, 0.001))
    assert journal.improve_alert(better(alert, 0.001)) is None
    assert journal.improve_alert(better(alert, 0.002)) is None
    assert journal.alert(alert.id) == first
    assert len(journal.improvements_after()) == 1


def test_nothing_is_changed_about_someone_else(journal: Journal, alert: Alert) -> None:
    assert journal.improve_alert(better(replace(alert, criminal_id="c2"))) is None
    assert journal.improve_alert(better(replace(alert, id="unknown"))) is None
    assert journal.alert(alert.id) == alert
    assert journal.last_improvement() == 0


def test_a_judged_alert_stays_as_it_was_judged(journal: Journal, alert: Alert) -> None:
    journal.add_judgement(judgement(alert.id), "unsure", 0)
    assert journal.improve_alert(better(alert)) is None
    assert journal.alert(alert.id) == replace(alert, status="unsure")


def test_an_alert_can_be_judged_once_it_is_better(journal: Journal, alert: Alert) -> None:
    changed = journal.improve_alert(better(alert))
    assert changed
    journal.add_judgement(judgement(alert.id), "confirmed", 0)
    assert journal.alert(alert.id) == replace(changed, status="confirmed")


def test_a_forgotten_face_does_not_come_back(journal: Journal, alert: Alert) -> None:
    journal.forget("faces", NOON + timedelta(days=1), 10)
    changed = journal.improve_alert(better(alert))
    assert changed
    assert changed.face is None
    assert journal.alert(alert.id).face is None


def test_a_forgotten_alert_does_not_come_back(journal: Journal, alert: Alert) -> None:
    journal.forget("alerts", NOON + timedelta(days=1), 10)
    assert journal.improve_alert(better(alert)) is None
    assert journal.alerts() == []


def test_improvements_are_told_in_order(journal: Journal, alert: Alert) -> None:
    other = journal.record([], [face_alert("c2")])[0]
    for one, fpir in ((alert, 0.003), (other, 0.002), (alert, 0.001)):
        assert journal.improve_alert(better(one, fpir))
    told = journal.improvements_after()
    assert [one.alert_id for one in told] == [alert.id, other.id, alert.id]
    assert [one.number for one in told] == sorted({one.number for one in told})
    assert journal.last_improvement() == told[-1].number
    assert journal.improvements_after(told[0].number) == told[1:]
    assert journal.improvements_after(limit=1) == told[:1]
    assert journal.improvements_after(limit=0) == []
    assert journal.improvements_after(told[-1].number) == []


def test_only_the_newest_improvements_are_kept(
    journal: Journal, alert: Alert, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("stores.sqlite", "stores.mongo", "replay"):
        monkeypatch.setattr(f"susracker.{module}.improvements.KEPT", 3, raising=False)
    for n in range(5):
        assert journal.improve_alert(better(alert, 0.001 / (n + 1)))
    kept = journal.improvements_after()
    assert kept[-1] == Improvement(journal.last_improvement(), alert.id)
    assert 3 <= len(kept) <= KEPT


def test_of_many_at_once_the_best_stays(journal: Journal, alert: Alert) -> None:
    given = [better(alert, 0.001 / (n + 1), face=b"%d" % n) for n in range(8)]
    race(lambda n: journal.improve_alert(given[n]), len(given))
    assert journal.alert(alert.id) == with_evidence(alert, given[-1])
    numbers = [one.number for one in journal.improvements_after()]
    assert numbers == sorted(set(numbers))


def test_removed_people_are_not_named_again(store: Store) -> None:
    for one in ("c1", "c2", "c3"):
        store.put_criminal(criminal(one))
    alert = store.record([], [face_alert("c1", "c2")])[0]
    assert store.improve_alert(better(alert, 0.002, "c3"))
    assert store.alerts_naming("c2") == []
    assert store.alerts_naming("c3") == [alert.id]
    store.remove_criminal("c3")
    changed = store.improve_alert(better(alert, 0.001, "c3", "c2"))
    assert changed
    assert [one.criminal_id for one in changed.candidates] == ["c1", "c2"]
    store.remove_criminal("c1")
    assert store.improve_alert(better(alert, 0.0001)) is None
    left = store.alert(alert.id)
    assert (left.criminal_id, left.name, left.face) == (None, None, None)
