"""`susracker copy`, `backup` and `restore`: all of it arrives, or it is said."""

from __future__ import annotations

import uuid
from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest
from click.testing import CliRunner, Result

from susracker.cli import main
from susracker.errors import InputError, StoreUnavailableError
from susracker.plugins import open_store
from susracker.stores.transfer import contents, copy_store
from tests.contracts.records import (
    MINUTE,
    NOON,
    activity,
    camera,
    criminal,
    face_alert,
    full_criminal,
    photo,
    sighting,
    template,
)


def ignore(step: str, done: int, total: int) -> None:
    """Nobody looks at the progress."""


def run(*args: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in args], catch_exceptions=False)


@pytest.fixture
def original(tmp_path):
    """A store with something of everything."""
    url = f"sqlite:///{tmp_path / 'original.db'}"
    with open_store(url) as store:
        for number in range(5):
            who = f"c{number}"
            photos = [photo(who) for _ in range(number)]
            made = [template(one, seed=number) for one in photos]
            made += [template(one, "other/2.0", seed=9) for one in photos]
            store.put_criminal(full_criminal(who) if number else criminal(who), photos, made)
        store.put_criminal(criminal("gone"))
        for number in range(230):
            seen = sighting("c1", occurred_at=NOON + number * MINUTE, suppressed=number % 2 == 1)
            about = replace(face_alert("c1", "c2"), occurred_at=seen.occurred_at)
            store.record([seen], [] if number % 2 else [about, activity()])
        store.remove_criminal("gone")
        store.count_cameras([camera("a", detections=7), camera("b", alerts=2)])
    return url


@pytest.fixture
def mongodb(mongodb_server):
    return f"mongodb://127.0.0.1:{mongodb_server.port}/{uuid.uuid4().hex}"


def held(url: str):
    with open_store(url) as store:
        return contents(store, ignore)


def test_to_mongodb_and_back_is_the_same(original, mongodb, tmp_path):
    back = f"sqlite:///{tmp_path / 'back.db'}"
    first = run("copy", original, mongodb)
    second = run("copy", mongodb, back)
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "5 criminals, 10 photos, 20 templates, 230 sightings, 230 alerts" in first.output
    assert held(original) == held(mongodb) == held(back)
    with open_store(original) as one, open_store(back) as other:
        assert one.criminals() == other.criminals()
        assert one.alerts(limit=1000) == other.alerts(limit=1000)
        assert one.photo_ids("c4") == other.photo_ids("c4")
        before, after = one.template_rows("dlib/1"), other.template_rows("dlib/1")
        assert before.criminal_ids == after.criminal_ids
        assert np.array_equal(before.vectors, after.vectors)


def test_an_interrupted_copy_resumes(original, tmp_path):
    target = f"sqlite:///{tmp_path / 'target.db'}"

    def stop(step: str, done: int, total: int) -> None:
        if (step, done) == ("alerts", 50):
            raise KeyboardInterrupt

    with open_store(original) as one, open_store(target) as other:
        with pytest.raises(KeyboardInterrupt):
            copy_store(one, other, stop)
        assert 0 < other.last_seq() < one.last_seq()
    assert run("copy", original, target).exit_code == 0
    assert held(target) == held(original)
    assert run("copy", original, target).exit_code == 0


def test_nothing_is_mixed(original, tmp_path):
    target = f"sqlite:///{tmp_path / 'target.db'}"
    with open_store(target) as store:
        store.put_criminal(criminal("someone"))
    result = run("copy", original, target)
    assert (result.exit_code, "name an empty store" in result.output) == (2, True)
    with open_store(target) as store:
        assert [one.id for one in store.criminals()] == ["someone"]
    other = f"sqlite:///{tmp_path / 'other.db'}"
    with open_store(other) as store:
        store.record([], [activity()])
    assert run("copy", original, other).exit_code == 2
    assert run("copy", original, original).exit_code == 2


def test_what_is_written_to_the_copy_meanwhile_is_noticed(original, tmp_path):
    with open_store(original) as one, open_store(f"sqlite:///{tmp_path / 'target.db'}") as other:

        def meddle(step: str, done: int, total: int) -> None:
            if (step, done) == ("criminals", total):
                other.put_criminal(criminal("late", name="Late"))

        with pytest.raises(InputError, match="differs"):
            copy_store(one, other, meddle)


