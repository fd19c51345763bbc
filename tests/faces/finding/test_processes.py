"""Faces are found in other processes, whatever becomes of these."""

from __future__ import annotations

import errno
import os
import random
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from susracker.errors import OverloadedError, PictureError, PictureTooLargeError
from susracker.faces.finding import child, processes
from susracker.faces.finding.child import Child, Command
from susracker.faces.finding.finder import Finder, LocalFinder
from susracker.faces.finding.processes import FinderProcesses
from susracker.plugins import open_detector, open_encoder
from tests.faces.finding.test_messages import assert_same
from tests.pictures import COLLINS, HOPPER, bomb, encoded, portrait
from tests.torture.processes import resident_bytes
from tests.waiting import PATIENCE, wait_until

REAL = Command("cnn", "dlib", 1_000_000)

PROGRAM = """
import os, signal, struct, sys, time

def answer(head):
    sys.stdout.buffer.write(struct.pack("!Q", len(head)) + head)
    sys.stdout.buffer.flush()

NOTHING = b'{"calls": 1, "seconds": 0.5, "faces": [], "arrays": []}\\n'
answer(NOTHING)
while length := sys.stdin.buffer.read(8):
    picture = sys.stdin.buffer.read(struct.unpack("!Q", length)[0])
    if picture == b"crash":
        os._exit(3)
    if picture == b"kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if picture == b"hang":
        time.sleep(3600)
    if picture == b"malformed":
        answer(b"no JSON\\n")
    if picture == b"huge":
        sys.stdout.buffer.write(struct.pack("!Q", 1 << 60))
    if picture == b"half":
        sys.stdout.buffer.write(struct.pack("!Q", 100) + b"{")
        break
    if picture == b"silent":
        os.close(1)
        time.sleep(3600)
    if picture == b"warn":
        print("a warning", file=sys.stderr, flush=True)
    answer(NOTHING)
"""
"""A process that finds no faces, fast; some pictures end it."""

FORGETFUL = """
import sys
from types import SimpleNamespace
from susracker.faces.finding.process import answer_all

def find(data):
    raise MemoryError

finder, timed = SimpleNamespace(find=find), SimpleNamespace(calls=0, seconds=0.0)
answer_all(sys.stdin.buffer, sys.stdout.buffer, finder, timed)
"""

needs_proc = pytest.mark.skipif(
    not Path("/proc/self").exists(), reason="reads which processes there are from Linux's /proc"
)

needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="sends signals of POSIX")


class Fake(Command):
    """Runs `PROGRAM`."""

    def words(self) -> list[str]:
        return [sys.executable, "-c", PROGRAM]


class Never(Command):
    """Runs what is not there."""

    def words(self) -> list[str]:
        return ["/no/such/program"]


class Failing(Command):
    """Runs what ends at once."""

    def words(self) -> list[str]:
        return [sys.executable, "-c", "raise SystemExit(5)"]


class Forgetful(Command):
    """Runs what has no memory left for any picture."""

    def words(self) -> list[str]:
        return [sys.executable, "-c", FORGETFUL]


class Sleeping(Command):
    """Runs what never says that it is ready."""

    def words(self) -> list[str]:
        return [sys.executable, "-c", "import time; time.sleep(3600)"]


class Local(Finder):
    """Finds nothing, and counts how often."""

    def __init__(self) -> None:
        self.count = 0

    def find(self, data: bytes) -> list:
        self.count += 1
        return []


def pids(finder: FinderProcesses) -> list[int]:
    with finder._changed:
        return [one.pid for one in finder._started]


def are_gone(pids: list[int]) -> bool:
    """Whether these processes have ended, and were waited for."""
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


def end(process: Child) -> str:
    """Let a process end as the system does it when the server ends. Returns how it ended."""
    process._questions.close()
    how = process.wait()
    process.close()
    return how


def ignore(calls: int, seconds: float) -> None:
    """Note nothing."""


@contextmanager
def finding(command: Command, count: int = 2, is_ready: bool = True) -> Iterator[FinderProcesses]:
    """Processes at work, all of them ready unless `is_ready` is false."""
    with FinderProcesses(count, command, Local(), ignore) as finder:
        finder.start()
        if is_ready:
            assert wait_until(lambda: finder.ready_count == count)
        yield finder


# -- with the real networks ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def noted() -> Counter[str]:
    return Counter()


@pytest.fixture(scope="module")
def real(noted) -> Iterator[FinderProcesses]:
    def note(calls: int, seconds: float) -> None:
        noted.update(calls=calls, seconds=seconds)

    with FinderProcesses(1, REAL, Local(), note) as finder:
        finder.start()
        assert wait_until(lambda: finder.ready_count == 1)
        yield finder


