"""What every journal must do with judgements of its alerts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from susracker.errors import ConflictError, DuplicateError, NotFoundError
from susracker.models import Alert
from susracker.oversight import Judgement
from susracker.plugins import open_store
from susracker.stores.base import Journal, Store
from susracker.stores.journal import AlertFilter
from susracker.testing.race import THREADS, race
from susracker.testing.records import (
    MINUTE,
    NOON,
    activity,
    criminal,
    event,
    face_alert,
    judgement,
    sighting,
)


@pytest.fixture
def alert(journal: Journal) -> Alert:
    return journal.record([], [activity()])[0]


def test_a_judgement_is_stored_with_the_status_that_follows(journal: Journal, alert: Alert) -> None:
    first = journal.add_judgement(judgement(alert.id), "unsure", 0)
    assert first.seq > 0
    assert journal.alert(alert.id) == replace(alert, status="unsure")
    second = journal.add_judgement(judgement(alert.id, kind="outcome"), "unsure", first.seq)
    assert journal.judgements([alert.id]) == [first, second]
    assert journal.alerts() == [replace(alert, status="unsure")]
    assert journal.alerts_since(NOON) == [replace(alert, status="unsure")]


def test_everything_about_a_judgement_comes_back(journal: Journal, alert: Alert) -> None:
    given = judgement(alert.id, reason="Zoë's scar", note="line\nby line 王", made_at=NOON)
    stored = journal.add_judgement(given, "confirmed", 0)
    assert stored == replace(given, seq=stored.seq)
    assert journal.judgements([alert.id]) == [stored]


def test_whoever_has_not_seen_the_newest_judgement_is_refused(
    journal: Journal, alert: Alert
) -> None:
    with pytest.raises(ConflictError):
        journal.add_judgement(judgement(alert.id), "confirmed", 1)
    first = journal.add_judgement(judgement(alert.id), "confirmed", 0)
    with pytest.raises(ConflictError):
        journal.add_judgement(judgement(alert.id), "dismissed", 0)
    assert journal.judgements([alert.id]) == [first]
    assert journal.alert(alert.id).status == "confirmed"


def test_an_unknown_alert_cannot_be_judged(journal: Journal) -> None:
    with pytest.raises(NotFoundError):
        journal.add_judgement(judgement("unknown"), "confirmed", 0)
    assert journal.last_judgement_seq() == 0


def test_one_alert_of_a_frame_is_judged_alone(journal: Journal) -> None:
    left, right = journal.record([], [activity(), activity()])
    journal.add_judgement(judgement(right.id), "dismissed", 0)
    assert [one.status for one in journal.alerts()] == ["new", "dismissed"]
    journal.add_judgement(judgement(left.id), "confirmed", 0)
    assert [one.status for one in journal.alerts()] == ["confirmed", "dismissed"]


def test_an_event_that_comes_again_has_the_status_of_now(journal: Journal) -> None:
    (alert,) = journal.record([], [activity()], event())
    journal.add_judgement(judgement(alert.id), "confirmed", 0)
    outcome = journal.event_outcome("cam-1", "e1")
    assert outcome is not None
    assert [one.status for one in outcome.alerts] == ["confirmed"]


def test_judgements_are_read_on_from_a_seq(journal: Journal) -> None:
    alerts = journal.record([], [activity() for _ in range(5)])
    assert (journal.judgements_after(), journal.last_judgement_seq()) == ([], 0)
    stored = [journal.add_judgement(judgement(one.id), "unsure", 0) for one in alerts]
    assert journal.judgements_after(limit=2) == stored[:2]
    assert journal.judgements_after(stored[1].seq) == stored[2:]
    assert journal.judgements_after(limit=0) == []
    assert journal.last_judgement_seq() == stored[-1].seq
    some = [alerts[3].id, alerts[1].id, "unknown"]
    assert journal.judgements(some) == [stored[1], stored[3]]
    assert journal.judgements([]) == []


def test_alerts_are_read_by_their_status(journal: Journal) -> None:
    new, dismissed = AlertFilter(status="new"), AlertFilter(status="dismissed")
    alerts = journal.record([], [activity(), activity(), activity()])
    assert journal.alerts(wanted=new) == list(alerts)
    journal.add_judgement(judgement(alerts[1].id), "dismissed", 0)
    assert journal.alerts(wanted=new) == [alerts[0], alerts[2]]
    assert journal.alerts(wanted=dismissed) == [replace(alerts[1], status="dismissed")]
    assert journal.alerts(after=alerts[0].seq, wanted=new, limit=1) == [alerts[2]]


def test_a_judgement_of_another_store_keeps_its_seq(journal: Journal, alert: Alert) -> None:
    kept = replace(judgement(alert.id), seq=7)
    journal.put_judgement(kept)
    with pytest.raises(DuplicateError):
        journal.put_judgement(replace(judgement(alert.id), seq=7))
    assert journal.judgements([alert.id]) == [kept]
    assert journal.alert(alert.id).status == "new"
    with pytest.raises(ConflictError):
        journal.add_judgement(judgement(alert.id), "confirmed", 0)
    assert journal.add_judgement(judgement(alert.id), "confirmed", 7).seq > 7


def test_of_those_who_judge_at_once_one_wins(journal: Journal, alert: Alert) -> None:
    seen = 0
    for _ in range(5):
        results = race(
            lambda n, seen=seen: journal.add_judgement(judgement(alert.id), f"status {n}", seen)
        )
        won = [one for one in results if isinstance(one, Judgement)]
        assert len(won) == 1
        assert all(isinstance(one, ConflictError) for one in results if one not in won)
        assert journal.judgements([alert.id])[-1] == won[0]
        assert journal.alert(alert.id).status == f"status {results.index(won[0])}"
        seen = won[0].seq


def test_judgements_of_threads_that_race_are_heard_of_in_order(journal: Journal) -> None:
    """A reader that follows never sees one before another of a lower `seq`."""
    alerts = journal.record([], [activity() for _ in range(THREADS)])
    followed: list[Judgement] = []
    done = threading.Event()

    def follow() -> None:
        last = False
        while not last:
            last = done.is_set()
            while page := journal.judgements_after(followed[-1].seq if followed else 0, limit=7):
                followed.extend(page)

    def judge(number: int) -> list[Judgement]:
        made: list[Judgement] = []
        for _ in range(5):
            seen = made[-1].seq if made else 0
            one = judgement(alerts[number].id)
            made.append(journal.add_judgement(one, "unsure", seen))
        return made

    reader = threading.Thread(target=follow)
    reader.start()
    results = race(judge)
    done.set()
    reader.join()
    assert followed == sorted((one for made in results for one in made), key=lambda one: one.seq)
    assert len({one.seq for one in followed}) == THREADS * 5


def test_of_two_processes_that_judge_at_once_one_wins(url: str) -> None:
    with open_store(url) as here, open_store(url) as there:
        for _ in range(5):
            (alert,) = here.record([], [activity()])
            stores = (here, there)
            results = race(
                lambda n, alert=alert, stores=stores: stores[n].add_judgement(
                    judgement(alert.id), f"status {n}", 0
                ),
                threads=2,
            )
            (won,) = (one for one in results if isinstance(one, Judgement))
            assert there.judgements([alert.id]) == [won]
            assert here.alert(alert.id).status == f"status {results.index(won)}"


@pytest.mark.parametrize("status", ["dismissed", "unsure", "to be confirmed"])
def test_only_a_confirmed_alert_moves_last_seen(store: Store, status: str) -> None:
    store.put_criminal(criminal())
    (alert,) = store.record([], [face_alert(camera_location="Gate 9")])
    given = store.add_judgement(judgement(alert.id), status, 0)
    assert store.criminal("c1").last_seen_at is None
    store.add_judgement(judgement(alert.id), "confirmed", given.seq)
    seen = store.criminal("c1")
    assert (seen.last_seen_at, seen.last_seen_camera) == (NOON, "cam-1")
    assert seen.last_seen_location == "Gate 9"


def test_a_confirmed_alert_never_moves_last_seen_back(store: Store) -> None:
    store.put_criminal(criminal())
    (alert,) = store.record([], [face_alert(camera_location="Gate 9")])
    store.record([sighting(occurred_at=NOON + MINUTE)], [])
    store.add_judgement(judgement(alert.id), "confirmed", 0)
    assert store.criminal("c1").last_seen_at == NOON + MINUTE
    assert store.criminal("c1").last_seen_location == "Main gate"


def test_a_removal_and_a_judgement_at_once_both_hold(store: Store) -> None:
    for number in range(5):
        store.put_criminal(criminal(f"c{number}", name=f"Name {number}"))
        (alert,) = store.record([], [face_alert(f"c{number}")])
        work: list[Callable[[], Any]] = [
            lambda number=number: store.remove_criminal(f"c{number}"),
            lambda alert=alert: store.add_judgement(judgement(alert.id), "confirmed", 0),
        ]
        assert not [one for one in race(lambda n, work=work: work[n](), 2) if _failed(one)]
        left = store.alert(alert.id)
        assert (left.name, left.face, left.status) == (None, None, "confirmed")


def _failed(result: object) -> bool:
    return isinstance(result, Exception)
