"""What a gallery and a journal must do for each other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta, timezone
from functools import partial

import numpy as np
import pytest

from susracker.errors import ConfigError, DuplicateError, HeldError, NotFoundError
from susracker.models import Alert, Outcome
from susracker.oversight import Hold, RecordKind
from susracker.plugins import open_store
from susracker.stores.base import Store
from susracker.testing.race import race
from susracker.testing.records import (
    ENCODER,
    MINUTE,
    NOON,
    activity,
    candidate,
    criminal,
    enroll,
    event,
    face_alert,
    full_criminal,
    judgement,
    photo,
    sighting,
    template,
)


def test_what_was_written_is_there_after_reopening(url: str) -> None:
    with open_store(url) as store:
        (one,) = enroll(store, "c1")
        (alert,) = store.record([sighting()], [face_alert()], event())
        revision = store.changes(0).revision
    with open_store(url) as store:
        assert store.criminal("c1").last_seen_at == NOON
        np.testing.assert_array_equal(store.template_rows(ENCODER).vectors[0], one.vector)
        assert store.alerts() == [alert]
        assert store.changes(0).revision == revision
        assert store.record([], [activity()])[0].seq > alert.seq


def test_a_malformed_url_is_a_setting_that_is_wrong(url: str) -> None:
    with pytest.raises(ConfigError):
        open_store(f"{url.partition(':')[0]}:")


def test_replacing_a_criminal_keeps_what_is_not_edited(store: Store) -> None:
    made = enroll(store, "c1", photos=2)
    store.record([sighting()], [])
    edited = full_criminal(created_at=NOON + MINUTE, last_seen_camera="forged")
    store.put_criminal(edited)
    assert store.criminal("c1") == replace(
        edited,
        created_at=NOON,
        last_seen_at=NOON,
        last_seen_camera="cam-1",
        last_seen_location="Main gate",
    )
    assert store.photo_ids("c1") == [one.photo_id for one in made]
    assert store.template_counts(ENCODER) == {"c1": 2}
    assert len(store.sightings("c1")) == 1


def test_removing_forgets_all_of_a_criminal(store: Store) -> None:
    taken = photo("c1")
    store.put_criminal(criminal("c1"), [taken], [template(taken)])
    (kept,) = enroll(store, "c2")
    store.record([sighting("c1"), sighting("c2")], [])
    store.remove_criminal("c1")
    with pytest.raises(NotFoundError):
        store.criminal("c1")
    with pytest.raises(NotFoundError):
        store.photo(taken.id)
    assert store.photo_ids("c1") == []
    assert store.photo_owner(taken.digest) is None
    assert store.template_rows(ENCODER).criminal_ids == ["c2"]
    assert store.template_counts(ENCODER) == {"c2": 1}
    assert store.photos_without_template("another") == [kept.photo_id]
    assert store.sightings("c1") == []
    assert len(store.sightings("c2")) == 1
    assert [one.id for one in store.criminals()] == ["c2"]


def test_who_was_removed_can_be_enrolled_again_from_nothing(store: Store) -> None:
    taken = photo("c1")
    store.put_criminal(criminal("c1"), [taken], [template(taken)])
    store.record([sighting("c1")], [])
    store.remove_criminal("c1")
    store.put_criminal(criminal("c1"), [taken])
    assert store.criminal("c1") == criminal("c1")
    assert store.template_counts(ENCODER) == {}
    assert store.sightings("c1") == []


def test_alerts_of_a_removed_criminal_stay_without_face_and_link(store: Store) -> None:
    for one in ("c1", "c2", "c3"):
        enroll(store, one)
    about, other, neither = store.record(
        [], [face_alert("c1", "c2"), face_alert("c2", "c1", "c3"), face_alert("c3")], event()
    )
    store.remove_criminal("c1")
    cleared = replace(
        about,
        criminal_id=None,
        name=None,
        photo_id=None,
        face=None,
        candidates=(candidate("c2"),),
    )
    left = replace(other, candidates=(candidate("c2"), candidate("c3")))
    assert store.alerts() == [cleared, left, neither]
    assert store.alert(about.id) == cleared
    assert store.event_outcome("cam-1", "e1") == Outcome("alert", (cleared, left, neither))


def test_a_new_template_is_a_change_and_a_sighting_is_none(store: Store) -> None:
    taken = photo()
    store.put_criminal(criminal(), [taken])
    revision = store.changes(0).revision
    store.record([sighting()], [face_alert()], event())
    assert store.changes(revision).criminal_ids == frozenset()
    store.add_template(template(taken))
    assert store.changes(revision).criminal_ids == {"c1"}


@pytest.mark.parametrize(
    ("minutes", "newest"), [([5, 3], 0), ([3, 5], 1), ([5, 5], 0), ([5, 3, 6, -1], 2)]
)
def test_last_seen_only_moves_forward(store: Store, minutes: list[int], newest: int) -> None:
    store.put_criminal(criminal())
    for number, late in enumerate(minutes):
        store.record(
            [
                sighting(
                    occurred_at=NOON + late * MINUTE,
                    camera_id=f"cam-{number}",
                    camera_location=f"gate {number}",
                    suppressed=True,
                )
            ],
            [],
        )
    assert store.criminal("c1") == criminal(
        last_seen_at=NOON + minutes[newest] * MINUTE,
        last_seen_camera=f"cam-{newest}",
        last_seen_location=f"gate {newest}",
    )


def test_a_sighting_moves_nobody_if_told_so(store: Store) -> None:
    store.put_criminal(criminal())
    store.record([sighting()], [face_alert()], moves_last_seen=False)
    assert len(store.sightings("c1")) == 1
    assert store.criminal("c1") == criminal()
    store.record([sighting(occurred_at=NOON + MINUTE)], [])
    assert store.criminal("c1").last_seen_at == NOON + MINUTE


@pytest.mark.parametrize("by", ["sighting", "alert"])
def test_nothing_is_stored_about_who_was_removed(store: Store, by: str) -> None:
    store.put_criminal(criminal("c1"))
    store.put_criminal(criminal("gone"))
    store.remove_criminal("gone")
    sightings = [sighting("c1"), *([sighting("gone")] if by == "sighting" else [])]
    alerts = [activity(), *([face_alert("gone")] if by == "alert" else [])]
    with pytest.raises(NotFoundError):
        store.record(sightings, alerts, event())
    assert store.alerts() == []
    assert store.sightings("c1") == []
    assert store.criminal("c1").last_seen_at is None
    assert store.event_outcome("cam-1", "e1") is None


def test_a_candidate_who_was_removed_is_left_out(store: Store) -> None:
    store.put_criminal(criminal("c1"))
    (alert,) = store.record([], [face_alert("c1", "gone")])
    assert alert.candidates == (candidate("c1"),)
    assert store.alerts() == [alert]


def test_of_openings_that_race_with_events_one_wins_each(url: str) -> None:
    with open_store(url) as one, open_store(url) as other:
        for number in range(10):
            results = race(
                lambda n, name=f"e{number}": (one, other)[n % 2].record(
                    [], [activity()], event(name)
                )
            )
            assert sum(isinstance(result, tuple) for result in results) == 1
        assert len(one.alerts()) == len(other.alerts()) == 10


def test_another_thread_may_close(url: str) -> None:
    store = open_store(url)
    race(lambda n: store.criminals())
    closer = threading.Thread(target=store.close)
    closer.start()
    closer.join()
    with open_store(url) as again:
        assert again.criminals() == []


def test_another_opening_of_the_store_sees_what_is_written(store: Store, url: str) -> None:
    with open_store(url) as other:
        enroll(store, "c1")
        (alert,) = other.record([sighting()], [activity()])
        assert other.changes(0).criminal_ids == {"c1"}
        assert store.alerts() == [alert]
        enroll(other, "c2")
        assert store.template_counts(ENCODER) == {"c1": 1, "c2": 1}


def test_a_time_in_another_zone_is_the_same_moment(store: Store) -> None:
    there = NOON.astimezone(timezone(timedelta(hours=-5)))
    store.record([], [activity(occurred_at=there)])
    (alert,) = store.alerts()
    assert alert.occurred_at == NOON
    assert alert.occurred_at.utcoffset() == timedelta(0)


def test_a_repeated_event_moves_nobody(store: Store) -> None:
    store.put_criminal(criminal())
    store.record([sighting()], [], event())
    with pytest.raises(DuplicateError):
        store.record([sighting(occurred_at=NOON + MINUTE)], [], event())
    assert store.criminal("c1").last_seen_at == NOON


def test_an_alert_of_another_store_is_forgotten_with_the_person(store: Store) -> None:
    store.put_criminal(criminal())
    store.put_alert(replace(face_alert(), seq=7))
    store.remove_criminal("c1")
    assert store.alerts()[0].name is None


def test_being_seen_does_not_change_the_revision(store: Store) -> None:
    store.put_criminal(criminal())
    revision = store.criminal("c1").revision
    store.record([sighting()], [face_alert()])
    assert store.criminal("c1").revision == revision


def test_a_removal_while_sightings_are_stored_leaves_none(store: Store, url: str) -> None:
    """Each sighting is refused, or gone with the person: whoever comes first."""
    for number in range(12):
        who = f"c{number}"
        store.put_criminal(criminal(who))
        with open_store(url) as other:

            def work(thread: int, who: str = who, other: Store = other) -> tuple[Alert, ...] | None:
                if thread == 0:
                    return other.remove_criminal(who)
                return store.record([sighting(who)], [face_alert(who)])

            race(work, 4)
        assert store.sightings(who) == []
    assert all(alert.criminal_id is None and alert.face is None for alert in store.alerts())


def test_a_store_that_can_be_written_passes_its_check(store: Store) -> None:
    before = store.revision()
    store.check()
    store.check()
    assert store.revision() == before


# -- holds ---------------------------------------------------------------------------------------


def hold(store: Store, alert: Alert) -> None:
    store.hold_alert(Hold(alert.id, "court, case 7/26", "Jo (k1)", NOON))


def test_what_was_written_is_struck_with_a_removal_or_not_at_all(store: Store) -> None:
    store.put_criminal(criminal())
    store.put_criminal(criminal("c2"))
    alert, other = store.record([], [face_alert("c2", "c1"), face_alert("c2")])
    said, about = (
        store.add_judgement(judgement(one.id, reason="Ada Nowak", note="again"), "unsure", 0)
        for one in (alert, other)
    )
    hold(store, alert)
    with pytest.raises(HeldError):
        store.remove_criminal("c1", strikes_judgements=True)
    assert store.judgements([alert.id, other.id]) == [said, about]
    store.release_alert(alert.id)
    store.remove_criminal("c1", strikes_judgements=True)
    assert store.judgements([alert.id, other.id]) == [replace(said, reason="", note=""), about]
    store.remove_criminal("c2")
    assert store.judgements([other.id]) == [about]


@pytest.mark.parametrize("kind", ["alerts", "faces", "judgements"])
def test_what_is_there_after_a_hold_is_not_forgotten(
    store: Store, url: str, kind: RecordKind
) -> None:
    """Another opening forgets at the same time: before the hold, or not at all."""
    store.put_criminal(criminal())
    with open_store(url) as other:
        for _ in range(12):
            (alert,) = store.record([], [face_alert()])
            store.add_judgement(judgement(alert.id), "unsure", 0)

            def look(alert: Alert = alert) -> object:
                found = [one for one in store.alerts() if one.id == alert.id]
                return found, store.judgements([alert.id])

            def held(alert: Alert = alert, look: Callable[[], object] = look) -> object:
                hold(store, alert)
                return look()

            works = (held, partial(other.forget, kind, NOON + MINUTE, 10))
            found, _ = race(lambda n, works=works: works[n](), len(works))
            assert look() == (([], []) if isinstance(found, NotFoundError) else found)


@pytest.mark.parametrize("names", [("c1", "c2"), ("c2", "c1")])
def test_nobody_whom_a_held_alert_names_is_removed(store: Store, names: tuple[str, str]) -> None:
    for who in ("c1", "c2", "c3"):
        enroll(store, who)
    alert, other = store.record([sighting("c1")], [face_alert(*names), face_alert("c3")])
    for one in (alert, other):
        hold(store, one)
    before = store.criminals(), store.photo_ids("c1"), store.sightings("c1"), store.revision()
    with pytest.raises(HeldError, match=rf"{alert.id} \(court, case 7/26\); release") as caught:
        store.remove_criminal("c1")
    assert other.id not in str(caught.value)
    assert store.alerts() == [alert, other]
    after = store.criminals(), store.photo_ids("c1"), store.sightings("c1"), store.revision()
    assert after == before
    store.release_alert(alert.id)
    store.remove_criminal("c1")
    assert store.alerts_naming("c1") == store.photo_ids("c1") == []


def test_a_photo_that_a_held_alert_shows_is_not_removed(store: Store) -> None:
    shown, unseen = enroll(store, "c1", photos=2)
    (alert,) = store.record([], [face_alert("c1", photo_id=shown.photo_id)])
    hold(store, alert)
    with pytest.raises(HeldError, match=rf"{alert.id}, .* \(court, case 7/26\); release"):
        store.remove_photo("c1", shown.photo_id)
    store.remove_photo("c1", unseen.photo_id)
    assert store.photo_ids("c1") == [shown.photo_id]
    store.release_alert(alert.id)
    store.remove_photo("c1", shown.photo_id)
    assert store.photo_ids("c1") == []


def test_what_is_there_after_a_hold_stays_there(store: Store, url: str) -> None:
    """Others remove the person and the photo at the same time: before the hold, or not at all."""
    with open_store(url) as other:
        for number in range(12):
            who = f"c{number}"
            (made,) = enroll(store, who)
            (alert,) = store.record([], [face_alert(who, photo_id=made.photo_id)])

            def held(who: str = who, alert: Alert = alert) -> object:
                hold(store, alert)
                return about(who, alert)

            def about(who: str, alert: Alert) -> object:
                return store.alert(alert.id), store.criminals([who]), store.photo_ids(who)

            works = (
                held,
                partial(other.remove_criminal, who),
                partial(other.remove_photo, who, made.photo_id),
            )
            found, *_ = race(lambda n, works=works: works[n](), len(works))
            assert about(who, alert) == found
