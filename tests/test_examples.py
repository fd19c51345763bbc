"""The examples install and run, as their pages say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pictures import HOPPER

EXAMPLE = Path(__file__).parent.parent / "examples" / "matcher-plugin"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the example is installed."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(folder), str(EXAMPLE)], check=True)
    return os.environ | {"PYTHONPATH": str(folder)}


def run(*args: object, env: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *map(str, args)]
    return subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True)


def test_the_contract_suite_passes_over_the_example(installed, tmp_path):
    done = run("pytest", "-p", "no:cacheprovider", EXAMPLE, env=installed, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "23 passed" in done.stdout


def test_the_suite_finds_a_matcher_that_breaks_a_rule(installed, tmp_path):
    suite = (EXAMPLE / "tests" / "test_plain_matcher.py").read_text()
    worse = (
        "import plain_matcher\n"
        "plain_matcher._nearest, right = (\n"
        "    lambda *args: right(*args)[::-1], plain_matcher._nearest\n)\n"
    )
    (tmp_path / "test_worse.py").write_text(suite + worse)
    done = run("pytest", "-p", "no:cacheprovider", ".", env=installed, cwd=tmp_path)
    assert "FAILED test_worse.py::test_ties_go_by_id" in done.stdout
    assert "['d', 'c', 'b']" in done.stdout, "what was compared is shown"


PROGRAM = """
import sys
from datetime import datetime, timezone
from pathlib import Path
from susracker import Detection, open_tracker

with open_tracker(store=sys.argv[1], matcher="plain") as tracker:
    now, picture = datetime.now(timezone.utc), Path(sys.argv[2]).read_bytes()
    (alert,) = tracker.handle(Detection("gate", "Main gate", "face", now, picture)).alerts
    print(alert.name)
"""


def test_susracker_recognises_with_it(installed, tmp_path):
    store = ("--store", "sqlite:///people.db")
    enrolled = run(
        "susracker", "enroll", HOPPER, "--name", "Jo", *store, env=installed, cwd=tmp_path
    )
    assert enrolled.returncode == 0, enrolled.stderr
    command = [sys.executable, "-c", PROGRAM, "sqlite:///people.db", str(HOPPER)]
    done = subprocess.run(command, env=installed, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "Jo\n", done.stderr
