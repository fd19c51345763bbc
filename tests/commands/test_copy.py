"""`susracker copy`, `backup` and `restore`: all of it arrives, or it is said."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest
from click.testing import CliRunner, Result

from susracker.access.audit import Act, AuditLog
from susracker.access.signing import SigningKey
from susracker.cli import main
from susracker.errors import InputError, StoreUnavailableError
from susracker.oversight import Key
from susracker.plugins import open_store
from susracker.stores.transfer import contents, copy_store
from susracker.testing.records import (
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
def mongodb(mongodb_url):
    return mongodb_url


def held(url: str):
    with open_store(url) as store:
        return contents(store, ignore)


def test_to_mongodb_and_back_is_the_same(original, mongodb, tmp_path):
    back = f"sqlite:///{tmp_path / 'back.db'}"
    first = run("copy", original, mongodb)
    copied = held(mongodb)
    assert held(original) == copied
    second = run("copy", mongodb, back)
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "5 criminals, 10 photos, 20 templates, 230 sightings, 230 alerts" in first.output
    assert held(mongodb) == held(back)
    assert (held(back).entries, copied.entries) == (2, 1)  # each copy is noted in its original
    with open_store(original) as one, open_store(back) as other:
        assert one.criminals() == other.criminals()
        assert one.alerts(limit=1000) == other.alerts(limit=1000)
        assert one.photo_ids("c4") == other.photo_ids("c4")
        before, after = one.template_rows("dlib/1"), other.template_rows("dlib/1")
        assert before.criminal_ids == after.criminal_ids
        assert np.array_equal(before.vectors, after.vectors)


def test_where_nobody_confirmed_a_sighting_the_copy_moves_nobody(mongodb, tmp_path):
    source, back = (f"sqlite:///{tmp_path / name}.db" for name in ("source", "back"))
    with open_store(source) as store:
        store.put_criminal(criminal())
        store.record([sighting()], [], moves_last_seen=False)
    assert run("copy", source, mongodb).exit_code == 0
    assert run("copy", mongodb, back).exit_code == 0
    for url in (mongodb, back):
        with open_store(url) as store:
            assert store.criminal("c1").last_seen_at is None
            assert len(store.sightings("c1")) == 1


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
    with open_store(original) as one, open_store(new) as other:
        assert one.criminals() == other.criminals()
        assert one.alerts(limit=1000) == other.alerts(limit=1000)
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


# -- keys and the audit log ----------------------------------------------------------------------


def log_of(store, tmp_path) -> AuditLog:
    return AuditLog(store, SigningKey.load_or_make(tmp_path / "audit-key.pem"))


def noted(log: AuditLog, count: int) -> None:
    for number in range(count):
        log.note(Act("jo (k1)", "admin", "192.0.2.1", "criminal.show", f"c{number}"))


@pytest.fixture
def keyed(original, tmp_path):
    """A store with keys, two of the same name, and an audit log of more than a page."""
    with open_store(original) as store:
        key = Key(id="k1", name="gate", role="camera", digest="d" * 64, created_at=NOON)
        store.add_key(key)
        store.revoke_key("k1", NOON + MINUTE)
        store.add_key(replace(key, id="k0", created_at=NOON + MINUTE))
        noted(log_of(store, tmp_path), 25)
    return original


def is_whole(url: str, tmp_path) -> bool:
    key = str(tmp_path / "audit-key.pem")
    return run("audit", "verify", "--store", url, "--audit-key", key).exit_code == 0


def test_keys_and_the_audit_log_arrive_and_the_log_goes_on(keyed, mongodb, tmp_path):
    key = ("--audit-key", tmp_path / "audit-key.pem")
    file, back = tmp_path / "site.susracker", f"sqlite:///{tmp_path / 'back.db'}"
    made = [
        run("copy", keyed, mongodb, *key),
        run("backup", file, "--store", mongodb, *key),
        run("restore", file, "--store", back, *key),
    ]
    assert [one.exit_code for one in made] == [0, 0, 0]
    assert "2 keys and 27 entries of the audit log" in made[1].output
    with open_store(keyed) as one, open_store(back) as other:
        assert one.keys() == other.keys()
        actions = [entry.action for entry in other.audit(after=25)]
        assert actions == ["store.copy", "store.backup", "store.restore"]
        assert other.secret("sessions") != one.secret("sessions")
    assert all(is_whole(url, tmp_path) for url in (keyed, mongodb, f"sqlite:///{file}", back))


def test_an_interrupted_copy_of_the_audit_log_resumes_after_changes(keyed, mongodb, tmp_path):
    def stop(step: str, done: int, total: int) -> None:
        if step == "audit log":
            raise KeyboardInterrupt

    with open_store(keyed) as one, open_store(mongodb) as other:
        with patch("susracker.stores.transfer_access.PAGE", 10):
            with pytest.raises(KeyboardInterrupt):
                copy_store(one, other, stop)
            assert [entry.seq for entry in other.audit()] == list(range(1, 11))
            one.replace_key_digest("k0", "e" * 64)
            one.note_key_used("k0", NOON)
            one.revoke_key("k0", NOON)
            noted(log_of(one, tmp_path), 3)
            entries = one.audit()
            shorter = replace(one.audit_head(), first=8, anchor=entries[6].digest)
            one.cut_audit(SigningKey.load_or_make(tmp_path / "audit-key.pem").sign(shorter))
            copy_store(one, other, ignore)
        assert other.keys() == one.keys()
        assert other.audit() == entries[7:]
    assert is_whole(mongodb, tmp_path)


@pytest.mark.parametrize("other", ["key", "entry"])
def test_keys_and_audit_logs_are_not_mixed(keyed, tmp_path, other):
    target = f"sqlite:///{tmp_path / 'target.db'}"
    with open_store(target) as store:
        if other == "key":
            store.add_key(Key(id="k9", name="mine", role="admin", digest="d", created_at=NOON))
        else:
            noted(log_of(store, tmp_path), 1)
        before = store.audit(), store.keys()
    result = run("copy", keyed, target, "--audit-key", tmp_path / "audit-key.pem")
    assert (result.exit_code, "of its own" in result.output) == (2, True)
    with open_store(target) as store:
        assert (store.audit(), store.keys()) == before
        assert store.criminals() == []


def test_a_log_that_lost_its_head_is_not_copied_as_an_empty_one(keyed, tmp_path):
    with closing(sqlite3.connect(keyed.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("DELETE FROM audit_head")
    target = f"sqlite:///{tmp_path / 'target.db'}"
    with (
        open_store(keyed) as one,
        open_store(target) as other,
        pytest.raises(InputError, match="lost its signed head"),
    ):
        copy_store(one, other, ignore)


def test_what_another_key_signed_is_restored_and_the_missing_key_is_named(keyed, tmp_path):
    file, new = keyed.removeprefix("sqlite:///"), f"sqlite:///{tmp_path / 'new.db'}"
    result = run("restore", file, "--store", new, "--audit-key", tmp_path / "other.pem")
    assert (result.exit_code, "signed by another key" in result.output) == (2, True)
    assert "holds 5 criminals" in result.output
    assert held(new) == held(keyed)