def test_a_backup_is_of_one_moment_while_the_server_writes(original, tmp_path):
    before = held(original)
    with open_store(original) as one, open_store(f"sqlite:///{tmp_path / 'target.db'}") as other:

        def go_on(step: str, done: int, total: int) -> None:
            if step == "criminals":
                one.put_criminal(criminal(f"new-{done}"))
                one.record([sighting("c1", occurred_at=NOON - done * MINUTE)], [face_alert("c1")])
            if (step, done) == ("criminals", 1):
                one.remove_criminal("c4")

        assert copy_store(one, other, go_on) == before
        assert "c4" in {found.id for found in other.criminals()}
    assert held(f"sqlite:///{tmp_path / 'target.db'}") == before


def test_mongodb_is_copied_while_the_server_writes(original, mongodb, tmp_path):
    run("copy", original, mongodb)
    with open_store(mongodb) as one, open_store(f"sqlite:///{tmp_path / 'target.db'}") as other:

        def go_on(step: str, done: int, total: int) -> None:
            if (step, done) == ("criminals", 1):
                one.remove_criminal("c4")
                one.put_criminal(criminal("new"))
                one.record([], [activity()])

        copied = copy_store(one, other, go_on)
        assert copied.criminals == 4
        assert copied.alerts == 231
        assert [found.id for found in other.criminals()] == ["c0", "c1", "c2", "c3"]


@pytest.mark.parametrize("change", ["removed", "added"])
def test_a_panel_that_changes_a_photo_meanwhile_takes_nobody_out_of_a_copy(
    original, mongodb, tmp_path, change
):
    """Between reading which photos there are, and reading them."""
    run("copy", original, mongodb)
    with open_store(mongodb) as one, open_store(f"sqlite:///{tmp_path / 'target.db'}") as other:
        present = one.photo_ids("c3")
        listed = [*present, "removed"] if change == "removed" else present[:-1]
        with patch.object(one, "photo_ids", lambda who: listed if who == "c3" else photos[who]):
            photos = one.photo_ids_of(["c0", "c1", "c2", "c4"])
            copy_store(one, other, ignore)
        copied = present if change == "removed" else present[:-1]
        assert other.photo_ids("c3") == copied
        assert {made.photo_id for made in other.templates("c3")} == set(copied)


def test_who_is_removed_while_being_copied_is_left_out(original, mongodb, tmp_path):
    run("copy", original, mongodb)
    with open_store(mongodb) as one, open_store(f"sqlite:///{tmp_path / 'target.db'}") as other:
        theirs = one.photo_ids("c2")
        read = one.photo

        def remove(photo_id):
            found = read(photo_id)
            if photo_id == theirs[0]:
                one.remove_criminal("c2")
            return found

        with patch.object(one, "photo", remove):
            copy_store(one, other, ignore)
        assert [found.id for found in other.criminals()] == ["c0", "c1", "c3", "c4"]


def test_a_backup_is_one_file_that_can_be_restored(original, tmp_path):
    file, new = tmp_path / "site.susracker", f"sqlite:///{tmp_path / 'new.db'}"
    made = run("backup", file, "--store", original)
    assert (made.exit_code, "holds 5 criminals" in made.output) == (0, True)
    assert sorted(tmp_path.glob("site*")) == [file]
    assert run("backup", file, "--store", original).exit_code == 2
    assert run("restore", file, "--store", new).exit_code == 0
    assert held(new) == held(original)
    assert run("restore", tmp_path / "missing", "--store", new).exit_code == 2


def test_a_file_that_is_missing_is_not_copied_as_an_empty_store(tmp_path):
    missing, copy = (f"sqlite:///{tmp_path / name}" for name in ("missing.db", "copy.db"))
    for command in (("copy", missing, copy), ("backup", tmp_path / "b", "--store", missing)):
        result = run(*command)
        assert (result.exit_code, f"there is no store {missing}" in result.output) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_cannot_be_reached_is_reported(original):
    with pytest.raises(StoreUnavailableError):
        open_store("mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=100")
    result = run("copy", original, "mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=100")
    assert (result.exit_code, "cannot be reached" in result.output) == (1, True)
