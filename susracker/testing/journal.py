"""What every journal must do."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from susracker.errors import DuplicateError, NotFoundError
from susracker.models import Alert, Outcome
from susracker.stores.base import Gallery, Journal
from susracker.testing.race import THREADS, race
from susracker.testing.records import (
    MICROSECOND,
    MINUTE,
    NOON,
    activity,
    camera,
    camera_day,
    criminal,
    event,
    face_alert,
    sighting,
)


def enrolled(journal: Journal, criminal_id: str) -> None:
    """Enrol someone, if the journal shares its database with a gallery."""
    if isinstance(journal, Gallery):
        journal.put_criminal(criminal(criminal_id))


def test_alerts_and_sightings_come_back_as_stored(journal: Journal) -> None:
    enrolled(journal, "c1")
    enrolled(journal, "c2")
    seen = sighting(suppressed=True)
    first, second = journal.record([seen], [face_alert("c1", "c2"), activity(status="seen")])
    assert journal.sightings("c1") == [seen]
    assert journal.alerts() == [first, second]
    assert journal.alert(second.id) == second
    assert 0 < first.seq < second.seq == journal.last_seq()


def test_details_come_back_as_stored(journal: Journal) -> None:
    details = {"$zone.id": 7, "text": "é\0\ud800", "list": [1.5, None, {"": True}]}
    (stored,) = journal.record([], [activity(details=details)])
    assert stored.details == details
    assert journal.alerts(with_faces=False) == journal.alerts_since(NOON) == [stored]
    journal.put_alert(activity(seq=stored.seq + 1, details={"n": 2**70}))
    assert journal.alerts()[-1].details == {"n": 2**70}


def test_sightings_are_in_order_of_occurrence(journal: Journal) -> None:
    enrolled(journal, "c1")
    enrolled(journal, "c2")
    seen = [sighting(occurred_at=NOON + n * MICROSECOND) for n in (2, 0, 3, 1)]
    journal.record([*seen[:2], sighting("c2")], [])
    journal.record(seen[2:], [])
    assert journal.sightings("c1") == sorted(seen, key=lambda one: one.occurred_at)
    assert journal.sightings("unknown") == []


def test_two_sightings_of_one_moment_are_both_kept(journal: Journal) -> None:
    enrolled(journal, "c1")
    journal.record([sighting(), sighting(camera_id="cam-2")], [])
    assert {one.camera_id for one in journal.sightings("c1")} == {"cam-1", "cam-2"}


def test_an_event_is_handled_once(journal: Journal) -> None:
    enrolled(journal, "c1")
    stored = journal.record([sighting()], [face_alert(), activity()], event())
    with pytest.raises(DuplicateError):
        journal.record([sighting(occurred_at=NOON + MINUTE)], [activity()], event())
    assert journal.alerts() == list(stored)
    assert len(journal.sightings("c1")) == 1
    journal.record([], [], event("e2"))
    journal.record([], [], event(camera_id="cam-2"))
    assert journal.event_outcome("cam-1", "e1") == Outcome("alert", stored)


def test_an_event_without_alerts_has_its_outcome(journal: Journal) -> None:
    journal.record([], [activity()])
    assert journal.record([], [], event(kind="no match")) == ()
    journal.record([], [activity()])
    assert journal.event_outcome("cam-1", "e1") == Outcome("no match")
    assert journal.event_outcome("cam-1", "e2") is None
    assert journal.event_outcome("cam-2", "e1") is None


def test_a_forgotten_event_can_be_handled_again(journal: Journal) -> None:
    old = journal.record([], [activity()], event("old", received_at=NOON - MICROSECOND))
    journal.record([], [], event("new", received_at=NOON))
    journal.forget_events(NOON)
    assert journal.event_outcome("cam-1", "old") is None
    assert journal.event_outcome("cam-1", "new") is not None
    assert journal.alerts() == list(old)
    again = journal.record([], [activity()], event("old"))
    assert journal.event_outcome("cam-1", "old") == Outcome("alert", again)


def test_of_threads_that_race_with_an_event_one_wins(journal: Journal) -> None:
    results = race(lambda n: journal.record([], [activity()], event()))
    won = [one for one in results if not isinstance(one, DuplicateError)]
    assert len(won) == 1
    assert journal.alerts() == list(won[0])


def test_an_unknown_alert_is_not_found(journal: Journal) -> None:
    with pytest.raises(NotFoundError):
        journal.alert("unknown")


def test_an_alert_of_another_store_keeps_its_seq(journal: Journal) -> None:
    enrolled(journal, "c1")
    kept = [replace(face_alert(), seq=7), replace(activity(), seq=12)]
    for one in kept:
        journal.put_alert(one)
    with pytest.raises(DuplicateError):
        journal.put_alert(replace(activity(), seq=12))
    assert journal.alerts() == kept
    assert journal.alert(kept[0].id) == kept[0]
    assert journal.record([], [activity()])[0].seq > 12


def test_alerts_are_read_in_pages(journal: Journal) -> None:
    assert journal.last_seq() == 0
    assert journal.alerts() == []
    stored = [journal.record([], [activity()])[0] for _ in range(5)]
    assert journal.alerts(limit=2) == stored[:2]
    assert journal.alerts(after=stored[1].seq, limit=2) == stored[2:4]
    assert journal.alerts(after=stored[-1].seq) == []
    assert journal.alerts(limit=0) == []


def test_alerts_are_read_a_hundred_at_once_unless_told(journal: Journal) -> None:
    journal.record([], [activity() for _ in range(120)])
    assert len(journal.alerts()) == 100
    assert len(journal.alerts(limit=120)) == 120


def test_alerts_may_be_read_without_their_faces(journal: Journal) -> None:
    enrolled(journal, "c1")
    stored = journal.record([], [face_alert(), activity()])
    assert journal.alerts(with_faces=False) == [replace(one, face=None) for one in stored]
    assert journal.alerts() == list(stored)


def test_alerts_since_a_moment_are_without_their_faces(journal: Journal) -> None:
    enrolled(journal, "c1")
    times = [NOON + MINUTE, NOON - MICROSECOND, NOON]
    stored = journal.record([], [face_alert(occurred_at=moment) for moment in times])
    assert journal.alerts_since(NOON) == [replace(stored[n], face=None) for n in (0, 2)]
    assert journal.alerts_since(NOON + 2 * MINUTE) == []


def test_alerts_of_threads_that_race_are_all_stored_in_order(journal: Journal) -> None:
    """And a reader that follows the log never sees one before another of a lower `seq`."""
    enrolled(journal, "c1")
    followed: list[Alert] = []
    done = threading.Event()

    def follow() -> None:
        last = False
        while not last:
            last = done.is_set()
            while page := journal.alerts(after=followed[-1].seq if followed else 0, limit=7):
                followed.extend(page)

    def write(number: int) -> list[tuple[Alert, ...]]:
        return [
            journal.record([sighting()], [face_alert(), activity()], event(f"{number}-{n}"))
            for n in range(6)
        ]

    reader = threading.Thread(target=follow)
    reader.start()
    results = race(write)
    done.set()
    reader.join()
    written = [alert for calls in results for call in calls for alert in call]
    for calls in results:
        seqs = [alert.seq for call in calls for alert in call]
        assert seqs == sorted(set(seqs))
    assert len({alert.seq for alert in written}) == THREADS * 6 * 2
    assert followed == sorted(written, key=lambda alert: alert.seq)
    assert len(journal.sightings("c1")) == THREADS * 6


def test_counts_of_cameras_add_up(journal: Journal) -> None:
    assert journal.cameras() == []
    journal.count_cameras([camera("b", detections=3, alerts=1), camera("a")])
    journal.count_cameras(
        [camera("b", detections=2, alerts=2, last_heard_at=NOON + MINUTE, location="Moved")]
    )
    moved = camera("b", detections=5, alerts=3, last_heard_at=NOON + MINUTE, location="Moved")
    assert journal.cameras() == [camera("a"), moved]
    journal.count_cameras([camera("b", detections=1, alerts=0, location="Before")])
    assert journal.cameras()[1] == replace(moved, detections=6)


def test_counts_of_threads_that_race_add_up(journal: Journal) -> None:
    race(lambda n: [journal.count_cameras([camera(alerts=1)]) for _ in range(5)])
    assert journal.cameras() == [camera(detections=THREADS * 5, alerts=THREADS * 5)]


def test_counts_of_days_add_up(journal: Journal) -> None:
    assert journal.camera_days() == []
    next_day = NOON.date() + timedelta(days=1)
    journal.count_cameras([camera("b")], [camera_day("b", searches=3), camera_day("a")])
    journal.count_cameras([], [camera_day("b", detections=2, searches=4, alerts=1)])
    journal.count_cameras([], [camera_day("b", day=next_day)])
    assert journal.camera_days() == [
        camera_day("a"),
        camera_day("b", detections=3, searches=7, alerts=1),
        camera_day("b", day=next_day),
    ]
    assert journal.cameras() == [camera("b")]
