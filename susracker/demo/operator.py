"""An operator: a real Socket.IO client that is told of alerts."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

import socketio
from typing_extensions import Self

from susracker.errors import SusrackerError


class Operator:
    """Connects to a server, and hands on every `new_alert` until closed."""

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
