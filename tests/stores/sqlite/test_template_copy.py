"""The copy of all templates beside an SQLite file changes nothing but how long reading takes."""

from __future__ import annotations

import io
import logging
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from susracker.cli import main
from susracker.errors import StoreUnavailableError
from susracker.models import Template
from susracker.stores.data_key import create_data_key, sealer_of
from susracker.stores.rotation import rotate
from susracker.stores.sealing import PlainSealer
from susracker.stores.sqlite import copy_file, templates
from susracker.stores.sqlite.store import SqliteStore
from susracker.testing.race import race
from susracker.testing.records import ENCODER, NOON, criminal, photo, template, vector

PEOPLE = 20


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of few templates, in several pieces."""
    monkeypatch.setattr(templates, "COPIED_FROM", 1)
    for module in (templates, copy_file):
        monkeypatch.setattr(module, "ROWS_IN_PIECE", 8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def copy(path: Path) -> Path:
    return path.with_name("store.db-templates")


@pytest.fixture(params=["plain", "sealed"])
def data_key(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "plain":
        return ""
    create_data_key(tmp_path / "data.key")
    return str(tmp_path / "data.key")


@pytest.fixture
def store(path: Path, data_key: str) -> Iterator[SqliteStore]:
    with SqliteStore.open(path, sealer_of(data_key)) as opened:
        for number in range(PEOPLE):
            add(opened, f"c{number:02}", photos=1 + number % 3)
        opened.keep_template_copy(ENCODER)
        yield opened


def add(store: SqliteStore, who: str, photos: int = 1, **fields: Any) -> None:
    taken = [photo(who) for _ in range(photos)]
    store.put_criminal(criminal(who, **fields), taken, [template(one) for one in taken])


def rows(found: Any) -> dict[str, list[bytes]]:
    """Templates by owner, whose rows stand together."""
    owned: dict[str, list[bytes]] = {}
    before = None
    for owner, one in zip(found.criminal_ids, found.vectors, strict=True):
        assert owner == before or owner not in owned
        owned.setdefault(owner, []).append(one.tobytes())
        before = owner
    return owned


def from_rows(store: SqliteStore, wanted_at: Any = None) -> dict[str, list[bytes]]:
    everyone = [one.id for one in store.criminals()]
    return rows(store.template_rows(ENCODER, everyone, wanted_at=wanted_at))


def from_copy(store: SqliteStore, wanted_at: Any = None) -> dict[str, list[bytes]]:
    found = store._copy.read(ENCODER, wanted_at)
    assert found, "the copy was not used"
    return rows(found)


def is_used(store: SqliteStore) -> bool:
    return store._copy.read(ENCODER, None) is not None


# -- what is read ----------------------------------------------------------------------------


def test_it_holds_what_the_rows_hold(store: SqliteStore) -> None:
    assert from_copy(store) == from_rows(store)
    assert rows(store.template_rows(ENCODER)) == from_rows(store)


def test_what_changes_after_it_was_written_is_read_from_the_rows(store: SqliteStore) -> None:
    store.remove_criminal("c03")
    store.remove_photo("c02", store.photo_ids("c02")[1])
    add(store, "new", photos=2)
    add(store, "c04")
    again = store.photo_ids("c05")[0]
    store.add_template(Template(again, "c05", ENCODER, vector(99), template(photo()).quality))
    store.edit_criminal("c06", {"status": "apprehended"})
    assert from_copy(store) == from_rows(store)
    wanted = from_copy(store, NOON)
    assert wanted == from_rows(store, NOON)
    assert "c06" not in wanted


def test_people_who_have_expired_since_are_left_out(store: SqliteStore) -> None:
    store.edit_criminal("c07", {"expires_at": NOON + timedelta(minutes=1)})
    store.keep_template_copy(ENCODER)
    assert "c07" in from_copy(store, NOON)
    assert "c07" not in from_copy(store, NOON + timedelta(minutes=1))


def test_a_snapshot_of_the_store_shows_its_moment(store: SqliteStore) -> None:
    before = from_rows(store)
    with store.snapshot() as moment:
        store.remove_criminal("c01")
        add(store, "new")
        assert rows(moment.template_rows(ENCODER)) == before


@pytest.mark.parametrize("who", ["", "ä王", "c 1"])
def test_ids_are_any_texts(store: SqliteStore, who: str) -> None:
    add(store, who, photos=2)
    written_anew(store)
    assert from_copy(store)[who] == from_rows(store)[who]
    store.remove_criminal(who)
    assert from_copy(store) == from_rows(store)


def written_anew(store: SqliteStore) -> None:
    store._copy.delete()
    store.keep_template_copy(ENCODER)


def test_an_id_of_several_lines_leaves_the_store_without_a_copy(
    store: SqliteStore, copy: Path
) -> None:
    add(store, "c\n1")
    written_anew(store)
    assert list(copy.parent.glob("*-templates*")) == []
    assert "c\n1" in rows(store.template_rows(ENCODER))


# -- when it is written ----------------------------------------------------------------------


def test_it_is_written_again_once_many_people_have_changed(
    store: SqliteStore, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(templates, "OUTDATED_SHARE", 0.1)  # of 39 templates
    before = copy.stat().st_ino
    for number in range(3):
        add(store, f"new{number}")
        store.keep_template_copy(ENCODER)
        assert copy.stat().st_ino == before
    add(store, "new3")
    store.keep_template_copy(ENCODER)
    assert copy.stat().st_ino != before
    assert from_copy(store) == from_rows(store)


def test_few_templates_are_not_copied(
    store: SqliteStore, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(templates, "COPIED_FROM", 100)
    store.keep_template_copy(ENCODER)
    assert not copy.exists()
    assert rows(store.template_rows(ENCODER)) == from_rows(store)


def test_only_its_owner_may_read_it(store: SqliteStore, copy: Path) -> None:
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_a_link_to_the_database_leads_to_the_same_copy(
    store: SqliteStore, path: Path, copy: Path, data_key: str, tmp_path: Path
) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(path)
    gone = sealed_or_plain(store, "c03")
    with SqliteStore.open(link, sealer_of(data_key)) as linked:
        linked.remove_criminal("c03")
    assert not any(one in copy.read_bytes() for one in gone)
    assert from_copy(store) == from_rows(store)


def sealed_or_plain(store: SqliteStore, who: str) -> list[bytes]:
    """What a person's templates look like in the copy if they are not sealed."""
    return from_rows(store)[who]


