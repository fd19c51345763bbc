"""The examples of docs/programs.md run, each in its own language."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

from susracker.access.issuing import issue
from susracker.client import Camera, Operator
from susracker.demo.process import ServerProcess
from susracker.plugins import open_store

PAGE = (Path(__file__).parent.parent / "docs" / "programs.md").read_text(encoding="utf-8")


def example(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return found


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    store = f"sqlite:///{tmp_path_factory.mktemp('site') / 'site.db'}"
    with open_store(store) as opened:
        now = datetime.now(timezone.utc)
        text = str(issue(opened, "admin", "Jo", None, None, now)[1])
    return store, text


@pytest.fixture(scope="module")
def site(key):
    store, text = key
    with ServerProcess("--store", store, "--log-level", "error") as server:
        with Camera(server.url, "gate-1", "Gate", key=text) as camera:
            camera.send_activity("violence", datetime.now(timezone.utc))
            assert camera.flush(60)
        yield server.url, text


def run(site: tuple[str, str], *command: str, program: str | None = None) -> str:
    url, key = site
    env = {**os.environ, "SERVER": url, "KEY": key}
    return subprocess.check_output(command, input=program, env=env, text=True, timeout=60)


def needed(program: str) -> str:
    if not shutil.which(program):
        if os.environ.get("CI"):
            pytest.fail(f"CI has no {program}")
        pytest.skip(f"no {program} here")
    return program


def names(site: tuple[str, str]) -> list[str]:
    with Operator(*site) as operator:
        return [one.name for one in operator.people()]


def test_python(site):
    url, key = site
    program = example("python").replace("http://127.0.0.1:5000", url).replace("KEY", key)
    assert run(site, sys.executable, "-", program=program) == "1 gate-1 violence\n"
    assert "Jo Doe" in names(site)
    with Operator(*site) as operator:
        assert [one.status for one in operator.alerts(0, follow=False)] == ["unsure"]


def test_curl(site):
    needed("curl")
    assert '"violence"' in run(site, "sh", "-e", program=example("sh"))
    run(site, "sh", "-e", program=example("sh"))
    assert names(site).count("Al Roe") == 1


def test_javascript(site):
    told = run(site, needed("node"), "--input-type=module", "-", program=example("js"))
    assert told == "1 gate-1 violence\n"