def test_another_process_finds_the_same_faces(real, noted):
    both = np.zeros((700, 1100, 3), np.uint8)
    both[:600, :512] = portrait(HOPPER)[:600]
    both[:256, 700:956] = portrait(COLLINS)[:256, 96:352]
    local = LocalFinder(open_detector("cnn"), open_encoder("dlib"), REAL.max_pixels)
    data = encoded(both)
    here, there = local.find(data), real.find(data)
    assert len(here) == 2
    assert_same(here, there)
    assert [one.face.jpeg(0.2) for one in here] == [one.face.jpeg(0.2) for one in there]
    assert noted["calls"] == 1
    assert noted["seconds"] > 0


def test_a_picture_without_faces_has_none(real):
    assert list(real.find(encoded(np.zeros((60, 60, 3), np.uint8)))) == []


def test_a_picture_that_cannot_be_read_is_refused_as_ever(real):
    with pytest.raises(PictureError, match="not a"):
        real.find(b"no picture")
    with pytest.raises(PictureTooLargeError, match="at most 1,000,000"):
        real.find(bomb(2000, 2000))
    assert len(real.find(encoded(portrait(HOPPER)))) == 1  # by the same process
    assert real.problem is None


@needs_signals
def test_a_process_ends_with_its_server_and_not_before(real):
    process = Child(REAL)
    process.answer()
    os.kill(process.pid, signal.SIGTERM)
    assert len(process.ask(encoded(portrait(HOPPER))).faces) == 1
    assert end(process) == "status 0"


@needs_proc
def test_the_system_kills_a_process_before_its_server(real):
    (pid,) = pids(real)
    ours, its = (Path(f"/proc/{one}/oom_score_adj").read_text() for one in ("self", pid))
    assert int(its) > int(ours)


@needs_proc
def test_frames_leave_less_memory_behind_than_they_need():
    process = Child(Command("cnn", "dlib", 8_000_000))
    process.answer()
    process.ask(encoded(portrait(HOPPER)))
    before = resident_bytes(process.pid)
    frame = encoded(np.asarray(Image.open(HOPPER).convert("RGB").resize((2560, 3000))))
    for _ in range(2):
        assert len(process.ask(frame).faces) == 1
    assert resident_bytes(process.pid) < before + 200e6
    end(process)


def test_a_picture_cannot_fill_the_log(caplog):
    process = Child(REAL)
    process.answer()
    # Pillow warns of it: its EXIF data are cut off.
    damaged = b"Exif\0\0II*\0\x08\0\0\0\x05\0\x12\x01"
    assert len(process.ask(encoded(portrait(HOPPER), exif=damaged)).faces) == 1
    end(process)
    assert not caplog.records


# -- with processes that end -----------------------------------------------------------------------


def test_until_a_process_is_ready_faces_are_found_here(monkeypatch):
    finder = FinderProcesses(1, Fake("", "", 0), local := Local(), ignore)
    finder.find(b"")
    assert local.count == 1
    with finder:
        finder.start()
        assert wait_until(lambda: finder.ready_count == 1)
        finder.find(b"")
    assert local.count == 1


@pytest.mark.parametrize("command", [Never, Failing])
def test_if_no_process_can_be_started_faces_are_found_here(command, caplog):
    with finding(command("", "", 0), is_ready=False) as finder:
        assert wait_until(lambda: finder.problem is not None)
        assert list(finder.find(b"")) == []
        assert "0 of 2 processes find faces" in finder.problem
    assert "processes that find faces" in caplog.text


def test_a_picture_that_ends_processes_is_refused(caplog):
    with finding(Fake("", "", 0)) as finder:
        with pytest.raises(PictureError, match="looked for faces in the picture ended"):
            finder.find(b"crash")
        assert list(finder.find(b"")) == []  # waits for another process
        assert wait_until(lambda: finder.ready_count == 2)
        assert finder.problem is None
    assert "ended with status 3" in caplog.text


@needs_signals
def test_a_picture_is_no_cause_if_the_system_kills_processes(caplog):
    with finding(Fake("", "", 0)) as finder:
        with pytest.raises(OverloadedError, match="were killed"):
            finder.find(b"kill")
        assert list(finder.find(b"")) == []
    assert "ended with signal 9" in caplog.text


@pytest.mark.parametrize("answer", [b"malformed", b"huge", b"half"])
def test_a_process_that_answers_something_else_is_ended(answer):
    with finding(Fake("", "", 0)) as finder:
        with pytest.raises(PictureError, match="ended"):
            finder.find(answer)
        assert list(finder.find(b"")) == []
        assert wait_until(lambda: finder.ready_count == 2)


def test_a_process_that_only_closes_its_pipe_is_ended():
    with finding(Fake("", "", 0)) as finder:
        with pytest.raises((OverloadedError, PictureError)):
            finder.find(b"silent")
        assert list(finder.find(b"")) == []


def test_a_process_that_does_not_answer_is_ended(monkeypatch, caplog):
    monkeypatch.setattr(processes, "WATCH_SECONDS", 0.05)
    with finding(Fake("", "", 0)) as finder:
        with monkeypatch.context() as hurried:
            hurried.setattr(child, "ANSWER_SECONDS", 0.2)
            with pytest.raises(PictureError, match="ended"):
                finder.find(b"hang")
        assert list(finder.find(b"")) == []
    assert "did not answer properly" in caplog.text


