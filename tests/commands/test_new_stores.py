"""A mistyped store is an error, and only few commands create one."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from susracker.cli import main
from tests.pictures import HOPPER

READING = [
    "alerts list",
    "alerts show 3f9c2a81",
    "alerts stats",
    "alerts export out.csv --reason x",
    "alerts hold 3f9c2a81 --reason x",
    "audit list",
    "audit export out.jsonl",
    "backup out.susracker",
    "benchmark --from-reviews",
    "criminals list",
    "criminals show 3f9c2a81",
    "criminals remove 3f9c2a81 --yes",
    "criminals erase 3f9c2a81 --yes --reason x",
    "criminals set-status 3f9c2a81 wanted",
    "criminals stats",
    "keys list",
    "keys revoke Jo --yes",
    "keys rotate Jo",
    "purge --yes",
]


def run(line: str, *more: object):
    return CliRunner().invoke(main, [*line.split(), *map(str, more)])


@pytest.mark.parametrize("line", READING)
def test_a_store_that_is_not_there_is_an_error(tmp_path, line):
    typo = tmp_path / "typo.db"
    result = run(line, "--store", f"sqlite:///{typo}", "--audit-key", tmp_path / "key")
    if "No such option" in result.output:
        result = run(line, "--store", f"sqlite:///{typo}")
    assert result.exit_code == 2, result.output
    assert "there is no store sqlite:///" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_copy_of_a_store_that_is_not_there_is_an_error(tmp_path):
    ends = [f"sqlite:///{tmp_path / name}" for name in ("typo.db", "copy.db")]
    result = run("copy", *ends)
    assert result.exit_code == 2, result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "line", [f"enroll {HOPPER} --name Jo", "keys create --role admin --name Jo"]
)
def test_a_store_that_is_created_is_told(tmp_path, line):
    flags = ["--store", f"sqlite:///{tmp_path / 'new.db'}", "--audit-key", tmp_path / "key"]
    assert run(line, *flags).stderr.startswith("created the store sqlite:///")
    assert "created" not in run(line.replace("Jo", "Max"), *flags).stderr


def test_a_file_is_no_url_of_a_store():
    result = run("criminals list --store people.db")
    assert result.exit_code == 2
    assert "for a file, give sqlite:///people.db" in result.stderr


def test_an_empty_variable_is_no_url_of_a_store(monkeypatch):
    monkeypatch.setenv("SUSRACKER_STORE", "")
    assert "'' is no store: for a file, give sqlite:///PATH" in run("criminals list").stderr


def test_a_mistyped_kind_of_store_names_the_kinds():
    assert "there are: mongodb" in run("criminals list --store mysql://db/x").stderr
