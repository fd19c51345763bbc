"""Real servers for tests, each in a process of its own, which can be killed and started again."""

from __future__ import annotations

import getpass
import itertools
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.waiting import PATIENCE, wait_until

FERRETDB = Path(__file__).parent / "ferretdb" / "bin" / "ferretdb"

START_SECONDS = 120

PORTS = range(20_000, 32_000)
"""Below those that systems give to outgoing connections and to whoever asks for any port: so nobody
takes the port of a server that a test has killed and starts again."""

WORKERS = 16
"""Most processes of pytest-xdist, each of which has ports of its own."""


class Service:
    """A server on a port of its own that keeps its data in a folder."""

    def __init__(self, command: Callable[[int, Path], list[str]], folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._command = command(self.port, folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.start()

    def start(self) -> None:
        """Start it, and wait until it listens."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, cwd=self._folder
            )
        wait_until(lambda: self._has_ended() or self._listens(), START_SECONDS)
        if self._has_ended() or not self._listens():
            self.kill()
            raise RuntimeError((self._folder / "log").read_text()[-2000:])

    def kill(self) -> None:
        """`kill -9`."""
        self._process.kill()
        self._process.wait()

    def _has_ended(self) -> bool:
        return self._process.poll() is not None

    def _listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


def _own_ports() -> Iterator[int]:
    """Those of this process of pytest-xdist, in any order."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    own = PORTS[worker % WORKERS :: WORKERS]
    return itertools.cycle(random.sample(own, len(own)))


_ports = _own_ports()


def free_port() -> int:
    """A port that nobody listens on, and that nobody else will be given."""
    for port in _ports:
        with suppress(OSError), socket.socket() as listener:
            listener.bind(("127.0.0.1", port))
            return port
    raise AssertionError("unreachable")


def start_redis(folder: Path) -> Service:
    """A Redis server, from Debian's packages."""
    if not shutil.which("redis-server"):
        missing("redis-server is not installed: apt-get install redis-server")
    return Service(
        lambda port, _: [
            "redis-server",
            "--port",
            str(port),
            "--bind",
            "127.0.0.1",
            "--appendonly",
            "yes",
        ],
        folder,
    )


def redis_url(service: Service) -> str:
    """The URL of a Redis, whose answers are waited for: half a second, as by default, may be too
    little on a busy machine, and then each server decides for itself."""
    return f"redis://127.0.0.1:{service.port}/0?socket_timeout={PATIENCE:g}"


def start_mongodb(folder: Path) -> Service:
    """A FerretDB server, which speaks MongoDB's protocol."""
    if not FERRETDB.exists():
        missing("FerretDB is not built: make services (it needs Go)")
    return Service(lambda port, data: [str(FERRETDB), f"127.0.0.1:{port}", str(data)], folder)


def start_mosquitto(folder: Path, *lines: str) -> Service:
    """A broker of MQTT, from Debian's packages.

    Args:
        lines: of its configuration, such as "certfile /path".
    """
    # Debian puts it where users without privileges do not look.
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if not program:
        missing("mosquitto is not installed: apt-get install mosquitto")

    def command(port: int, data: Path) -> list[str]:
        config = data / "mosquitto.conf"
        # Otherwise root becomes somebody who may not read the files of a test.
        who = f"user {getpass.getuser()}"
        data.mkdir(parents=True, exist_ok=True)
        config.write_text("\n".join((f"listener {port} 127.0.0.1", who, *lines, "")))
        return [str(program), "-c", str(config)]

    return Service(command, folder)


def missing(what: str) -> None:
    """What is missing is a reason to skip a test, and in CI a failure."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


def main() -> None:
    """Run both until Ctrl-C or SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        redis = start_redis(Path(folder) / "redis")
        stack.callback(redis.kill)
        mongodb = start_mongodb(Path(folder) / "mongodb")
        stack.callback(mongodb.kill)
        print(f"--store mongodb://127.0.0.1:{mongodb.port}/susracker")
        print(f"--cooldown redis://127.0.0.1:{redis.port}/0", flush=True)
        with suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