@needs_proc
def test_a_process_that_is_never_ready_is_ended(monkeypatch):
    monkeypatch.setattr(processes, "WATCH_SECONDS", 0.05)
    monkeypatch.setattr(child, "START_SECONDS", 0.2)
    with finding(Sleeping("", "", 0), is_ready=False) as finder:
        assert wait_until(lambda: finder.problem is not None)
        assert list(finder.find(b"")) == []


def test_what_a_process_prints_is_logged(caplog):
    with finding(Fake("", "", 0)) as finder:
        finder.find(b"warn")
        assert wait_until(lambda: "a process that finds faces: a warning" in caplog.text)


def test_if_no_process_can_be_started_any_more_faces_are_found_here(monkeypatch):
    monkeypatch.setattr(processes, "PAUSES", (0.01,))
    with finding(Fake("", "", 0)) as finder:
        monkeypatch.setattr(finder, "_command", Never("", "", 0))
        with pytest.raises((OverloadedError, PictureError)):
            finder.find(b"crash")
        assert wait_until(lambda: finder._uses_local)
        assert list(finder.find(b"crash")) == []


def test_nobody_waits_for_a_process_once_all_are_closed(monkeypatch):
    monkeypatch.setattr(processes, "WAIT_SECONDS", 2 * PATIENCE)
    with (
        finding(Fake("", "", 0), count=1) as finder,
        ThreadPoolExecutor() as pool,
        finder._free_process(),
    ):
        waiting = pool.submit(finder.find, b"")
        finder.close()
        with pytest.raises(OverloadedError, match="no process"):
            waiting.result(PATIENCE)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets pipes grow")
def test_processes_start_where_pipes_may_not_grow(monkeypatch):
    """Linux allows the users that are not root 64 MB of pipes each."""

    def refuse(*args: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("fcntl.fcntl", refuse)
    with finding(Fake("", "", 0)) as finder:
        assert finder.problem is None


@needs_signals
def test_a_picture_is_no_cause_if_memory_runs_out():
    with finding(Forgetful("", "", 0)) as finder, pytest.raises(OverloadedError, match="killed"):
        finder.find(b"")


@needs_signals
def test_a_picture_goes_to_another_process_if_one_is_killed():
    with finding(Fake("", "", 0)) as finder:
        os.kill(pids(finder)[0], signal.SIGKILL)
        assert [list(finder.find(b"")) for _ in range(3)] == [[], [], []]


def test_if_all_processes_are_at_work_for_long_the_next_picture_is_not_accepted(monkeypatch):
    monkeypatch.setattr(processes, "WAIT_SECONDS", 0.05)
    with (
        finding(Fake("", "", 0), count=1) as finder,
        finder._free_process(),
        pytest.raises(OverloadedError, match="no process"),
    ):
        finder.find(b"")


@needs_proc
def test_what_is_closed_leaves_no_process():
    with finding(Fake("", "", 0), count=3) as finder:
        started = pids(finder)
    assert len(started) == 3
    assert are_gone(started)
    with finding(Fake("", "", 0), is_ready=False) as finder:
        assert wait_until(lambda: len(pids(finder)) == 2)
        started = pids(finder)
    assert are_gone(started)
    FinderProcesses(1, Fake("", "", 0), Local(), ignore).close()


def test_processes_know_no_settings(monkeypatch):
    monkeypatch.setenv("SUSRACKER_DATA_KEY", "base64:secret")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=secret")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    environment = child._environment()
    assert not [value for value in environment.values() if "secret" in value]
    assert environment["XDG_CACHE_HOME"] == "/somewhere"


@needs_proc
def test_whatever_ends_every_picture_has_an_outcome_and_all_is_well_afterwards():
    """Eight threads find faces, while processes crash and are killed."""
    chance = random.Random(5)
    outcomes: Counter[str] = Counter()
    done = threading.Event()

    def kill_some() -> None:
        while not done.wait(0.03):
            for pid in pids(finder):
                if chance.random() < 0.2:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)

    def find(number: int) -> None:
        picture = b"crash" if number % 20 == 0 else b"nobody"
        try:
            outcome = len(finder.find(picture))
        except (OverloadedError, PictureError) as error:
            outcome = type(error).__name__
        outcomes[f"{picture.decode()}: {outcome}"] += 1

    with finding(Fake("", "", 0), count=3) as finder:
        killer = threading.Thread(target=kill_some)
        killer.start()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(find, range(400)))
        done.set()
        killer.join()
        assert wait_until(lambda: finder.ready_count == 3)
        assert finder.problem is None
        assert list(finder.find(b"")) == []
        started = pids(finder)
    assert are_gone(started)
    assert sum(outcomes.values()) == 400
    assert not outcomes["nobody: PictureError"]
    assert outcomes["crash: 0"] <= finder._local.count  # by no process
    assert outcomes["nobody: 0"] > 200
