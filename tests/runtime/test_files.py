"""Files and folders with faces in them are their owner's alone, from the moment they exist."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from unittest.mock import Mock

import pytest

from susracker.errors import ConfigError
from susracker.runtime.files import (
    USUAL_MODE,
    create_private,
    draft,
    expanded,
    make_private_folder,
    open_private,
    write_whole,
)
from tests.disks import full_disk

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def _open_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_new_file_is_private_and_an_old_one_is_left_alone(tmp_path):
    new, old = tmp_path / "new", tmp_path / "old"
    old.write_bytes(b"kept")
    for file in (new, old):
        create_private(file)
    assert (mode(new), mode(old)) == (0o600, 0o666)
    assert old.read_bytes() == b"kept"


def test_all_missing_folders_are_private(tmp_path):
    folder = tmp_path / "a" / "b" / "c"
    make_private_folder(folder)
    make_private_folder(folder)
    assert [mode(one) for one in (folder, folder.parent, folder.parent.parent)] == [0o700] * 3


def test_a_file_in_place_of_a_folder_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "folder"):
        with pytest.raises(OSError, match=r"exists|Not a directory"):
            make_private_folder(path)


def test_a_home_folder_is_put_in_if_there_is_one(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert expanded("~/a") == tmp_path / "a"
    assert expanded(Path("a/~")) == Path("a/~")
    with pytest.raises(ConfigError, match="name of no user"):
        expanded("~nobody-of-that-name/a")


def test_what_is_opened_is_private(tmp_path):
    with open_private(tmp_path / "new", "xb") as file:
        assert mode(tmp_path / "new") == 0o600
        file.write(b"x")


def test_what_a_link_points_to_is_private_too(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "file")
    create_private(tmp_path / "link")
    create_private(tmp_path / "link")
    assert mode(tmp_path / "file") == 0o600


def test_a_draft_is_private_whole_and_gone_at_the_end(tmp_path):
    with draft(tmp_path / "key", b"secret") as written:
        assert mode(written) == 0o600
        assert written.read_bytes() == b"secret"
    assert list(tmp_path.iterdir()) == []


def test_a_draft_that_cannot_be_written_leaves_nothing(tmp_path):
    with full_disk(0), pytest.raises(OSError, match="large"), draft(tmp_path / "key", b"secret"):
        raise AssertionError("it was written")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_written_whole_keeps_its_mode_its_owner_and_its_link(tmp_path):
    file, link = tmp_path / "file", tmp_path / "link"
    link.symlink_to(file)
    write_whole(link, b"new")
    assert (mode(file), file.read_bytes()) == (0o600, b"new")
    file.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(file, 1234, 5678)
    owned = file.stat()
    write_whole(link, b"newer")
    assert (mode(file), file.read_bytes()) == (0o640, b"newer")
    assert (file.stat().st_uid, file.stat().st_gid) == (owned.st_uid, owned.st_gid)
    assert link.is_symlink()
    assert sorted(tmp_path.iterdir()) == [file, link]


def test_a_file_that_cannot_be_written_whole_keeps_what_it_held(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    with full_disk(2), pytest.raises(OSError, match="large"):
        write_whole(tmp_path / "file", b"newer")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("content", [b"longer than before", b"new"])
@pytest.mark.parametrize("refused", ["replace", "chown"])
def test_a_file_that_cannot_be_replaced_is_overwritten(tmp_path, monkeypatch, refused, content):
    """As one that is mounted alone into a container, or is another user's."""
    errors = {"replace": OSError(errno.EBUSY, "busy"), "chown": PermissionError(errno.EPERM, "no")}
    monkeypatch.setattr(os, refused, Mock(side_effect=errors[refused]))
    monkeypatch.setattr(Path, "replace", lambda one, other: os.replace(one, other))
    file = tmp_path / "file"
    file.write_bytes(b"before")
    before = file.stat().st_ino
    write_whole(file, content)
    assert (file.stat().st_ino, file.read_bytes()) == (before, content)
    assert list(tmp_path.iterdir()) == [file]


def test_what_is_to_replace_a_private_file_is_private_from_the_beginning(tmp_path, monkeypatch):
    file, modes = tmp_path / "file", []
    create_private(file)
    monkeypatch.setattr(os, "chown", lambda written, *owner: modes.append(mode(written)))
    write_whole(file, b"a password", USUAL_MODE)
    assert [*modes, mode(file)] == [0o600, 0o600]
