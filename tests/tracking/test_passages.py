"""Which faces are one passage, when it is looked at, and what is left of it."""

from __future__ import annotations

import itertools
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from susracker.models import Candidate, Detection
from susracker.tracking import passage as records
from susracker.tracking import passages as module
from susracker.tracking.passage import BestFace, Passage, SeenFace, fused
from susracker.tracking.passages import LAST, Claim, Passages
from susracker.watchlist.looks import LOOKS, looks_due
from tests.state_machines import machine_settings
from tests.tracking.light import NOON

SPAN = 4.0
CHIP = np.zeros((150, 150, 3), np.uint8)
ANN = (Candidate("ann", "Ann", 0.5, 4.0, 0.001),)


def face(person: int, seed: int = 0, quality: float = 1.0) -> SeenFace:
    """A face of one of 16 people, none of whom is like another."""
    vector = np.zeros(32, np.float32)
    vector[person] = 1
    vector[16 + seed % 16] = 0.2
    chip = CHIP
    return SeenFace(vector / np.linalg.norm(vector), quality, chip)


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


class Cameras:
    """Short ways to add faces; they arrive when they are seen unless said otherwise."""

    def __init__(self, seconds: float = SPAN) -> None:
        self.passages = Passages(seconds)

    def see(self, person, at, track=None, camera="gate", received=None, generation=0) -> Claim:
        arrived = later(at if received is None else received)
        (claim,) = self.passages.add(
            camera, track, [face(person, int(10 * at))], later(at), arrived, generation
        )
        return claim


@pytest.fixture
def cameras() -> Cameras:
    return Cameras()


def test_alike_faces_close_in_time_are_one_passage_of_their_camera(cameras):
    first = cameras.see(1, 0)
    assert first.is_new
    assert cameras.see(1, SPAN).passage is first.passage
    assert cameras.see(2, SPAN).passage is not first.passage
    assert cameras.see(1, SPAN, camera="door").passage is not first.passage
    assert cameras.see(1, 2 * SPAN + 0.1).passage is not first.passage


def test_faces_out_of_order_are_one_passage_and_wait_for_nothing(cameras):
    first = cameras.see(1, 3)
    assert cameras.see(1, 0, received=3.1).passage is first.passage
    assert cameras.see(1, 6, received=6).passage is first.passage
    assert cameras.see(1, -SPAN - 0.1, received=6).passage is not first.passage


def test_two_faces_of_one_picture_are_two_passages(cameras):
    twins = [face(1), face(1)]
    claims = cameras.passages.add("gate", None, twins, NOON, NOON, 0)
    assert len({claim.passage.id for claim in claims}) == 2


def test_faces_of_one_moment_are_two_people_unless_the_clock_has_no_fractions(cameras):
    first = cameras.see(1, 0.5).passage
    one, other = face(1, 5), face(1, 8)
    assert 0.92 < one.vector @ other.vector < 0.999
    for at, is_new in ((0.5, True), (0, False)):
        (claim,) = cameras.passages.add("gate", None, [other], later(at), later(0.6), 0)
        assert claim.is_new == is_new
    (again,) = cameras.passages.add("gate", None, [one], later(0.5), later(0.6), 0)
    assert again.passage is first


def test_poor_faces_must_be_more_alike(cameras):
    def of(quality, seed):
        made = face(1, seed, quality)
        made.vector = fused([(face(1).vector, 1.0), (face(2).vector, 0.33 if seed else 0.0)])
        return made

    first, other = of(0.2, 0), of(0.2, 1)
    assert records.ALIKE < first.vector @ other.vector < records.POOR_ALIKE
    for quality in (0.2, 1.0):
        (one,) = cameras.passages.add(f"{quality}", None, [of(quality, 0)], NOON, NOON, 0)
        (two,) = cameras.passages.add(f"{quality}", None, [of(quality, 1)], later(1), later(1), 0)
        assert (one.passage is two.passage) == (quality == 1.0)


