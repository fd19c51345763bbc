"""What a person reads in a terminal of 80 columns: nothing is cut off, nothing steers it."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from susracker.access.audit import Act, AuditLog
from susracker.access.signing import SigningKey
from susracker.cli import main
from susracker.commands.shown import fpir_text
from susracker.plugins import open_store
from susracker.testing.records import (
    candidate,
    criminal,
    face_alert,
    photo,
    sighting,
    template,
)

LONG = "Wolfeschlegelsteinhausenbergerdorff the Elder of Hamburg"
TERMINAL = {"COLUMNS": "80", "FORCE_COLOR": "1", "NO_COLOR": "1"}


@pytest.fixture
def site(tmp_path: Path) -> dict[str, str]:
    return TERMINAL | {
        "SUSRACKER_STORE": f"sqlite:///{tmp_path / ('site' * 20)}.db",
        "SUSRACKER_AUDIT_KEY": str(tmp_path / "audit-key.pem"),
    }


def shown(site: dict[str, str], *typed: str) -> str:
    result = CliRunner().invoke(main, typed, env=site, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return click.unstyle(result.output)


@pytest.mark.parametrize("group", ["alerts", "audit", "criminals", "keys", "recordings"])
def test_the_lines_of_commands_are_not_cut_off(site, group):
    assert "..." not in shown(site, group, "--help").partition("Commands:")[2]


def test_no_rate_is_shown_where_the_tables_are_extrapolated():
    rates = (0.0, 4e-13, 1e-6, 0.00624, 0.5)
    assert [fpir_text(rate) for rate in rates] == ["<1e-06", "<1e-06", "1e-06", "0.006", "0.5"]


def test_lists_are_not_cut_off(site):
    with open_store(site["SUSRACKER_STORE"]) as store:
        store.put_criminal(criminal(name=LONG), [], [])
    typed = ("--role", "camera", "--name", LONG, "--cameras", "north-gate-*", "--expires")
    shown(site, "keys", "create", *typed, "2099-12-31")
    for what in (("keys", "list"), ("criminals", "list"), ("settings",)):
        output = shown(site, *what)
        assert "…" not in output.replace("SUSRACKER_…", "")
        assert max(map(len, output.splitlines())) <= 80
    assert "2099-12-31" in shown(site, "keys", "list")


def test_statistics_are_shown_whole(site):
    with open_store(site["SUSRACKER_STORE"]) as store:
        made = photo()
        store.put_criminal(criminal(), [made], [template(made, "dlib-resnet-v1")])
    for env in (site, site | {"FORCE_COLOR": ""}):
        output = shown(env, "criminals", "stats")
        assert "…" not in output
        assert "0.000167" in output
    assert max(map(len, shown(site, "criminals", "stats").splitlines())) <= 80


def test_a_person_and_their_alerts_are_shown_whole(site):
    place = "Camera of the northern entrance hall, beside the lifts"
    with open_store(site["SUSRACKER_STORE"]) as store:
        store.put_criminal(criminal(name=LONG, crimes=("counterfeiting",) * 9), [photo(), photo()])
        seen = sighting(camera_id="north-entrance-hall-17", camera_location=place)
        (alert,) = store.record([seen], [face_alert(name=LONG, candidates=(candidate(name=LONG),))])
    for what in (("criminals", "show", "c1"), ("alerts", "list"), ("alerts", "show", alert.id)):
        output = shown(site, *what)
        assert "…" not in output, output
        assert max(map(len, output.splitlines())) <= 80
        assert_whole(output, LONG)
    assert_whole(shown(site, "criminals", "show", "c1"), place, "north-entrance-hall-17")


def assert_whole(output: str, *texts: str) -> None:
    """Each word is there, even if a cell wraps."""
    for word in " ".join(texts).split():
        letters = re.sub(r"[\s│┃]", "", output)
        assert word in output or word in letters or word[:8] in output, (word, output)


def test_a_reason_cannot_steer_the_terminal_of_whoever_reads_the_audit_log(site):
    key = SigningKey.load_or_make(Path(site["SUSRACKER_AUDIT_KEY"]))
    with open_store(site["SUSRACKER_STORE"]) as store:
        log = AuditLog(store, key)
        log.note(Act("Jo (1)", "viewer", "10.0.0.7", "alert.show", "3f9c", "\x1b[2Jgone\nfaked"))
    listed = shown(site, "audit", "list")
    assert "alert.show 3f9c: ?[2Jgone?faked\n        by Jo (1) from 10.0.0.7\n" in listed
