"""What every journal must forget, and what it must keep because it is held."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from susracker.errors import NotFoundError
from susracker.models import Alert, Outcome
from susracker.oversight import Hold, Judgement, RecordKind
from susracker.plugins import open_store
from susracker.stores.base import Gallery, Journal, Store
from susracker.testing.records import (
    MICROSECOND,
    NOON,
    activity,
    criminal,
    event,
    face_alert,
    judgement,
    sighting,
)

DAY = timedelta(days=1)
OLD = NOON - DAY
ALL = 1000


@pytest.fixture(autouse=True)
def enrolled_people(journal: Journal) -> None:
    if isinstance(journal, Gallery):
        for criminal_id in ("c1", "c2"):
            journal.put_criminal(criminal(criminal_id))


def hold(alert: Alert, reason: str = "court, case 7/26") -> Hold:
    return Hold(alert.id, reason, "Jo (k1)", NOON)


def judged(journal: Journal, alert: Alert, **fields: object) -> Judgement:
    return journal.add_judgement(judgement(alert.id, **fields), "unsure", 0)


def old_alerts(journal: Journal, count: int = 1) -> list[Alert]:
    return [journal.record([], [face_alert("c1", "c2", received_at=OLD)])[0] for _ in range(count)]


# -- every kind ----------------------------------------------------------------------------------


def test_alerts_are_forgotten_by_their_arrival(journal: Journal) -> None:
    journal.record([], [activity(received_at=NOON - MICROSECOND, occurred_at=NOON)])
    (kept,) = journal.record([], [activity(received_at=NOON, occurred_at=OLD)])
    assert journal.count_older("alerts", NOON) == 1
    assert journal.forget("alerts", NOON, ALL) == 1
    assert journal.alerts() == journal.alerts_since(OLD) == [kept]
    assert (journal.count_older("alerts", NOON), journal.forget("alerts", NOON, ALL)) == (0, 0)


def test_an_alert_is_forgotten_with_its_judgements(journal: Journal) -> None:
    (old,) = old_alerts(journal)
    (new,) = journal.record([], [activity()])
    judged(journal, old, made_at=NOON + DAY)
    kept = judged(journal, new)
    assert journal.forget("alerts", NOON, ALL) == 1
    with pytest.raises(NotFoundError):
        journal.alert(old.id)
    assert journal.judgements([old.id, new.id]) == journal.judgements_after() == [kept]


def test_faces_are_forgotten_and_their_alerts_stay(journal: Journal) -> None:
    (old,) = old_alerts(journal)
    new, without = journal.record([], [face_alert(), activity(received_at=OLD)])
    said = judged(journal, old)
    assert journal.count_older("faces", NOON) == 1
    assert journal.forget("faces", NOON, ALL) == 1
    assert journal.alerts() == [replace(old, face=None, status="unsure"), new, without]
    assert journal.judgements([old.id]) == [said]
    assert journal.forget("faces", NOON, ALL) == journal.count_older("faces", NOON) == 0


def test_sightings_are_forgotten_by_their_arrival(journal: Journal) -> None:
    kept = sighting(received_at=NOON, occurred_at=OLD)
    old = [sighting(one, received_at=NOON - MICROSECOND) for one in ("c1", "c2")]
    alerts = journal.record([kept, *old], [activity()])
    assert journal.count_older("sightings", NOON) == 2
    assert journal.forget("sightings", NOON, ALL) == 2
    assert (journal.sightings("c1"), journal.sightings("c2")) == ([kept], [])
    assert journal.alerts() == list(alerts)
    assert journal.forget("sightings", NOON, ALL) == journal.count_older("sightings", NOON) == 0


def test_judgements_are_forgotten_and_the_status_stays(journal: Journal) -> None:
    first, second = journal.record([], [activity(), activity()])
    judged(journal, first, made_at=NOON - MICROSECOND)
    kept = judged(journal, second, made_at=NOON)
    assert journal.count_older("judgements", NOON) == 1
    assert journal.forget("judgements", NOON, ALL) == 1
    assert journal.judgements([first.id, second.id]) == [kept]
    assert journal.alert(first.id).status == "unsure"
    assert journal.forget("judgements", NOON, ALL) == journal.count_older("judgements", NOON) == 0


@pytest.mark.parametrize("kind", ["alerts", "faces", "sightings", "judgements"])
def test_a_batch_is_no_larger_than_its_limit(journal: Journal, kind: RecordKind) -> None:
    alerts = old_alerts(journal, 5)
    journal.hold_alert(hold(alerts[0]))
    for alert in alerts[1:]:
        judged(journal, alert, made_at=OLD)
    journal.record([sighting(received_at=OLD) for _ in range(4)], [])
    assert journal.count_older(kind, NOON) == 4
    assert [journal.forget(kind, NOON, 3) for _ in range(3)] == [3, 1, 0]
    assert journal.count_older(kind, NOON) == 0


def test_the_outcome_of_an_event_is_known_without_its_alerts(journal: Journal) -> None:
    seen = [sighting(received_at=OLD)]
    journal.record(seen, [face_alert(received_at=OLD)], event(received_at=OLD))
    journal.forget("alerts", NOON, ALL)
    journal.forget("sightings", NOON, ALL)
    assert journal.event_outcome("cam-1", "e1") == Outcome("alert")
    journal.forget_events(NOON)
    assert journal.event_outcome("cam-1", "e1") is None


@pytest.mark.parametrize("kind", ["alerts", "faces"])
def test_whoever_keeps_alerts_in_memory_hears_of_it(journal: Journal, kind: RecordKind) -> None:
    before = journal.forgotten()
    old_alerts(journal)
    assert journal.forgotten() == before
    journal.forget(kind, NOON, ALL)
    assert journal.forgotten() > before


# -- numbers -------------------------------------------------------------------------------------


def test_the_seq_of_a_forgotten_alert_is_never_used_again(journal: Journal) -> None:
    first, second = old_alerts(journal, 2)
    journal.record([], [activity(received_at=OLD)], event(received_at=OLD))
    last = journal.last_seq()
    journal.forget("alerts", NOON, ALL)
    journal.forget_events(NOON)
    assert (journal.alerts(), journal.last_seq()) == ([], last)
    assert first.seq < second.seq < last < journal.record([], [activity()])[0].seq


def test_the_seq_of_a_forgotten_judgement_is_never_used_again(journal: Journal) -> None:
    old, other = journal.record([], [activity(received_at=OLD), activity()])
    gone = judged(journal, old)
    journal.forget("alerts", NOON, ALL)
    assert journal.last_judgement_seq() == gone.seq
    assert judged(journal, other).seq > gone.seq


@pytest.mark.parametrize("kind", ["alerts", "judgements"])
def test_another_process_does_not_use_a_forgotten_seq_again(
    store: Store, url: str, kind: RecordKind
) -> None:
    """Nor one that took a number not long before, and so knows which is the next."""
    with open_store(url) as other:
        other.record([], [activity(received_at=OLD)])
        (alert,) = store.record([], [activity(received_at=OLD)])
        said = judged(store, alert, made_at=OLD)
        store.forget("judgements", NOON, ALL)
        (later,) = other.record([], [activity()])
        assert later.seq > alert.seq
        assert judged(other, later).seq > said.seq


# -- holds ---------------------------------------------------------------------------------------


def test_an_alert_is_held_with_all_that_belongs_to_it(journal: Journal) -> None:
    held, other = journal.record([], [face_alert(received_at=OLD), face_alert(received_at=OLD)])
    said = judged(journal, held, made_at=OLD)
    judged(journal, other, made_at=OLD)
    journal.hold_alert(hold(held))
    assert [journal.count_older(kind, NOON) for kind in ("alerts", "faces", "judgements")] == [
        1
    ] * 3
    assert journal.forget("judgements", NOON, ALL) == 1
    assert journal.forget("faces", NOON, ALL) == 1
    assert journal.forget("alerts", NOON, ALL) == 1
    assert journal.alerts() == [replace(held, status="unsure")]
    assert journal.judgements([held.id]) == [said]
    journal.release_alert(held.id)
    assert journal.forget("faces", NOON, ALL) == 1
    assert journal.forget("alerts", NOON, ALL) == 1
    assert journal.alerts() == journal.judgements([held.id]) == []


def test_holds_come_back_as_they_were_made(journal: Journal) -> None:
    first, second = journal.record([], [activity(), activity()])
    assert journal.holds() == []
    made = [replace(hold(second), made_at=OLD), hold(first)]
    for one in reversed(made):
        journal.hold_alert(one)
    assert journal.holds() == made
    again = replace(made[0], reason="appeal", made_by="os:ann", made_at=NOON + DAY)
    journal.hold_alert(again)
    assert journal.holds() == [made[1], again]
    journal.release_alert(first.id)
    assert journal.holds() == [again]


def test_only_what_is_there_is_held_and_released(journal: Journal) -> None:
    with pytest.raises(NotFoundError):
        journal.hold_alert(hold(activity()))
    (alert,) = journal.record([], [activity()])
    for alert_id in (alert.id, "unknown"):
        with pytest.raises(NotFoundError, match="held"):
            journal.release_alert(alert_id)
    assert journal.holds() == []


# -- a person ------------------------------------------------------------------------------------


def test_alerts_that_name_someone_are_found(journal: Journal) -> None:
    about, beside, _ = journal.record(
        [], [face_alert("c1"), face_alert("c2", "c1"), face_alert("c2")]
    )
    assert journal.alerts_naming("c1") == [about.id, beside.id]
    assert journal.alerts_naming("unknown") == []


def test_notes_and_named_reasons_are_struck(journal: Journal) -> None:
    one, two, other = journal.record([], [activity(), activity(), activity()])
    said = [
        judged(journal, one, note="Ada again", reason="same scar"),
        judged(journal, two, reason="This is ADA NOWAK"),
        judged(journal, other, note="Ada Nowak"),
    ]
    assert journal.strike_judgements([one.id, two.id], "Ada Nowak") == 2
    assert journal.judgements([one.id, two.id, other.id]) == [
        replace(said[0], note=""),
        replace(said[1], reason=""),
        said[2],
    ]
    assert journal.strike_judgements([one.id, two.id], "Ada Nowak") == 0