def test_a_track_is_one_passage_until_the_camera_mixes_people_up(cameras):
    first = cameras.see(1, 0, "t1")
    assert cameras.see(1, 0.5, "t2").passage is not first.passage
    assert cameras.see(1, 1, "t1").passage is first.passage
    other = cameras.see(2, 2, "t1")
    assert other.passage is not first.passage
    assert cameras.see(2, 3, "t1").passage is other.passage


def test_looks_are_taken_with_the_first_second_third_and_sixth_face_a_second_apart(cameras):
    taken = [cameras.see(1, at).number for at in range(14)]
    assert [number for number in taken if number] == [1, 2, 3, 4]
    assert [at for at, number in enumerate(taken) if number] == [0, 1, 2, 5]
    assert sum(look.share for look in LOOKS) <= 1


def test_frames_that_follow_at_once_hardly_count(cameras):
    """However many there are, they count for two and a half probes a second at most."""
    claims = [cameras.see(1, 0.04 * n) for n in range(21)]
    assert [claim.number for claim in claims if claim.look] == [1, 2, 3]
    assert 2 < claims[-1].passage.count < 1 + 2.5 * 0.8


def test_the_same_moment_counts_once_however_often_it_comes(cameras):
    claims = [cameras.see(1, 0, received=n / 10) for n in range(10)]
    assert [claim.number for claim in claims] == [1] + 9 * [0]
    assert claims[-1].passage.count == 1


def test_blurred_faces_count_for_less(cameras):
    passage = cameras.see(1, 0).passage
    passage.add(face(1, 1, quality=0.1), later(2))
    passage.add(face(1, 2, quality=1.0), later(4))
    sharp = [one.face.vector for one in passage.probes if one.face.quality == 1]
    assert passage.vector @ fused([(one, 1.0) for one in sharp]) > 0.999
    assert 2 < passage.independent() < 2.3


def test_an_edit_of_the_watch_list_begins_the_looks_anew(cameras):
    claim = cameras.see(1, 0)
    cameras.passages.looked(claim, (), 0.0, settled=True)
    assert not cameras.see(1, 0.1).look
    again = cameras.see(1, 0.2, generation=1)
    assert again.number == 1
    assert not again.passage.settled


def test_a_settled_passage_is_looked_at_again_once_more_faces_have_come(cameras):
    first = cameras.see(1, 0)
    passage = first.passage
    cameras.passages.looked(first, (), 0.0, settled=True)
    assert cameras.see(1, 0.1).faces == ()
    assert not [one for one in passage.probes if one.face.chip is not None]
    second = cameras.see(1, 1)
    assert second.number == 2
    assert [one.chip is not None for one in second.faces] == [False, False, True]
    cameras.passages.looked(second, (), 0.0, settled=False)
    assert not passage.settled
    assert passage.probes[-1].face.chip is not None


def test_a_look_that_a_newer_one_has_overtaken_settles_nothing(cameras):
    first, second = cameras.see(1, 0), cameras.see(1, 1)
    cameras.passages.looked(second, (), 0.0, settled=False)
    cameras.passages.looked(first, (), 0.0, settled=True)
    assert not first.passage.settled
    cameras.passages.looked(second, ANN, 0.0, settled=False)
    assert first.passage.settled


def test_a_look_at_an_older_watch_list_settles_nothing(cameras):
    """The list changed before the same face came again, and the look at it was the first to end."""
    older, newer = cameras.see(1, 0), cameras.see(1, 0, received=0.1, generation=1)
    passage = newer.passage
    cameras.passages.looked(newer, (), 1.0, settled=False)
    cameras.passages.looked(older, (), -3.0, settled=True)
    cameras.passages.give_back([older])
    assert (passage.settled, passage.score, passage.looks) == (False, 1.0, 1)


def test_looks_do_not_begin_anew_for_a_face_that_came_just_before_an_edit(cameras):
    cameras.see(1, 0, generation=1)
    late = cameras.see(1, 0.1)
    assert late.look is None
    assert late.passage.generation == 1