# -- what does not fit -----------------------------------------------------------------------


def cut(copy: Path) -> None:
    copy.write_bytes(copy.read_bytes()[:-1])


def empty(copy: Path) -> None:
    copy.write_bytes(b"")


def damage(place: int) -> Callable[[Path], None]:
    def flip(copy: Path) -> None:
        content = bytearray(copy.read_bytes())
        content[place] ^= 1
        copy.write_bytes(content)

    return flip


def of_a_newer_format(copy: Path) -> None:
    copy.write_bytes(copy.read_bytes().replace(b'"format": 1', b'"format": 2'))


DAMAGES = {
    "cut": cut,
    "empty": empty,
    "format": of_a_newer_format,
    "head": damage(2),
    "first piece": damage(copy_file.HEAD_BYTES + 100),
    "an owner": damage(-330),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_copy_is_written_again(
    store: SqliteStore, copy: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    DAMAGES[name](copy)
    with caplog.at_level(logging.INFO):
        assert rows(store.template_rows(ENCODER)) == from_rows(store)
    assert len(caplog.messages) == 1
    assert str(copy) in caplog.messages[0]
    assert not copy.exists()
    store.keep_template_copy(ENCODER)
    assert from_copy(store) == from_rows(store)


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_copy_does_not_outlive_a_removal(
    store: SqliteStore, copy: Path, name: str
) -> None:
    gone = sealed_or_plain(store, "c03")
    DAMAGES[name](copy)
    store.remove_criminal("c03")
    assert not copy.exists() or not any(one in copy.read_bytes() for one in gone)
    assert rows(store.template_rows(ENCODER)) == from_rows(store)


def pieces(people: list[str]) -> Iterator[tuple[list[str], bytes]]:
    for start in range(0, len(people), copy_file.ROWS_IN_PIECE):
        some = people[start : start + copy_file.ROWS_IN_PIECE]
        yield some, b"".join(vector(int(one[1:])).tobytes() for one in some)


def test_whoever_is_not_found_in_a_damaged_copy_is_not_taken_for_wiped() -> None:
    """Whichever bit is wrong, the person is wiped, or the copy is said to be damaged."""
    people = [f"c{number:02}" for number in range(PEOPLE)]
    file, sealer = io.BytesIO(), PlainSealer()
    copy_file.write_copy(file, sealer, copy_file.Head("token", ENCODER, 1), pieces(people))
    good, gone = file.getvalue(), vector(3).tobytes()
    assert gone in good
    for bit in range(8 * good.index(b"c00\n"), 8 * len(good)):
        content = bytearray(good)
        content[bit // 8] ^= 1 << bit % 8
        damaged = io.BytesIO(content)
        with suppress(copy_file.UnfitCopyError):
            copy_file.CopyFile(damaged, sealer).wipe(["c03"])
            assert gone not in damaged.getvalue(), f"bit {bit} of {8 * len(good)}"


def test_the_copy_of_another_store_is_not_used(
    store: SqliteStore, path: Path, copy: Path, data_key: str, tmp_path: Path
) -> None:
    with SqliteStore.open(tmp_path / "other.db", sealer_of(data_key)) as other:
        for number in range(PEOPLE):
            add(other, f"c{number:02}")
        other.keep_template_copy(ENCODER)
        shutil.copy(copy, tmp_path / "other.db-templates")
        assert rows(other.template_rows(ENCODER)) == from_rows(other)
        other.keep_template_copy(ENCODER)
        assert from_copy(other) == from_rows(other)


def test_a_copy_that_is_older_than_the_one_in_use_is_not_used(
    store: SqliteStore, copy: Path
) -> None:
    old = copy.read_bytes()
    written_anew(store)
    copy.write_bytes(old)
    assert not is_used(store)


def test_an_older_database_that_was_put_back_gets_back_who_was_removed_since(
    store: SqliteStore, path: Path, data_key: str, tmp_path: Path
) -> None:
    with store._db.reading() as connection:
        connection.execute("VACUUM INTO ?", (str(tmp_path / "old.db"),))
    store.remove_criminal("c03")
    store.close()
    for left in path.parent.glob("store.db-[sw]*"):
        left.unlink()
    shutil.copy(tmp_path / "old.db", path)
    with SqliteStore.open(path, sealer_of(data_key)) as old:
        assert "c03" in rows(old.template_rows(ENCODER))
        assert rows(old.template_rows(ENCODER)) == from_rows(old)


def test_the_copy_of_another_encoder_is_not_used(store: SqliteStore) -> None:
    taken = photo("c01")
    store.edit_criminal("c01", {}, [taken], [template(taken, "other/2.0")])
    assert store.template_rows("other/2.0").criminal_ids == ["c01"]
    store.keep_template_copy("other/2.0")
    assert store.template_rows("other/2.0").criminal_ids == ["c01"]
    assert rows(store.template_rows(ENCODER)) == from_rows(store)


# -- who is removed --------------------------------------------------------------------------


def test_whoever_is_removed_is_wiped_at_once(store: SqliteStore, copy: Path, data_key: str) -> None:
    gone = sealed_or_plain(store, "c05")
    there = copy.read_bytes()
    assert all(one in there for one in gone) is not bool(data_key)
    size = len(there)
    store.remove_criminal("c05")
    left = copy.read_bytes()
    assert len(left) == size
    assert not any(one in left for one in gone)
    assert from_copy(store) == from_rows(store)


def test_a_photo_that_is_removed_takes_its_template_along(store: SqliteStore, copy: Path) -> None:
    gone = sealed_or_plain(store, "c05")
    store.remove_photo("c05", store.photo_ids("c05")[0])
    assert not any(one in copy.read_bytes() for one in gone)
    assert from_copy(store) == from_rows(store)


def test_erasing_by_command_while_no_server_runs_wipes_the_copy(
    store: SqliteStore, path: Path, copy: Path, tmp_path: Path, data_key: str
) -> None:
    gone = sealed_or_plain(store, "c05")
    store.close()
    command = ["criminals", "erase", "c05", "--reason", "court order", "--yes"]
    settings = {"SUSRACKER_STORE": f"sqlite:///{path}", "SUSRACKER_DATA_KEY": data_key}
    settings["SUSRACKER_AUDIT_KEY"] = str(tmp_path / "audit.key")
    run = CliRunner().invoke(main, command, env=settings)
    assert run.exit_code == 0, run.output
    assert not any(one in copy.read_bytes() for one in gone)
    with SqliteStore.open(path, sealer_of(data_key)) as opened:
        assert "c05" not in from_copy(opened)
        assert from_copy(opened) == from_rows(opened)


def test_nobody_is_removed_whose_template_cannot_be_wiped(store: SqliteStore, copy: Path) -> None:
    copy.unlink()
    (copy / "folder").mkdir(parents=True)
    with pytest.raises(StoreUnavailableError, match="templates"):
        store.remove_criminal("c05")
    assert "c05" in from_rows(store)


def test_a_removal_that_is_undone_leaves_the_person_recognisable(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    wipe = templates.TemplateCopy.wipe

    def wipe_then_fail(*given: Any) -> None:
        wipe(*given)
        raise StoreUnavailableError("unplugged")

    with monkeypatch.context() as patched:
        patched.setattr(templates.TemplateCopy, "wipe", wipe_then_fail)
        with pytest.raises(StoreUnavailableError):
            store.remove_criminal("c05")
    assert rows(store.template_rows(ENCODER)) == from_rows(store)
    assert "c05" in from_rows(store)


# -- at the same time ------------------------------------------------------------------------


def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Do something once, when a draft is written and not in its place yet."""
    write = templates.write_copy

    def write_then_act(*given: Any) -> None:
        write(*given)
        monkeypatch.setattr(templates, "write_copy", write)
        act()

    monkeypatch.setattr(templates, "write_copy", write_then_act)


def test_whoever_is_removed_while_it_is_written_is_in_no_file(
    store: SqliteStore, path: Path, copy: Path, data_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = sealed_or_plain(store, "c05")
    store._copy.delete()
    with SqliteStore.open(path, sealer_of(data_key)) as other:

        def remove() -> None:
            other.remove_criminal("c05")
            assert list(copy.parent.glob("*-templates*")) == []

        meanwhile(monkeypatch, remove)
        store.keep_template_copy(ENCODER)
    assert list(copy.parent.glob("*-templates*")) == []
    store.keep_template_copy(ENCODER)
    assert not any(one in copy.read_bytes() for one in gone)
    assert from_copy(store) == from_rows(store)


def test_whoever_changes_while_it_is_written_is_read_from_the_rows(
    store: SqliteStore, path: Path, copy: Path, data_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store._copy.delete()

    def change() -> None:
        add(store, "c05", photos=2)
        add(store, "new")

    meanwhile(monkeypatch, change)
    store.keep_template_copy(ENCODER)
    assert from_copy(store) == from_rows(store)


def test_a_draft_that_a_crash_left_is_gone_after_a_removal(store: SqliteStore, copy: Path) -> None:
    draft = copy.with_name(f"{copy.name}.new")
    shutil.copy(copy, draft)
    store.remove_criminal("c05")
    assert not draft.exists()


def test_two_servers_may_write_it_at_once(
    store: SqliteStore, path: Path, copy: Path, data_key: str
) -> None:
    with SqliteStore.open(path, sealer_of(data_key)) as other:
        both = store, other
        for _ in range(5):
            store._copy.delete()
            results = race(lambda number: both[number].keep_template_copy(ENCODER), 2)
            assert results == [None, None]
            store.keep_template_copy(ENCODER)
            assert from_copy(store) == from_copy(other) == from_rows(store)
            assert [one.name for one in copy.parent.glob("*-templates*")] == [copy.name]


# -- another data key ------------------------------------------------------------------------


def test_another_data_key_leaves_no_copy(
    store: SqliteStore, path: Path, copy: Path, data_key: str, tmp_path: Path
) -> None:
    store.close()
    create_data_key(tmp_path / "new.key")
    new = sealer_of(str(tmp_path / "new.key"))
    with closing(SqliteStore.open_vault(f"sqlite:///{path}")) as vault:
        rotate(vault, sealer_of(data_key), new, lambda *step: None)
    assert not copy.exists()
    with SqliteStore.open(path, new) as opened:
        opened.keep_template_copy(ENCODER)
        assert from_copy(opened) == from_rows(opened)


def test_vectors_are_those_that_were_stored(store: SqliteStore) -> None:
    found = store._copy.read(ENCODER, None)
    assert found
    assert found.vectors.dtype == np.float32
    assert found.vectors.shape == (len(found.criminal_ids), 128)
    assert found.vectors.flags.carray
