"""A server whose faces are found in processes of their own: they die, and it goes on."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.server.conftest import Site
from tests.torture.processes import needs_proc
from tests.waiting import wait_until

pytestmark = needs_proc

MODULE = b"susracker.faces.finding.process"

FLAGS = ("--finder-processes", "2", "--workers", "2", "--cooldown-seconds", "0")


def finders_of(site: Site) -> list[int]:
    """The processes that find faces for a server."""
    tasks = Path(f"/proc/{site.server.process.pid}/task").iterdir()
    children = [int(one) for task in tasks for one in (task / "children").read_text().split()]
    return [pid for pid in children if MODULE in Path(f"/proc/{pid}/cmdline").read_bytes()]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    running = Site(tmp_path_factory.mktemp("site"), *FLAGS, "--passage-seconds", "0")
    yield running
    running.server.stop()


def test_they_find_whom_the_server_would_find(site, faces):
    """Also before they are ready, when the server does it itself."""
    for moment in ("at the start", "later"):
        assert (
            site.upload(faces["hopper"], moment).json()["match"]["name"] == "Grace Hopper (sample)"
        )
        assert site.upload(faces["stranger"], moment).json()["message"] == "No match found"
        assert site.upload(faces["wall"], moment).json()["message"] == "No face detected"
        assert site.upload(b"no picture", moment).status_code == 400
        assert wait_until(lambda: len(finders_of(site)) == 2)
        assert wait_until(lambda: counted(site) > 0)
    assert site.get("/readyz").json()["warning"] is None


def counted(site: Site) -> float:
    lines = site.get("/metrics").text.splitlines()
    name = "susracker_network_duration_seconds_count "
    return float(next(one.removeprefix(name) for one in lines if one.startswith(name)))


def test_they_are_killed_and_no_camera_notices(site, faces):
    assert wait_until(lambda: len(finders_of(site)) == 2)

    def upload(number: int) -> list[str]:
        answers = [site.upload(faces["hopper"], f"{number}-{one}") for one in range(20)]
        return [answer.json().get("message") or answer.text for answer in answers]

    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(upload, number) for number in range(2)]
        killed = finders_of(site)[0]
        os.kill(killed, signal.SIGKILL)
        assert {one for answer in answers for one in answer.result()} == {"Match found"}
    assert wait_until(lambda: site.get("/readyz").json()["warning"] is None)
    assert killed not in finders_of(site)
    assert len(finders_of(site)) == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_they_end_with_the_server(tmp_path, number):
    site = Site(tmp_path, *FLAGS, enrolled=False)
    assert wait_until(lambda: len(finders_of(site)) == 2)
    finders = finders_of(site)
    site.server.process.send_signal(number)
    site.server.process.wait()
    site.server.process.stdout.close()
    assert wait_until(lambda: not any(is_running(one) for one in finders))


def is_running(pid: int) -> bool:
    try:
        return b"Z" not in Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[:1]
    except (FileNotFoundError, ProcessLookupError):
        return False
