"""The watch-list beside a model: edits by another process, refreshes, searches, and copies of the
templates for the next start, in any order.

SUSRACKER_STEPS=50000 python -m pytest tests/watchlist/test_model.py
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from susracker.models import Criminal, Template, Vectors
from susracker.plugins import open_store
from susracker.stores.sqlite import copy_file, templates
from susracker.testing.records import NOON, QUALITY, photo
from susracker.watchlist.fusion import fuse
from susracker.watchlist.gallery import OUTDATED_SHARE, choose_members
from susracker.watchlist.scoring import MAX_TEMPLATE_COUNT, PROBE_COUNTS, SCORES, Scoring
from susracker.watchlist.watchlist import WatchList
from tests.state_machines import machine_settings
from tests.watchlist.doubles import ENCODER, HookedMatcher, unit

TARGET_FPIR = 0.1

IN_MEMORY = Path("/dev/shm")
"""Where writes do not wait for a disk."""

LOG_SHARES = np.tile(-((SCORES + 3) ** 2) / 4, (len(PROBE_COUNTS), MAX_TEMPLATE_COUNT, 1))

some_ids = st.sampled_from([f"c{number:02}" for number in range(4)])
"""Few, so that one after the other happens to the same person."""

minutes = st.integers(1, 3).map(lambda number: timedelta(minutes=number))


def around_a_mean(count: int, seed: int) -> Vectors:
    """As faces are: how far someone is from the mean tells their statistics from others'."""
    vectors = unit(count, seed) + 0.7 * unit(1, 999)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def face(one: str) -> Vectors:
    """What a person looks like, shape (DIMENSION,); every two of them are twins."""
    return around_a_mean(1, 1000 + int(one[1:]) // 2)[0]


SCORING = Scoring(
    around_a_mean(60, 0),
    log_shares=LOG_SHARES,
    member_log_shares=1.3 * LOG_SHARES,
    measured_members=20,
    nearest=20,
)


@dataclass
class Person:
    """What the model knows of someone enrolled."""

    status: str = "wanted"
    expires_at: datetime | None = None
    name: str = "Ada"
    templates: list[Vectors] = field(default_factory=list)

    def is_wanted(self, now: datetime) -> bool:
        expired = self.expires_at is not None and self.expires_at <= now
        return self.status == "wanted" and not expired

    def is_listed(self, now: datetime) -> bool:
        return self.is_wanted(now) and bool(self.templates)

    @property
    def vector(self) -> Vectors:
        return fuse(np.stack(self.templates))


class Machine(RuleBasedStateMachine):
    """A watch-list, and another process that edits its store."""

    @initialize(max_members=st.sampled_from([3, 15]), size=st.integers(0, 20))
    def start(self, max_members: int, size: int) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=IN_MEMORY if IN_MEMORY.is_dir() else None))
        url = f"sqlite:///{self.folder / 'people.db'}"
        self.store, self.other_process = open_store(url), open_store(url)
        self.small_copies = pytest.MonkeyPatch()
        self.small_copies.setattr(templates, "COPIED_FROM", 1)
        for module in (templates, copy_file):
            self.small_copies.setattr(module, "ROWS_IN_PIECE", 4)
        self.max_members = max_members
        self.matcher = HookedMatcher()
        self.watchlist = self.new_watchlist(self.matcher)
        self.now = NOON
        self.people: dict[str, Person] = {}
        self.erased: set[bytes] = set()
        self.found_before: set[str] = set()  # listed at the last refresh, and ever since
        self.is_fresh = False
        for number in range(size):
            self.add_template(f"c{number:02}", number)

    def teardown(self) -> None:
        self.small_copies.undo()
        self.store.close()
        self.other_process.close()
        shutil.rmtree(self.folder)

    def new_watchlist(self, matcher: HookedMatcher) -> WatchList:
        return WatchList(self.store, ENCODER, matcher, SCORING, TARGET_FPIR, 0.0, self.max_members)

    # -- what others do ----------------------------------------------------------------------

    @rule(one=some_ids, seed=st.integers(0, 99))
    def add_template(self, one: str, seed: int) -> None:
        person = self.people.setdefault(one, Person())
        vector = face(one) + 0.1 * unit(1, seed)[0]
        person.templates.append(np.float32(vector / np.linalg.norm(vector)))
        self.put(one, person, person.templates[-1])

    @rule(
        one=some_ids,
        name=st.sampled_from(["Ada", "Bob"]),
        status=st.sampled_from(["wanted", "wanted", "apprehended"]),
        left=st.none() | minutes,
    )
    def edit(self, one: str, name: str, status: str, left: timedelta | None) -> None:
        person = self.people.setdefault(one, Person())
        person.name, person.status = name, status
        person.expires_at = left and self.now + left
        self.put(one, person)

    @rule(one=some_ids)
    def remove(self, one: str) -> None:
        if person := self.people.pop(one, None):
            self.other_process.remove_criminal(one)
            self.erased |= {each.tobytes() for each in person.templates}
            self.edited()

    @rule()
    def copy_the_templates(self) -> None:
        self.other_process.keep_template_copy(ENCODER)

    @rule(passed=minutes)
    def time_passes(self, passed: timedelta) -> None:
        self.now += passed
        self.edited()

    def put(self, one: str, person: Person, vector: Vectors | None = None) -> None:
        criminal = Criminal(
            id=one, name=person.name, status=person.status, expires_at=person.expires_at
        )
        taken = [] if vector is None else [photo(one)]
        made = [Template(each.id, one, ENCODER, vector, QUALITY) for each in taken]
        self.other_process.put_criminal(criminal, taken, made)
        self.edited()

    def edited(self) -> None:
        self.is_fresh = False
        self.found_before &= self.listed().keys()

    def listed(self) -> dict[str, Person]:
        return {one: each for one, each in self.people.items() if each.is_listed(self.now)}

    # -- what the watch-list does ------------------------------------------------------------

    @rule()
    def refresh(self) -> None:
        self.watchlist.refresh(self.now)
        self.is_fresh = True
        self.found_before = set(self.listed())

    @rule(one=some_ids)
    def refresh_during_which_somebody_is_searched_for(self, one: str) -> None:
        self.matcher.before_load = lambda: self.search_for(one)
        self.refresh()
        self.matcher.before_load = None

    @rule()
    def search_for_everyone(self) -> None:
        for number in range(20):
            self.search_for(f"c{number:02}")

    @rule(count=st.sampled_from([1, 30]))
    def prepare(self, count: int) -> None:
        self.watchlist.prepare(count)

    @rule(
        one=some_ids,
        moment=st.sampled_from([None, "after_search", "after_vectors"]),
    )
    def identify(self, one: str, moment: str | None) -> None:
        if moment:
            setattr(self.matcher, moment, self.refresh)
        self.search_for(one)
        self.matcher.after_search = self.matcher.after_vectors = None

    def search_for(self, one: str) -> None:
        """Whoever is returned is wanted at this moment, and whoever has to be found is found."""
        must_find = one in self.found_before
        probe = self.people[one].vector if must_find else face(one)
        candidates = self.watchlist.identify(probe[None], self.now)[0]
        # An id removed and added again is matched by its previous templates until the refresh.
        names = {one: each.name for one, each in self.people.items() if each.is_wanted(self.now)}
        assert [(each.criminal_id, each.name) for each in candidates] == [
            (each.criminal_id, names.get(each.criminal_id)) for each in candidates
        ]
        if must_find:
            assert one in [each.criminal_id for each in candidates]

    # -- what must be so after a refresh -----------------------------------------------------

    @precondition(lambda self: self.is_fresh)
    @invariant()
    def the_list_is_that_of_a_new_process(self) -> None:
        matcher = HookedMatcher()
        new = self.new_watchlist(matcher)
        new.refresh(self.now)
        listed = self.listed()
        for one, vector in zip(listed, matcher.vectors(list(listed)), strict=True):
            assert vector == pytest.approx(listed[one].vector, abs=1e-6)
        assert len(self.watchlist) == len(new) == len(listed)
        assert self.watchlist.counts == new.counts
        members = set(new._gallery.cohort_members)
        assert members == set(choose_members(listed, self.max_members))
        # The threshold depends on nothing but the counts and the number of members.
        scoring = scoring_with(self.watchlist._gallery.cohort_members, listed)
        expected = scoring.threshold(TARGET_FPIR, new.counts)
        assert self.watchlist.threshold == pytest.approx(expected, abs=1e-6)

    @invariant()
    def no_file_holds_a_template_of_someone_erased(self) -> None:
        kept = {each.tobytes() for one in self.people.values() for each in one.templates}
        for file in self.folder.glob("*-templates*"):
            content = file.read_bytes()
            assert not any(each in content for each in self.erased - kept)

    @precondition(lambda self: self.is_fresh)
    @invariant()
    def cohort_members_are_people_on_the_list_as_they_are_now(self) -> None:
        gallery, listed = self.watchlist._gallery, self.listed()
        assert set(gallery.cohort_members) <= listed.keys()
        missing = min(self.max_members, len(listed)) - len(gallery.cohort_members)
        assert 0 <= missing <= OUTDATED_SHARE * self.max_members
        expected = scoring_with(gallery.cohort_members, listed).cohort
        assert gallery._scoring.cohort == pytest.approx(expected, abs=1e-6)

    @precondition(lambda self: self.is_fresh)
    @invariant()
    def statistics_are_those_computed_from_scratch(self) -> None:
        gallery, listed = self.watchlist._gallery, self.listed()
        if not listed:
            return
        kept = gallery._people.known(list(listed)).statistics
        vectors = np.stack([each.vector for each in listed.values()])
        expected = scoring_with(gallery.cohort_members, listed).statistics(vectors)
        known = ~np.isnan(kept.means)
        # Exactly, for everyone on so short a list is a neighbour of a member that changes.
        for found, right in ((kept.means, expected.means), (kept.deviations, expected.deviations)):
            assert found[known] == pytest.approx(right[known], abs=1e-5)


def scoring_with(members: list[str], people: dict[str, Person]) -> Scoring:
    vectors = [people[one].vector for one in members]
    return SCORING.with_members(np.stack(vectors)) if members else SCORING


TestWatchList = Machine.TestCase
TestWatchList.settings = machine_settings()
TestWatchList.pytestmark = [pytest.mark.timeout(600)]  # a failure takes minutes to be shortened
