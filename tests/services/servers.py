"""Real servers for tests, each in a process of its own, which can be killed and started again."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

FERRETDB = Path(__file__).parent / "ferretdb" / "bin" / "ferretdb"

START_SECONDS = 30


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
        end = time.monotonic() + START_SECONDS
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError((self._folder / "log").read_text()[-2000:])
            time.sleep(0.02)

    def kill(self) -> None:
        """`kill -9`."""
        self._process.kill()
        self._process.wait()

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def start_redis(folder: Path) -> Service:
    """A Redis server, from Debian's packages."""
    if not shutil.which("redis-server"):
        _missing("redis-server is not installed: apt-get install redis-server")
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


def start_mongodb(folder: Path) -> Service:
    """A FerretDB server, which speaks MongoDB's protocol."""
    if not FERRETDB.exists():
        _missing("FerretDB is not built: make services (it needs Go)")
    return Service(lambda port, data: [str(FERRETDB), f"127.0.0.1:{port}", str(data)], folder)


def start_mosquitto(folder: Path, *lines: str) -> Service:
    """A broker of MQTT, from Debian's packages.

    Args:
        lines: of its configuration, such as "certfile /path".
    """
    # Debian puts it where users without privileges do not look.
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if not program:
        _missing("mosquitto is not installed: apt-get install mosquitto")

    def command(port: int, data: Path) -> list[str]:
        config = data / "mosquitto.conf"
        # Otherwise root becomes somebody who may not read the files of a test.
        who = f"user {getpass.getuser()}"
        data.mkdir(parents=True, exist_ok=True)
        config.write_text("\n".join((f"listener {port} 127.0.0.1", who, *lines, "")))
        return [str(program), "-c", str(config)]

    return Service(command, folder)


def _missing(what: str) -> None:
    """A server that is missing is a reason to skip a test, and in CI a failure."""
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
