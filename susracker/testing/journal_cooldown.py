"""What every journal must do to hold back repeated alerts, whoever writes to it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from susracker.errors import DuplicateError, NotFoundError, RecentAlertError
from susracker.models import Alert
from susracker.plugins import open_store
from susracker.stores.base import Journal, Store
from susracker.testing.journal import enrolled
from susracker.testing.race import THREADS, race
from susracker.testing.records import (
    MICROSECOND,
    MINUTE,
    NOON,
    activity,
    criminal,
    event,
    face_alert,
    sighting,
)


@pytest.fixture
def journal(journal: Journal) -> Journal:
    for who in ("c1", "c2"):
        enrolled(journal, who)
    return journal


def store_alert(journal: Journal, alert: Alert) -> Alert:
    return journal.record([], [alert], cooldown=MINUTE)[0]


def is_refused(journal: Journal, alert: Alert) -> bool:
    try:
        store_alert(journal, alert)
    except RecentAlertError:
        return True
    return False


both_kinds = pytest.mark.parametrize("made", [face_alert, activity])


@both_kinds
@pytest.mark.parametrize("sign", [-1, 1])
def test_an_alert_too_near_in_time_is_refused(journal: Journal, made, sign: int) -> None:
    store_alert(journal, made())
    near = NOON + sign * (MINUTE - MICROSECOND)
    assert is_refused(journal, made())
    assert is_refused(journal, made(occurred_at=near))
    assert not is_refused(journal, made(occurred_at=NOON + sign * MINUTE))


@both_kinds
def test_it_is_told_which_alert_holds_back_which(journal: Journal, made) -> None:
    stored, new = store_alert(journal, made()), made(occurred_at=NOON + MICROSECOND)
    with pytest.raises(
        RecentAlertError, match=r"^nothing was stored: 1 of 1 alerts come less than 60 s"
    ) as error:
        store_alert(journal, new)
    assert error.value.recent == {new.id: replace(stored, face=None)}


def test_what_differs_is_not_held_back(journal: Journal) -> None:
    alerts = [
        face_alert("c1", "c2"),
        face_alert("c2", "c1"),
        face_alert(camera_id="cam-2"),
        activity(),
        activity(camera_id="cam-2"),
        activity(event_type="fire"),
        activity(event_type="c1"),
    ]
    for one in alerts:
        assert not is_refused(journal, one)
    for one in alerts:
        assert is_refused(journal, replace(one, id=f"{one.id} again"))


@pytest.mark.parametrize(("first", "second"), [("Violence", "violence"), ("RAUB ẞ", "raub ss")])
def test_an_activity_is_the_same_however_it_is_written(
    journal: Journal, first: str, second: str
) -> None:
    assert not is_refused(journal, activity(event_type=first))
    assert is_refused(journal, activity(event_type=second))
    assert [one.event_type for one in journal.alerts()] == [first]


def test_what_comes_with_a_refused_alert_is_not_stored_either(journal: Journal) -> None:
    kept = store_alert(journal, face_alert())
    new = [face_alert("c2"), face_alert("c1")]
    with pytest.raises(RecentAlertError) as error:
        journal.record([sighting(), sighting("c2")], new, event(), cooldown=MINUTE)
    assert list(error.value.recent) == [new[1].id]
    assert journal.alerts() == [kept]
    assert journal.sightings("c1") == journal.sightings("c2") == []
    assert journal.event_outcome("cam-1", "e1") is None
    assert not is_refused(journal, face_alert("c2"))


def test_alerts_of_one_call_do_not_hold_each_other_back(journal: Journal) -> None:
    stored = journal.record([], [activity(), activity()], cooldown=MINUTE)
    assert journal.alerts() == list(stored)


def test_what_is_not_an_alert_is_not_held_back(journal: Journal) -> None:
    store_alert(journal, face_alert())
    journal.record([sighting(suppressed=True)], [], event(kind="cooldown"), cooldown=MINUTE)
    assert len(journal.sightings("c1")) == 1


def test_without_a_cooldown_nothing_is_held_back(journal: Journal) -> None:
    for _ in range(2):
        journal.record([], [face_alert(), activity()])
        journal.record([], [face_alert()], cooldown=timedelta())
    assert len(journal.alerts()) == 6


def test_the_alert_that_was_stored_last_decides(journal: Journal) -> None:
    """Even if it occurred earlier, as when a camera's clock was set back."""
    store_alert(journal, activity())
    store_alert(journal, activity(occurred_at=NOON - 60 * MINUTE))
    assert is_refused(journal, activity(occurred_at=NOON - 60 * MINUTE))
    assert not is_refused(journal, activity())


def test_of_the_alerts_of_one_call_the_last_decides(journal: Journal) -> None:
    journal.record([], [activity(), activity(occurred_at=NOON - 60 * MINUTE), face_alert()])
    assert is_refused(journal, activity(occurred_at=NOON - 60 * MINUTE))
    assert not is_refused(journal, activity())


def test_a_repeated_event_is_not_held_back_by_itself(journal: Journal) -> None:
    journal.record([sighting()], [face_alert()], event(), cooldown=MINUTE)
    with pytest.raises(DuplicateError):
        journal.record([sighting()], [face_alert()], event(), cooldown=MINUTE)


def test_a_copied_alert_holds_back(journal: Journal) -> None:
    journal.put_alert(replace(activity(), seq=7))
    assert is_refused(journal, activity())


def test_a_forgotten_alert_holds_nothing_back(journal: Journal) -> None:
    store_alert(journal, activity(received_at=NOON))
    store_alert(journal, activity(occurred_at=NOON + MINUTE, received_at=NOON - MICROSECOND))
    journal.forget("alerts", NOON, 10)
    assert not is_refused(journal, activity(occurred_at=NOON + MINUTE))


def test_the_alert_before_a_forgotten_one_decides(journal: Journal) -> None:
    store_alert(journal, activity(received_at=NOON))
    store_alert(journal, activity(occurred_at=NOON + MINUTE, received_at=NOON - MICROSECOND))
    journal.forget("alerts", NOON, 10)
    assert is_refused(journal, activity())


def test_of_threads_that_race_one_alerts(journal: Journal) -> None:
    results = race(lambda n: store_alert(journal, activity(occurred_at=NOON + n * MICROSECOND)))
    assert sum(isinstance(one, RecentAlertError) for one in results) == THREADS - 1
    assert len(journal.alerts()) == 1


def test_of_writers_that_race_one_alerts(store: Store, url: str) -> None:
    """Each has the store open for itself, as a process of its own has."""
    store.put_criminal(criminal())
    with ExitStack() as stack:
        writers = [stack.enter_context(open_store(url)) for _ in range(4)]
        for minute in range(5):
            moment = NOON + 2 * minute * MINUTE

            def write(number: int, moment: datetime = moment) -> bool:
                made = face_alert(occurred_at=moment + number * MICROSECOND)
                return is_refused(writers[number % 4], made)

            assert sorted(race(write)) == [False] + [True] * (THREADS - 1)
    assert len(store.alerts()) == 5


def test_someone_enrolled_again_is_not_held_back_by_their_erased_alerts(store: Store) -> None:
    store.put_criminal(criminal())
    store_alert(store, face_alert())
    store.remove_criminal("c1")
    with pytest.raises(NotFoundError):
        store_alert(store, face_alert())
    store.put_criminal(criminal())
    assert not is_refused(store, face_alert())
    assert is_refused(store, face_alert())
