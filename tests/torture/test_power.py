"""The power program with few cuts; what it takes a disk for; and that it notices what it is for."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.torture.compiler import needs_compiler
from tests.torture.disk import CREATE, LINK, MKDIR, SYNC, TRUNCATE, UNLINK, WRITE, Call, Disk
from tests.torture.figures import Figures
from tests.torture.power import run


def none(most: int) -> int:
    return 0


def every(most: int) -> int:
    return most


@needs_compiler
def test_what_was_acknowledged_survives_a_power_cut(tmp_path: Path) -> None:
    figures = Figures("power")
    run(tmp_path, 4, figures, cuts=30)
    figures.show()
    assert not figures.broken


@needs_compiler
def test_a_store_that_does_not_sync_is_noticed(tmp_path: Path) -> None:
    figures = Figures("power")
    run(tmp_path, 4, figures, "synchronous = NORMAL", cuts=20)
    assert any("alert lost" in one for one in figures.broken)


@pytest.fixture
def disk() -> Disk:
    made = Disk("/site")
    for call in (
        Call(CREATE, "/site/a", 0, b""),
        Call(WRITE, "/site/a", 0, b"x" * 1024),
        Call(SYNC, "/site/a", 0, b""),
    ):
        made.apply(call)
    return made


def test_a_file_is_certain_once_its_folder_is_synced(disk: Disk) -> None:
    assert disk.after_cut(none, None) == {}
    disk.apply(Call(SYNC, "/site", 0, b""))
    assert disk.after_cut(none, None) == {"/site/a": b"x" * 1024}
    disk.apply(Call(UNLINK, "/site/a", 0, b""))
    assert disk.after_cut(none, None) == {"/site/a": b"x" * 1024}
    assert disk.after_cut(every, None) == disk.now() == {}


def test_a_folder_that_is_not_synced_takes_its_files_along(disk: Disk) -> None:
    disk.apply(Call(MKDIR, "/site/new", 0, b""))
    disk.apply(Call(LINK, "/site/a", 0, b"/site/new/b"))
    disk.apply(Call(SYNC, "/site/new", 0, b""))
    assert "/site/new/b" not in disk.after_cut(none, None)
    disk.apply(Call(SYNC, "/site", 0, b""))
    assert disk.after_cut(none, None)["/site/new/b"] == b"x" * 1024


def test_sectors_and_sizes_are_kept_apart(disk: Disk) -> None:
    disk.apply(Call(SYNC, "/site", 0, b""))
    disk.apply(Call(WRITE, "/site/a", 500, b"y" * 600))
    chosen = random.Random(1)
    states = {
        disk.after_cut(lambda most: chosen.randint(0, most), 512)["/site/a"] for _ in range(200)
    }
    new = b"x" * 500 + b"y" * 600
    assert {b"x" * 1024, new, b"x" * 500 + b"y" * 12 + b"x" * 512, new[:1024]} <= states
    assert len(states) == 12
    disk.apply(Call(TRUNCATE, "/site/a", 100, b""))
    assert disk.now()["/site/a"] == b"x" * 100
