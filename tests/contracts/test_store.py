"""What every store must do. A new backend is one more parameter of `backend`."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from susracker.errors import ConfigError, DuplicateError, NotFoundError
from susracker.models import Alert, Outcome
from susracker.plugins import open_store
from susracker.stores.base import Store
from tests.contracts.records import (
    ENCODER,
    MICROSECOND,
    MINUTE,
    NOON,
    activity,
    camera,
    candidate,
    criminal,
    event,
    face_alert,
    full_criminal,
    photo,
    sighting,
    template,
)

THREADS = 8


@pytest.fixture(params=["sqlite", "mongodb"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    if backend == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    server = request.getfixturevalue("mongodb_server")
    return f"mongodb://127.0.0.1:{server.port}/{uuid.uuid4().hex}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with open_store(url) as opened:
        yield opened


def race(work: Callable[[int], Any], threads: int = THREADS) -> list[Any]:
    """Results, or errors, of `work(0)`, `work(1)`, ... on threads that start at once."""
    barrier = threading.Barrier(threads)

    def run(number: int) -> Any:
        barrier.wait()
        try:
            return work(number)
        except DuplicateError as error:
            return error

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


def enroll(store: Store, criminal_id: str, photos: int = 1, **fields: Any) -> list[Any]:
    """Store a criminal with photos and a template of each; returns the templates."""
    taken = [photo(criminal_id) for _ in range(photos)]
    made = [template(one) for one in taken]
    store.put_criminal(criminal(criminal_id, **fields), taken, made)
    return made


# -- opening ---------------------------------------------------------------------------------


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


def test_a_malformed_url_is_a_setting_that_is_wrong(backend: str) -> None:
    with pytest.raises(ConfigError):
        open_store(f"{backend}:")


# -- criminals -------------------------------------------------------------------------------


@pytest.mark.parametrize("one", [criminal(), full_criminal()], ids=["bare", "full"])
def test_a_criminal_comes_back_as_stored(store: Store, one: Any) -> None:
    store.put_criminal(one)
    assert store.criminal(one.id) == one


def test_a_new_criminal_without_a_date_gets_the_present_one(store: Store) -> None:
    before = datetime.now(timezone.utc)
    store.put_criminal(criminal(created_at=None))
    created_at = store.criminal("c1").created_at
    assert created_at is not None
    assert before <= created_at <= datetime.now(timezone.utc)


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


def test_replacing_a_criminal_adds_photos_and_templates(store: Store) -> None:
    first = enroll(store, "c1")
    second = enroll(store, "c1")
    assert store.photo_ids("c1") == [one.photo_id for one in first + second]
    assert store.template_counts(ENCODER) == {"c1": 2}


def test_a_photo_that_is_stored_already_leaves_nothing_behind(store: Store) -> None:
    known = photo("c1")
    store.put_criminal(criminal("c1"), [known])
    revision = store.changes(0).revision
    fresh, again = photo("c2"), photo("c2", content=known.content)
    with pytest.raises(DuplicateError):
        store.put_criminal(criminal("c2"), [fresh, again], [template(fresh), template(again)])
    with pytest.raises(NotFoundError):
        store.criminal("c2")
    with pytest.raises(DuplicateError):
        store.put_criminal(criminal("c1", name="Edited"), [photo("c1", content=known.content)])
    assert store.criminal("c1").name == "Ada Nowak"
    assert store.photo_owner(fresh.digest) is None
    assert store.template_counts(ENCODER) == {}
    assert store.changes(0).revision == revision


def test_the_same_photo_twice_at_once_is_a_duplicate(store: Store) -> None:
    one = photo()
    with pytest.raises(DuplicateError):
        store.put_criminal(criminal(), [one, replace(one, id="other")])
    assert store.criminals() == []


def test_of_threads_that_race_to_store_a_photo_one_wins(store: Store) -> None:
    content = b"the same picture"
    results = race(
        lambda n: store.put_criminal(criminal(f"c{n}"), [photo(f"c{n}", content=content)])
    )
    assert results.count(None) == 1
    owner = store.photo_owner(photo(content=content).digest)
    assert [one.id for one in store.criminals()] == [owner] == [f"c{results.index(None)}"]


def test_a_template_of_an_unknown_photo_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(NotFoundError):
        store.put_criminal(criminal(), [], [template(photo())])
    assert store.criminals() == []


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


def test_a_criminal_is_removed_only_once(store: Store) -> None:
    store.put_criminal(criminal())
    store.remove_criminal("c1")
    revision = store.changes(0).revision
    with pytest.raises(NotFoundError):
        store.remove_criminal("c1")
    assert store.changes(0).revision == revision


def test_criminals_are_in_order_of_name_and_then_id(store: Store) -> None:
    for criminal_id, name in [("3", "B"), ("1", "C"), ("2", "B"), ("4", "A")]:
        store.put_criminal(criminal(criminal_id, name=name))
    assert [one.id for one in store.criminals()] == ["4", "2", "3", "1"]
    assert [one.id for one in store.criminals(["1", "3", "2", "nobody", "2"])] == ["2", "3", "1"]
    assert store.criminals([]) == []


def test_many_criminals_are_asked_for_at_once(store: Store) -> None:
    enroll(store, "c1")
    asked = ["c1", *(f"nobody {n}" for n in range(50_000))]
    assert [one.id for one in store.criminals(asked)] == ["c1"]
    assert store.template_rows(ENCODER, asked).criminal_ids == ["c1"]


def test_criminals_of_exactly_a_name(store: Store) -> None:
    for criminal_id, name in [("2", "Ada"), ("1", "Ada"), ("3", "ada"), ("4", "Ada N")]:
        store.put_criminal(criminal(criminal_id, name=name))
    assert [one.id for one in store.criminals_named("Ada")] == ["1", "2"]
    assert store.criminals_named("Nobody") == []


def test_changes_name_who_was_added_edited_or_removed(store: Store) -> None:
    assert store.changes(0).criminal_ids == frozenset()
    for one in ("c1", "c2", "c3"):
        store.put_criminal(criminal(one))
    added = store.changes(0)
    assert added.criminal_ids == {"c1", "c2", "c3"}
    store.put_criminal(criminal("c2", status="apprehended"))
    store.remove_criminal("c3")
    edited = store.changes(added.revision)
    assert edited.criminal_ids == {"c2", "c3"}
    assert edited.revision > added.revision
    assert store.changes(edited.revision).criminal_ids == frozenset()
    assert store.changes(edited.revision).revision == edited.revision
    assert store.changes(0).criminal_ids == {"c1", "c2", "c3"}


def test_the_revision_is_that_of_the_newest_change(store: Store) -> None:
    assert store.revision() == 0
    for change in (
        lambda: store.put_criminal(criminal("c1")),
        lambda: store.put_criminal(criminal("c2")),
        lambda: store.remove_criminal("c2"),
    ):
        before = store.revision()
        change()
        assert store.revision() == store.changes(0).revision > before


def test_a_new_template_is_a_change_and_a_sighting_is_none(store: Store) -> None:
    taken = photo()
    store.put_criminal(criminal(), [taken])
    revision = store.changes(0).revision
    store.record([sighting()], [face_alert()], event())
    assert store.changes(revision).criminal_ids == frozenset()
    store.add_template(template(taken))
    assert store.changes(revision).criminal_ids == {"c1"}


def test_who_follows_changes_hears_of_every_one(store: Store) -> None:
    heard: set[str] = set()
    done = threading.Event()

    def follow() -> None:
        revision, last = 0, False
        while not last:
            last = done.is_set()
            found = store.changes(revision)
            revision = found.revision
            heard.update(found.criminal_ids)

    follower = threading.Thread(target=follow)
    follower.start()
    race(lambda n: [store.put_criminal(criminal(f"{n}-{m}")) for m in range(10)])
    done.set()
    follower.join()
    assert heard == {f"{n}-{m}" for n in range(THREADS) for m in range(10)}


# -- photos and templates --------------------------------------------------------------------


def test_a_photo_comes_back_as_stored(store: Store) -> None:
    taken = photo(content=bytes(range(256)) * 4000)
    store.put_criminal(criminal(), [taken])
    assert store.photo(taken.id) == taken
    assert store.photo_owner(taken.digest) == "c1"
    assert store.photo_owner("0" * 64) is None
    with pytest.raises(NotFoundError):
        store.photo("unknown")


def test_photos_are_in_order_of_enrolment(store: Store) -> None:
    store.put_criminal(criminal("c1"), [photo("c1", id="z"), photo("c1", id="b")])
    store.put_criminal(criminal("c2"), [photo("c2", id="m")])
    store.put_criminal(criminal("c1"), [photo("c1", id="a")])
    assert store.photo_ids("c1") == ["z", "b", "a"]
    assert store.photos_without_template(ENCODER) == ["z", "b", "m", "a"]
    assert store.photo_ids("unknown") == []


def test_template_rows_are_exact_and_a_criminals_stand_together(store: Store) -> None:
    expected: dict[str, set[bytes]] = {}
    for one in ("c2", "c1", "c2", "c3", "c1"):
        expected.setdefault(one, set()).update(
            made.vector.tobytes() for made in enroll(store, one, photos=2)
        )
    rows = store.template_rows(ENCODER)
    assert rows.vectors.dtype == np.float32
    assert rows.vectors.shape == (10, 128)
    found: dict[str, set[bytes]] = {}
    for owner, vector in zip(rows.criminal_ids, rows.vectors, strict=True):
        found.setdefault(owner, set()).add(vector.tobytes())
    assert found == expected
    changes_of_owner = sum(
        one != other for one, other in zip(rows.criminal_ids, rows.criminal_ids[1:], strict=False)
    )
    assert changes_of_owner == 2


def test_template_rows_of_some_and_of_no_one(store: Store) -> None:
    assert len(store.template_rows(ENCODER).vectors) == 0
    for one in ("c1", "c2", "c3"):
        enroll(store, one)
    assert sorted(store.template_rows(ENCODER, {"c3", "c1", "?"}).criminal_ids) == ["c1", "c3"]
    nothing = store.template_rows(ENCODER, [])
    assert nothing.criminal_ids == []
    assert nothing.vectors.shape[0] == 0
    assert nothing.vectors.ndim == 2


def test_template_rows_of_who_is_wanted(store: Store) -> None:
    enroll(store, "wanted")
    enroll(store, "caught", status="apprehended")
    enroll(store, "until later", expires_at=NOON + MICROSECOND)
    enroll(store, "until now", expires_at=NOON)
    rows = store.template_rows(ENCODER, wanted_at=NOON)
    assert sorted(rows.criminal_ids) == ["until later", "wanted"]
    assert rows.vectors.shape == (2, 128)
    some = store.template_rows(ENCODER, ["wanted", "caught"], wanted_at=NOON)
    assert some.criminal_ids == ["wanted"]
    assert len(store.template_rows(ENCODER).criminal_ids) == 4


def test_templates_of_encoders_are_kept_apart(store: Store) -> None:
    taken = photo()
    store.put_criminal(criminal(), [taken], [template(taken), template(taken, "other", seed=1)])
    assert store.template_rows(ENCODER).vectors.shape == (1, 128)
    assert store.template_counts("other") == {"c1": 1}
    assert store.template_counts("third") == {}
    assert store.photos_without_template("third") == [taken.id]
    assert store.photos_without_template("other") == []


def test_a_template_takes_the_place_of_the_same_encoders(store: Store) -> None:
    taken, bare = photo(), photo()
    store.put_criminal(criminal(), [taken, bare], [template(taken, seed=1)])
    assert store.photos_without_template(ENCODER) == [bare.id]
    better = template(taken, seed=2)
    store.add_template(better)
    assert store.template_counts(ENCODER) == {"c1": 1}
    np.testing.assert_array_equal(store.template_rows(ENCODER).vectors, [better.vector])
    store.add_template(template(bare))
    assert store.template_counts(ENCODER) == {"c1": 2}
    assert store.photos_without_template(ENCODER) == []


def test_templates_come_back_as_stored(store: Store) -> None:
    first, second = photo(id="a.$1"), photo(id="b")
    made = [template(second), template(first, "other/2.0", seed=1), template(first)]
    store.put_criminal(criminal(), [first, second], made)
    enroll(store, "c2")
    found = store.templates("c1")
    keys = [(one.photo_id, one.criminal_id, one.encoder_id, one.quality) for one in found]
    expected = sorted(made, key=lambda one: (one.photo_id, one.encoder_id))
    assert keys == [(o.photo_id, o.criminal_id, o.encoder_id, o.quality) for o in expected]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.vector, other.vector)
    assert store.templates("unknown") == []


def test_a_template_of_a_photo_that_was_removed_is_refused(store: Store) -> None:
    taken = photo()
    store.put_criminal(criminal(), [taken])
    store.remove_criminal("c1")
    with pytest.raises(NotFoundError):
        store.add_template(template(taken))
    assert len(store.template_rows(ENCODER).vectors) == 0


# -- what cameras saw ------------------------------------------------------------------------


def test_alerts_and_sightings_come_back_as_stored(store: Store) -> None:
    store.put_criminal(criminal("c1"))
    store.put_criminal(criminal("c2"))
    seen = sighting(suppressed=True)
    first, second = store.record([seen], [face_alert("c1", "c2"), activity(status="seen")])
    assert store.sightings("c1") == [seen]
    assert store.alerts() == [first, second]
    assert store.alert(second.id) == second
    assert 0 < first.seq < second.seq == store.last_seq()


def test_a_time_in_another_zone_is_the_same_moment(store: Store) -> None:
    there = NOON.astimezone(timezone(timedelta(hours=-5)))
    store.record([], [activity(occurred_at=there)])
    (alert,) = store.alerts()
    assert alert.occurred_at == NOON
    assert alert.occurred_at.utcoffset() == timedelta(0)


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


def test_sightings_are_in_order_of_occurrence(store: Store) -> None:
    store.put_criminal(criminal("c1"))
    store.put_criminal(criminal("c2"))
    seen = [sighting(occurred_at=NOON + n * MICROSECOND) for n in (2, 0, 3, 1)]
    store.record([*seen[:2], sighting("c2")], [])
    store.record(seen[2:], [])
    assert store.sightings("c1") == sorted(seen, key=lambda one: one.occurred_at)
    assert store.sightings("unknown") == []


def test_two_sightings_of_one_moment_are_both_kept(store: Store) -> None:
    store.put_criminal(criminal())
    store.record([sighting(), sighting(camera_id="cam-2")], [])
    assert {one.camera_id for one in store.sightings("c1")} == {"cam-1", "cam-2"}


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


def test_an_event_is_handled_once(store: Store) -> None:
    store.put_criminal(criminal())
    stored = store.record([sighting()], [face_alert(), activity()], event())
    with pytest.raises(DuplicateError):
        store.record([sighting(occurred_at=NOON + MINUTE)], [activity()], event())
    assert store.alerts() == list(stored)
    assert len(store.sightings("c1")) == 1
    assert store.criminal("c1").last_seen_at == NOON
    store.record([], [], event("e2"))
    store.record([], [], event(camera_id="cam-2"))
    assert store.event_outcome("cam-1", "e1") == Outcome("alert", stored)


def test_an_event_without_alerts_has_its_outcome(store: Store) -> None:
    store.record([], [activity()])
    assert store.record([], [], event(kind="no match")) == ()
    store.record([], [activity()])
    assert store.event_outcome("cam-1", "e1") == Outcome("no match")
    assert store.event_outcome("cam-1", "e2") is None
    assert store.event_outcome("cam-2", "e1") is None


def test_a_forgotten_event_can_be_handled_again(store: Store) -> None:
    old = store.record([], [activity()], event("old", received_at=NOON - MICROSECOND))
    store.record([], [], event("new", received_at=NOON))
    store.forget_events(NOON)
    assert store.event_outcome("cam-1", "old") is None
    assert store.event_outcome("cam-1", "new") is not None
    assert store.alerts() == list(old)
    again = store.record([], [activity()], event("old"))
    assert store.event_outcome("cam-1", "old") == Outcome("alert", again)


def test_of_threads_that_race_with_an_event_one_wins(store: Store) -> None:
    results = race(lambda n: store.record([], [activity()], event()))
    won = [one for one in results if not isinstance(one, DuplicateError)]
    assert len(won) == 1
    assert store.alerts() == list(won[0])


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


def test_an_unknown_alert_is_not_found(store: Store) -> None:
    with pytest.raises(NotFoundError):
        store.alert("unknown")


def test_an_alert_of_another_store_keeps_its_seq(store: Store) -> None:
    store.put_criminal(criminal())
    kept = [replace(face_alert(), seq=7), replace(activity(), seq=12)]
    for one in kept:
        store.put_alert(one)
    with pytest.raises(DuplicateError):
        store.put_alert(replace(activity(), seq=12))
    assert store.alerts() == kept
    assert store.alert(kept[0].id) == kept[0]
    assert store.record([], [activity()])[0].seq > 12
    store.remove_criminal("c1")
    assert store.alerts()[0].name is None


def test_alerts_are_read_in_pages(store: Store) -> None:
    assert store.last_seq() == 0
    assert store.alerts() == []
    stored = [store.record([], [activity()])[0] for _ in range(5)]
    assert store.alerts(limit=2) == stored[:2]
    assert store.alerts(after=stored[1].seq, limit=2) == stored[2:4]
    assert store.alerts(after=stored[-1].seq) == []
    assert store.alerts(limit=0) == []


def test_alerts_are_read_a_hundred_at_once_unless_told(store: Store) -> None:
    store.record([], [activity() for _ in range(120)])
    assert len(store.alerts()) == 100
    assert len(store.alerts(limit=120)) == 120


def test_alerts_since_a_moment_are_without_their_faces(store: Store) -> None:
    store.put_criminal(criminal())
    times = [NOON + MINUTE, NOON - MICROSECOND, NOON]
    stored = store.record([], [face_alert(occurred_at=moment) for moment in times])
    assert store.alerts_since(NOON) == [replace(stored[n], face=None) for n in (0, 2)]
    assert store.alerts_since(NOON + 2 * MINUTE) == []


def test_alerts_of_threads_that_race_are_all_stored_in_order(store: Store) -> None:
    """And a reader that follows the log never sees one before another of a lower `seq`."""
    store.put_criminal(criminal())
    followed: list[Alert] = []
    done = threading.Event()

    def follow() -> None:
        last = False
        while not last:
            last = done.is_set()
            while page := store.alerts(after=followed[-1].seq if followed else 0, limit=7):
                followed.extend(page)

    def write(number: int) -> list[tuple[Alert, ...]]:
        return [
            store.record([sighting()], [face_alert(), activity()], event(f"{number}-{n}"))
            for n in range(12)
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
    assert len({alert.seq for alert in written}) == THREADS * 12 * 2
    assert followed == sorted(written, key=lambda alert: alert.seq)
    assert len(store.sightings("c1")) == THREADS * 12


# -- cameras ---------------------------------------------------------------------------------


def test_counts_of_cameras_add_up(store: Store) -> None:
    assert store.cameras() == []
    store.count_cameras([camera("b", detections=3, alerts=1), camera("a")])
    store.count_cameras(
        [camera("b", detections=2, alerts=2, last_heard_at=NOON + MINUTE, location="Moved")]
    )
    moved = camera("b", detections=5, alerts=3, last_heard_at=NOON + MINUTE, location="Moved")
    assert store.cameras() == [camera("a"), moved]
    store.count_cameras([camera("b", detections=1, alerts=0, location="Before")])
    assert store.cameras()[1] == replace(moved, detections=6)


def test_counts_of_threads_that_race_add_up(store: Store) -> None:
    race(lambda n: [store.count_cameras([camera(alerts=1)]) for _ in range(5)])
    assert store.cameras() == [camera(detections=THREADS * 5, alerts=THREADS * 5)]


# -- end -------------------------------------------------------------------------------------


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
