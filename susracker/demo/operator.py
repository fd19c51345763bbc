"""An operator: a real Socket.IO client that receives alerts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import socketio

from susracker.errors import SusrackerError
from susracker.runtime.closing import Closing

CONNECT_SECONDS = 30.0
"""How long a server may take to let it in: one that has just started on a busy machine is slow."""


class Operator(Closing):
    """Connects to a server and passes every `new_alert` on; a context manager that disconnects.

    Args:
        on_alert: called with each alert, on the client's own thread.

    Raises:
        SusrackerError: the server cannot be reached.
    """

    def __init__(self, url: str, on_alert: Callable[[dict[str, Any]], None]) -> None:
        self._client = socketio.Client(request_timeout=CONNECT_SECONDS)
        self._client.on("new_alert", on_alert)
        try:
            self._client.connect(url, wait_timeout=CONNECT_SECONDS)
        except socketio.exceptions.ConnectionError as error:
            raise SusrackerError(f"cannot connect to {url}: {error}") from error

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
