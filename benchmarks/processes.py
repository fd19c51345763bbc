"""Servers in processes of their own, and what they use."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

READY_SECONDS = 300


class ServerUnderTest:
    """A server that answers `GET /healthz`, started for the length of a `with` block.

    Args:
        key: what a camera has to send, if the server asks for a key.
    """

    def __init__(
        self, name: str, command: Sequence[str], log: Path, key: str | None = None
    ) -> None:
        self.name = name
        self.key = key
        self.port = free_port()
        self._command = [one.format(port=self.port) for one in command]
        self._log = log

    def __enter__(self) -> ServerUnderTest:
        began = time.perf_counter()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        while not self._is_ready():
            if self._process.poll() is not None or time.perf_counter() - began > READY_SECONDS:
                raise SystemExit(f"{self.name} did not start: {self._log.read_text()[-2000:]}")
            time.sleep(0.02)
        self.seconds_to_ready = time.perf_counter() - began
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        self._process.wait(60)

    def cpu_seconds(self) -> float:
        """Used so far, by the server and the processes that it has started."""
        times = [one.cpu_times() for one in self._family()]
        return float(sum(one.user + one.system for one in times))

    def peak_bytes(self) -> int:
        """Most memory that was ever resident."""
        return self._status("VmHWM")

    def resident_bytes(self) -> int:
        """Memory that is resident now."""
        return self._status("VmRSS")

    def _status(self, key: str) -> int:
        lines = [
            line
            for one in self._family()
            for line in Path(f"/proc/{one.pid}/status").read_text().splitlines()
        ]
        return sum(1024 * int(line.split()[1]) for line in lines if line.startswith(key))

    def _family(self) -> list[psutil.Process]:
        server = psutil.Process(self._process.pid)
        return [server, *server.children(recursive=True)]

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


def susracker(store: str, log: Path, *flags: str, key: str | None = None) -> ServerUnderTest:
    """`susracker serve` on a store."""
    command = [sys.executable, "-m", "susracker", "serve", "--store", store]
    command += ["--log-level", "warning", "--port", "{port}", *flags]
    return ServerUnderTest("susracker", command, log, key)


def plain(people: Path, log: Path) -> ServerUnderTest:
    """The plain server on the same people."""
    program = str(Path(__file__).with_name("baseline_server.py"))
    return ServerUnderTest("plain", [sys.executable, program, str(people), "{port}"], log)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
