"""A relay in front of a server, which can be slow, hang, or be away."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

CHUNK = 65_536
POLL_SECONDS = 0.05


class Relay:
    """Passes on what clients and a server on 127.0.0.1 send each other.

    Attributes:
        port: where it listens.
        delay: seconds that each message of a client waits.
        hangs: whether nothing is passed on, while connections stay open.
        away: whether connections are refused, and those that are open end.
    """

    def __init__(self, port: int) -> None:
        self.delay, self.hangs, self.away = 0.0, False, False
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Let nobody in any more."""
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self.away:
                    client.close()
                else:
                    self._join(client, socket.create_connection(("127.0.0.1", self._to)))

    def _join(self, client: socket.socket, server: socket.socket) -> None:
        for args in ((client, server, True), (server, client, False)):
            threading.Thread(target=self._pass_on, args=args, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, is_client: bool) -> None:
        source.settimeout(POLL_SECONDS)
        with suppress(OSError), source, target:
            while not self.away:
                with suppress(TimeoutError):
                    content = source.recv(CHUNK)
                    if not content:
                        return
                    self._wait(is_client)
                    target.sendall(content)

    def _wait(self, is_client: bool) -> None:
        time.sleep(self.delay if is_client else 0)
        while self.hangs and not self.away:
            time.sleep(POLL_SECONDS)