def test_while_a_look_is_under_way_no_score_is_known(cameras):
    """That of the look before was of fewer faces."""
    first = cameras.see(1, 0)
    cameras.passages.looked(first, (), 1.0, settled=False)
    assert first.passage.score == 1.0
    second = cameras.see(1, 1)
    assert first.passage.score is None
    cameras.passages.looked(second, (), 2.0, settled=False)
    assert first.passage.score == 2.0


def test_of_a_passage_that_has_ended_no_picture_is_kept_after_its_last_look(cameras):
    claim = cameras.see(1, 0)
    last = replace(claim, number=LAST)
    cameras.passages.looked(last, (), 0.0, settled=False)
    assert claim.passage.settled
    assert claim.passage.probes[0].face.chip is None


def test_what_the_looks_left_of_the_target_is_for_the_last_look(cameras):
    left = []
    for at in range(8):
        passage = cameras.see(1, at).passage
        left.append(round(passage.last_look().share, 9))
    # Where the newest face was looked at, its look is part of the last one.
    assert left == [1, 0.8, 0.7, 0.6, 0.6, 0.6, 0.5, 0.5]
    assert passage.last_look().probes == pytest.approx(8, abs=0.1)


def test_after_the_last_of_the_looks_faces_are_looked_at_once_a_second(cameras):
    for at in range(6):
        claim = cameras.see(1, at, "t1")
    assert claim.number == len(LOOKS)
    assert not claim.passage.settled
    assert cameras.passages.skips("gate", "t1", later(5.9), later(5.9)) is claim.passage
    assert cameras.passages.skips("gate", "t1", later(6.1), later(6.1)) is None


def test_looks_that_came_to_nothing_are_taken_again(cameras):
    claim = cameras.see(1, 0)
    cameras.passages.give_back([claim])
    assert cameras.see(1, 0).number == 1


@pytest.mark.parametrize("failed", range(4))
@pytest.mark.parametrize("faces_after", [0, 3])
def test_a_look_that_fails_spends_no_share_twice(cameras, failed, faces_after):
    """It fails after those that were taken meanwhile have come to an end."""
    looks = [claim for claim in (cameras.see(1, at) for at in range(6)) if claim.look]
    passage, failing = looks[0].passage, looks.pop(failed)
    for claim in looks:
        cameras.passages.looked(claim, (), 0.0, settled=False)
    cameras.passages.give_back([failing])
    looks += [claim for at in range(faces_after) if (claim := cameras.see(1, 6 + at)).look]
    # One at the same faces is part of the last one.
    apart = [claim for claim in looks if len(claim.faces) < len(passage.probes)]
    spent = sum(claim.look.share for claim in apart)
    assert spent + passage.last_look().share <= 1 + 1e-9


def test_a_look_that_was_noted_is_not_taken_again(cameras):
    """Of two faces in one picture, one was far from everybody, and the store failed for the other
    one."""
    noted, failed = cameras.passages.add("gate", None, [face(1), face(2)], NOON, NOON, 0)
    cameras.passages.looked(noted, (), -3.0, settled=True)
    cameras.passages.give_back([noted, failed])
    assert [one.passage.looks for one in (noted, failed)] == [1, 0]


def test_tracked_faces_are_skipped_between_looks_and_once_settled(cameras):
    def skips(at):
        return cameras.passages.skips("gate", "t1", later(at), later(at))

    assert skips(0) is None
    claim = cameras.see(1, 0, "t1")
    assert skips(0.2) is claim.passage
    assert skips(0.4) is None
    cameras.passages.looked(claim, (), 0.0, settled=True)
    assert skips(0.9) is claim.passage
    assert skips(1.1) is None
    cameras.see(1, 1.1, "t1")
    assert skips(2.0) is claim.passage
    assert cameras.passages.skips("gate", None, later(2), later(2)) is None


