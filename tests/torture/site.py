"""A site whose files are all in one folder, and whose server can be killed and started again."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import requests
from typing_extensions import Self

from tests.services.servers import free_port
from tests.waiting import wait_until

READY_SECONDS = 120

FOLDERS = {"XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"}

QUICKER = {"SUSRACKER_FINDER_PROCESSES"}
"""What other tests set so that their servers start sooner."""


class Site:
    """`susracker serve` with its home, temporary files, log and store in `folder`.

    The port stays the same when the server is started again, as it does at a real site.

    Args:
        flags: options of `susracker serve`.
        prefix: a command that runs the server, such as `["nice"]`.
        variables: environment variables of the server.
        store: URL of the store; by default an SQLite file in the folder.
    """

    def __init__(
        self,
        folder: Path,
        *flags: str,
        prefix: Sequence[str] = (),
        variables: Mapping[str, str] | None = None,
        store: str | None = None,
    ) -> None:
        self.folder = folder
        self.tmp, self.home, self.log = folder / "tmp", folder / "home", folder / "log"
        for made in (self.tmp, self.home):
            made.mkdir(exist_ok=True)
        self.store_url = store or f"sqlite:///{folder / 'site.db'}"
        self.flags = flags
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._prefix = prefix
        self._variables = dict(variables or {})

    @property
    def pid(self) -> int:
        """The server's, while it runs."""
        return self._process.pid

    def start(self, until: str = "/healthz") -> None:
        """Start the server, and wait until a path answers 200."""
        serve = [sys.executable, "-m", "susracker", "serve", "--store", self.store_url]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._prefix, *serve, "--port", str(self.port), *self.flags],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment(),
                cwd=self.home,
            )
        if not wait_until(lambda: self._answers(until), READY_SECONDS):
            self.kill()
            raise AssertionError(f"the server did not start: {self.log_text()[-2000:]}")

    def kill(self) -> None:
        """`kill -9`."""
        self._process.kill()
        self._process.wait()

    def pause(self) -> None:
        """Let the server stand still."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def stop(self, seconds: float = 60) -> int:
        """Ask the server to stop, wait until it has, and return its exit status."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(seconds)

    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process.poll() is None

    def get(self, path: str, **params: Any) -> requests.Response:
        """The answer to `GET path`."""
        return requests.get(self.url + path, params=params, timeout=60)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`susracker` with some arguments, in the same place as the server."""
        return subprocess.run(
            [sys.executable, "-m", "susracker", *arguments],
            capture_output=True,
            text=True,
            env=self.environment(),
            cwd=self.home,
        )

    def log_text(self) -> str:
        """What the server has written."""
        return self.log.read_text(errors="replace")

    def log_holds(self, pattern: str) -> bool:
        """Whether the server has written something."""
        return re.search(pattern, self.log_text()) is not None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.is_running():
            self.kill()

    def _answers(self, path: str) -> bool:
        if self._process.poll() is not None:
            raise AssertionError(f"the server ended: {self.log_text()[-2000:]}")
        with suppress(requests.RequestException):
            return requests.get(self.url + path, timeout=5).status_code == 200
        return False

    def environment(self) -> dict[str, str]:
        """Variables of the server; a command that is run with them works on the same site."""
        left_out = FOLDERS | QUICKER
        inherited = {name: value for name, value in os.environ.items() if name not in left_out}
        own = {"HOME": str(self.home), "TMPDIR": str(self.tmp), "PYTHONUNBUFFERED": "1"}
        return inherited | own | self._variables


def memory_folder() -> Path | None:
    """A file system in memory, for sites whose disk is not what is tested; None without one."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() else None
