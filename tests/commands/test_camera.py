"""`susracker camera` stops when it is told to, whatever its stream and its server do."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, suppress
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import pytest

from tests.edge.test_video import write_video
from tests.pictures import HOPPER, encoded, portrait
from tests.waiting import wait_until

HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"


def frame() -> np.ndarray:
    picture = np.full((600, 700, 3), 60, np.uint8)
    face = portrait(HOPPER)[:600, :700]
    picture[: face.shape[0], : face.shape[1]] = face
    return picture


def mjpeg(frames: int) -> bytes:
    """So many frames with a face, as the web servers of cameras send them."""
    jpeg = encoded(frame())
    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    return HEAD + frames * (head.encode() + jpeg + b"\r\n") + b"--frame\r\n"


class Listener:
    """A server whose answers a test chooses, one for each connection; then it answers nothing."""

    def __init__(self, *answers: tuple[bytes, bool]) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._answers = list(answers)
        self._open: list[socket.socket] = []
        self.heard: SimpleQueue[int] = SimpleQueue()
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                connection = self._socket.accept()[0]
            except OSError:
                return
            connection.recv(10_000)
            content, stays_open = self._answers.pop(0) if self._answers else (b"", True)
            connection.sendall(content)
            self._open.append(connection)
            if not stays_open:
                connection.close()
            self.heard.put(len(self._open))

    def wait_for_request(self) -> None:
        self.heard.get(timeout=60)

    def close(self) -> None:
        """Refuse connections from now on, and break those that are open."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread
        for one in (self._socket, *self._open):
            one.close()


@pytest.fixture
def listen():
    opened: list[Listener] = []

    def start(*answers: tuple[bytes, bool]) -> Listener:
        opened.append(Listener(*answers))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


@pytest.fixture
def start(tmp_path):
    started: list[subprocess.Popen[str]] = []

    def start(
        source: str, server: str, *more: str, stderr: int = subprocess.PIPE
    ) -> subprocess.Popen[str]:
        args = ["camera", source, "--server", server, "--every", "1", *more]
        if not more:
            args += ["--spool", str(tmp_path / "spool")]
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "susracker", *args],
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def wait_for(process: subprocess.Popen[str], text: str) -> None:
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"the camera ended without {text!r}")


def stop(process: subprocess.Popen[str], number: int) -> str:
    """What it printed; it must not wait for what never comes."""
    process.send_signal(number)
    printed, errors = process.communicate(timeout=90)
    assert process.returncode == (130 if number == signal.SIGINT else 0), errors
    assert " sent, " in printed
    return printed


def spooled(file: Path) -> int:
    with closing(sqlite3.connect(file)) as spool:
        return spool.execute("SELECT count(*) FROM waiting").fetchone()[0]


signals = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])


@signals
def test_while_its_stream_is_down(listen, start, number):
    stream = listen((mjpeg(3), False))
    process = start(f"{stream.url}/stream", "http://127.0.0.1:1")
    wait_for(process, "broke; opening")
    stream.close()
    wait_for(process, "cannot be opened")
    stop(process, number)


@signals
def test_while_its_stream_and_its_server_hang(listen, start, tmp_path, number):
    stream, server = listen((mjpeg(3), True)), listen()
    process = start(f"{stream.url}/stream", server.url)
    server.wait_for_request()
    file = tmp_path / "spool" / "camera-1.db"
    assert wait_until(lambda: spooled(file) > 0)
    # Frames that follow each other at once are sent once.
    printed = stop(process, number)
    assert f"{spooled(file)} waiting" in printed


def test_while_its_stream_is_opened_again_and_hangs(listen, start):
    stream = listen((mjpeg(3), False))
    process = start(f"{stream.url}/stream", "http://127.0.0.1:1")
    wait_for(process, "broke; opening")
    stream.wait_for_request()
    stream.wait_for_request()
    stop(process, signal.SIGTERM)


def test_between_two_frames_of_a_slow_file(tmp_path, listen, start):
    server = listen()
    clip = write_video(tmp_path / "slow.mp4", 2 * [frame()], fps=0.01)
    process = start(clip, server.url)
    server.wait_for_request()
    assert "1 waiting" in stop(process, signal.SIGTERM)


@signals
def test_a_stream_that_cannot_be_reached_at_the_start_is_opened_again(listen, start, number):
    stream = listen((mjpeg(3), True))
    stream.close()
    process = start(f"{stream.url}/stream", "http://127.0.0.1:1")
    wait_for(process, "opening it again")
    wait_for(process, "opening it again")
    assert "0 faces in 0 frames: 0 sent" in stop(process, number)


def test_faces_that_are_lost_are_an_error(tmp_path, start):
    clip = write_video(tmp_path / "short.mp4", 2 * [frame()], fps=5)
    process = start(clip, "http://127.0.0.1:1", "--location", "gate")
    printed, errors = process.communicate(timeout=90)
    assert process.returncode == 1
    assert printed == (
        "2 faces in 2 frames: 0 sent, 0 refused, 1 dropped, 0 waiting; "
        "1 no better than one just sent\n"
    )
    assert "some faces did not reach the server" in errors


def test_a_terminal_shows_a_live_line(tmp_path, listen, start):
    clip = write_video(tmp_path / "slow.mp4", 2 * [frame()], fps=0.01)
    mine, its = os.openpty()
    process = start(clip, listen().url, stderr=its)
    os.close(its)
    shown = b""
    while b"1 face in 1 frame" not in shown:
        shown += os.read(mine, 1000)
    process.send_signal(signal.SIGINT)
    assert "1 waiting" in process.communicate(timeout=90)[0]
    assert process.returncode == 130
    os.close(mine)
