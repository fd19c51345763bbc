"""What a terminal shows while a command is at work, and that no value is cut off in it."""

from __future__ import annotations

import codecs
import os
import shlex
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from susracker.plugins import open_store
from susracker.recording.edit import write_new
from susracker.testing.records import criminal, photo
from tests.pictures import HOPPER
from tests.replay.test_replay import NIGHT_SHIFT


class Terminal:
    """A command whose output goes to a terminal."""

    def __init__(self, *words: str, **env: str) -> None:
        self._mine, its = os.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "susracker", *words],
            stdout=its,
            stderr=its,
            env={**os.environ, "TERM": "xterm", **env},
        )
        os.close(its)
        self.shown = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def read_until(self, text: str | None) -> str:
        """What is shown until a text is, or until the end."""
        with suppress(OSError):  # the end of a terminal
            while (text is None or text not in self.shown) and (more := os.read(self._mine, 5000)):
                self.shown += self._decoder.decode(more)
        return self.shown

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._mine)


@pytest.fixture
def terminal():
    opened: list[Terminal] = []

    def start(*words: str, **env: str) -> Terminal:
        opened.append(Terminal(*words, **env))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


@pytest.fixture
def url(tmp_path, monkeypatch):
    """A store whose only photo has no template, as after a change of encoder."""
    url = f"sqlite:///{tmp_path / 'people.db'}"
    monkeypatch.setenv("SUSRACKER_AUDIT_KEY", str(tmp_path / "audit.key"))
    with open_store(url) as store:
        store.put_criminal(criminal("c1"), [photo("c1", content=HOPPER.read_bytes())])
    return url


def test_serve_shows_what_it_does_before_it_listens(url, terminal):
    server = terminal("serve", "--store", url, "--port", "0")
    shown = server.read_until("1 person on the watch-list")
    assert shown.index("reading the watch-list") < shown.index("encoding photos")
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(timeout=60) == 130


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("criminals", "stats"), "reading the watch-list"),
        (("criminals", "list"), "reading the list"),
        (("criminals", "show", "c1"), "looking at photos"),
        (("criminals", "show", "c1"), "reading sightings"),
        (("track", "c1"), "reading sightings"),
        (("alerts", "stats"), "reading alerts"),
        (("alerts", "export", "all.csv", "--reason", "x"), "exporting alerts"),
    ],
)
def test_a_command_shows_that_it_is_at_work(url, terminal, tmp_path, monkeypatch, words, line):
    monkeypatch.chdir(tmp_path)
    assert line in terminal(*words, "--store", url).read_until(None)


def test_restoring_shows_that_it_is_at_work(url, terminal, tmp_path):
    backup, new = str(tmp_path / "backup"), f"sqlite:///{tmp_path / 'new.db'}"
    terminal("backup", backup, "--store", url).read_until(None)
    shown = terminal("restore", backup, "--store", new).read_until(None)
    assert "audit log" in shown
    assert "checking" in shown


def test_listing_recordings_shows_that_it_is_at_work(tmp_path, terminal):
    write_new(tmp_path / "night", NIGHT_SHIFT, lambda: None)
    assert "reading recordings" in terminal("recordings", "list", str(tmp_path)).read_until(None)


@pytest.mark.parametrize("typed", [True, False])
def test_serve_names_the_command_that_enrols_someone_in_its_store(tmp_path, terminal, typed):
    url = f"sqlite:///{tmp_path / 'my people.db'}"
    open_store(url).close()
    words = ["--store", url] if typed else []
    audit = {"SUSRACKER_AUDIT_KEY": str(tmp_path / "audit.key")}
    env = audit if typed else audit | {"SUSRACKER_STORE": url}
    server = terminal("serve", "--port", "0", *words, COLUMNS="80", **env)
    server.read_until("nobody is enrolled yet: ")
    server.process.send_signal(signal.SIGINT)
    hint = server.read_until(None).split("nobody is enrolled yet: ")[1].splitlines()[0]
    command = shlex.split(hint.replace("PHOTO", str(HOPPER)).replace("NAME", "Grace"))
    subprocess.run([sys.executable, "-m", *command], env={**os.environ, **env}, check=True)
    with open_store(url) as store:
        assert [one.name for one in store.criminals()] == ["Grace"]


def test_nothing_is_shown_where_there_is_no_terminal(url):
    done = subprocess.run(
        [sys.executable, "-m", "susracker", "criminals", "stats", "--store", url],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""


@pytest.mark.parametrize("width", ["80", "120"])
def test_recordings_are_listed_in_full(tmp_path, terminal, width):
    folder = tmp_path / ("a-recording-with-a-long-name-" * 5)
    write_new(folder, NIGHT_SHIFT, lambda: None)
    shown = terminal("recordings", "list", str(tmp_path), COLUMNS=width).read_until(None)
    assert "…" not in shown
    words = "".join(line[: int(width)].split("  ")[0].strip() for line in shown.splitlines()[1:])
    assert folder.name in words