def test_a_passage_that_ends_while_its_first_face_is_looked_at_gets_a_last_look_too(cameras):
    passage = cameras.see(1, 0).passage
    assert not cameras.passages.take_ended(later(SPAN + 0.1))
    best = BestFace(Detection("gate", "hall", "face", NOON), NOON, NOON, b"jpeg", 1.0)
    cameras.passages.keep(passage, best)
    cameras.passages.keep(passage, replace(best, quality=2.0))
    assert cameras.passages.take_ended(later(SPAN + 0.2)) == [passage]
    assert passage.best.quality == 2.0
    assert not cameras.passages.take_ended(later(SPAN + 0.3))


class Looks:
    """Stands for a new picture, shows one of these passages, and counts how often it is asked."""

    def __init__(self, passage: Passage | None = None) -> None:
        self.asked = 0
        self._shown = passage.glimpses if passage else ()

    def shows(self, glimpses: tuple[object, ...]) -> bool:
        self.asked += 1
        return glimpses == self._shown


def test_where_people_walk_by_few_pictures_are_compared_until_someone_stays(cameras):
    def see(person, at):
        glimpsed = face(person, int(10 * at))
        glimpsed.glimpse = object()
        (claim,) = cameras.passages.add("gate", None, [glimpsed], later(at), later(at), 0)
        cameras.passages.looked(claim, (), -9.0, settled=True)
        return claim.passage

    def look(at, passage=None):
        glance = Looks(passage)
        skipped = cameras.passages.skips("gate", None, later(at), later(at), glance)
        return skipped, glance.asked

    see(0, 0)
    compared = [look(0.5) for _ in range(3 * module.FEW_MISSES)]
    few = module.FEW_MISSES
    assert [asked for _, asked in compared] == [1] * few + ([1] + [0] * (few - 1)) * 2
    stays = see(1, 0.5)
    assert look(0.6, stays) == (stays, 2)
    assert [look(0.7)[1] for _ in range(few)] == [2] * few


def test_one_detection_announces_a_passage_and_may_take_it_back(cameras):
    passage, passages = cameras.see(1, 0).passage, cameras.passages
    assert passages.announce(passage, "a")
    assert passages.announce(passage, "a")
    assert not passages.announce(passage, "b")
    passages.withdraw(passage, "a")
    assert not passages.announce(passage, "b")
    passages.withdraw(passage, "a")
    assert passages.announce(passage, "b")


def test_nothing_is_left_of_a_passage_that_has_ended(cameras):
    cameras.see(1, 0)
    cameras.see(2, 3)
    assert not cameras.passages.take_ended(later(SPAN + 0.1))
    assert len(cameras.passages) == 1
    assert not cameras.passages.take_ended(later(3 + SPAN + 0.1))
    assert len(cameras.passages) == 0
    assert not cameras.passages._cameras


def test_chips_are_few_and_gone_once_a_passage_is_settled(cameras):
    claims = [cameras.see(1, 2 * at) for at in range(8)]
    passage = claims[0].passage
    kept = [one for one in passage.probes if one.face.chip is not None]
    assert len(kept) == records.MAX_CHIPS
    cameras.passages.looked(claims[0], ANN, 0.0, settled=False)
    assert not [one for one in passage.probes if one.face.chip is not None]
    for at in range(100):
        passage.add(face(1, at), later(at))
    assert len(passage.probes) == records.MAX_PROBES


def test_passages_are_bounded_for_a_camera_and_for_all(monkeypatch):
    monkeypatch.setattr(module, "MAX_PASSAGES", 4)
    monkeypatch.setattr(module, "MAX_IN_ALL", 10)
    cameras = Cameras()
    for number in range(9):
        cameras.see(number, number / 100)
    assert len(cameras.passages) == 4
    assert not cameras.see(8, 0.2).is_new
    assert cameras.see(0, 0.2).is_new
    for number in range(12):
        cameras.see(1, 0.3, camera=f"door-{number}")
    assert len(cameras.passages) <= 10


