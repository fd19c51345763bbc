"""Runs `susracker serve` in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys

from susracker.errors import SusrackerError
from susracker.runtime.closing import Closing

LISTENS = re.compile(r"listens on (https?://\S+?),")


class ServerProcess(Closing):
    """A server on a free port; as a context manager, stops it on exit.

    Args:
        flags: options of `susracker serve`.

    Attributes:
        url: the server's address.

    Raises:
        SusrackerError: the server did not start.
    """

    def __init__(self, *flags: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "susracker", "serve", "--port", "0", *flags],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url = self._wait_for_url()

    def stop(self) -> int:
        """Ask the server to stop, wait until it has, and return its exit status."""
        self.process.terminate()
        status = self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
        return status

    def close(self) -> None:
        """Stop the server."""
        self.stop()

    def _wait_for_url(self) -> str:
        for line in self.process.stdout or ():
            if found := LISTENS.search(line):
                return found[1]
        status = self.stop()
        raise SusrackerError(f"the server did not start (exit status {status}): see its output")
