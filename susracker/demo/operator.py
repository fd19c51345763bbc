"""An operator: a real Socket.IO client that receives alerts."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

import socketio
from typing_extensions import Self

from susracker.errors import SusrackerError


class Operator:
    """Connects to a server and passes every `new_alert` on; a context manager that disconnects.

    Args:
        on_alert: called with each alert, on the client's own thread.

    Raises:
        SusrackerError: the server cannot be reached.
    """

    def __init__(self, url: str, on_alert: Callable[[dict[str, Any]], None]) -> None:
        self._client = socketio.Client()
        self._client.on("new_alert", on_alert)
        try:
            self._client.connect(url)
        except socketio.exceptions.ConnectionError as error:
            raise SusrackerError(f"cannot connect to {url}: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.disconnect()