@pytest.mark.parametrize("seed", range(20))
def test_threads_take_each_look_once_and_announce_once(cameras, seed):
    """Twelve threads send one passage at once, in any order."""
    moments = [0.5 * n for n in range(24)]
    random.Random(seed).shuffle(moments)
    with ThreadPoolExecutor(12) as pool:
        claims = list(pool.map(lambda at: cameras.see(1, at, received=0), moments))
        passage = claims[0].passage
        told = list(pool.map(lambda n: cameras.passages.announce(passage, str(n)), range(24)))
    for one in {claim.passage.id for claim in claims}:
        numbers = [claim.number for claim in claims if claim.passage.id == one and claim.look]
        assert len(numbers) == len(set(numbers))
    assert told.count(True) == 1


@dataclass
class Expected:
    """A passage of the model."""

    camera: str
    person: int
    track: str | None
    first: float
    last: float
    received: float
    looks: list[int] = field(default_factory=list)
    announced_by: str | None = None


class PassagesMachine(RuleBasedStateMachine):
    """Faces of four people, tracked and not, late and out of order, on two cameras."""

    def __init__(self) -> None:
        super().__init__()
        self.cameras = Cameras()
        self.now = 0.0
        self.known: dict[str, tuple[Passage, Expected]] = {}
        self.tokens = itertools.count()

    def alive(self, camera: str, at: float) -> list[tuple[Passage, Expected]]:
        return [
            (passage, one)
            for passage, one in self.known.values()
            if one.camera == camera
            if one.first - SPAN <= at <= one.last + SPAN and self.now - one.received <= SPAN
        ]

    @rule(
        person=st.integers(0, 3),
        camera=st.sampled_from(["gate", "door"]),
        track=st.sampled_from([None, None, "t1", "t2"]),
        ago=st.sampled_from([0, 0, 0.5, 2, 5, 9]),
    )
    def a_face_arrives(self, person, camera, track, ago):
        at = self.now - ago
        claim = self.cameras.see(person, at, track, camera, received=self.now)
        alive = self.alive(camera, at)
        same = [p for p, one in alive if one.person == person and one.track == track]
        if track is not None:
            for _, one in alive:
                if one.track == track and one.person != person:
                    one.track = None  # the camera has gone over to someone else
        assert claim.is_new == (not same)
        if same:
            assert claim.passage in same
        one = self.known.setdefault(
            claim.passage.id, (claim.passage, Expected(camera, person, track, at, at, self.now))
        )[1]
        assert one.person == person
        one.first, one.last, one.received = min(one.first, at), max(one.last, at), self.now
        if claim.look:
            assert claim.number == looks_due(claim.passage.count)
            one.looks.append(claim.number)
        assert one.looks == sorted(set(one.looks))
        assert sum(LOOKS[number - 1].share for number in one.looks) <= 1

    @rule(seconds=st.sampled_from([0.1, 0.5, 1.0, 3.0, 5.0]))
    def time_passes(self, seconds):
        self.now += seconds

    @rule()
    def housekeeping(self):
        self.cameras.passages.take_ended(later(self.now))
        alive = [one for _, one in self.known.values() if self.now - one.received <= SPAN]
        assert len(self.cameras.passages) == len(alive)

    @precondition(lambda self: self.known)
    @rule(data=st.data(), fails=st.booleans())
    def a_detection_announces(self, data, fails):
        # By their order, for ids are random.
        number = data.draw(st.integers(0, len(self.known) - 1))
        passage, one = list(self.known.values())[number]
        token = str(next(self.tokens))
        told = self.cameras.passages.announce(passage, token)
        assert told == (one.announced_by is None)
        if told and fails:
            self.cameras.passages.withdraw(passage, token)
        elif told:
            one.announced_by = token


def test_passages_in_every_order():
    run_state_machine_as_test(PassagesMachine, settings=machine_settings(30))
