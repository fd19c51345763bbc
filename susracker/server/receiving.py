"""The bodies of requests, each of which must arrive in time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from gevent import Timeout
from werkzeug.exceptions import RequestTimeout

from susracker.server.idling import receive_no_more

BODY_SECONDS, BODY_RATE = 20.0, 100_000
"""Seconds that a body may take, and bytes a second that a longer one must reach: one of 16 MB may
take three minutes."""


class Receiving:
    """Knows the bodies that are being read, to end that when the server stops."""

    def __init__(self) -> None:
        self._connections: set[Any] = set()

    def read(
        self, connection: Any, until: float, reader: Callable[..., bytes], *args: Any
    ) -> bytes:
        """Call a reader of a connection.

        Args:
            until: when it must have finished, by `time.monotonic`.

        Raises:
            gevent.Timeout: it has not.
        """
        self._connections.add(connection)
        try:
            with Timeout(max(until - time.monotonic(), 0.001)):
                return reader(*args)
        finally:
            self._connections.discard(connection)

    def stop(self) -> None:
        """Wait for no body any longer: it ends where it is."""
        for connection in self._connections:
            receive_no_more(connection)


class Body:
    """A request's body, read as WSGI's `wsgi.input`.

    Args:
        handler: gevent's, of the request.
    """

    def __init__(self, handler: Any, receiving: Receiving) -> None:
        self._handler = handler
        self._stream = handler.wsgi_input
        self._receiving = receiving
        self._is_overdue = False
        self._until = time.monotonic() + BODY_SECONDS + (handler.content_length or 0) / BODY_RATE

    def read(self, length: int | None = None) -> bytes:
        """Read so many bytes, or all.

        Raises:
            RequestTimeout: they do not arrive in time.
        """
        return self._in_time(self._stream.read, length)

    def readline(self, size: int | None = None) -> bytes:
        """Read a line. Raises RequestTimeout as `read` does."""
        return self._in_time(self._stream.readline, size)

    def __iter__(self) -> Body:
        return self

    def __next__(self) -> bytes:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def _discard(self) -> None:
        """Read what is left of it, which gevent asks for before the next request."""
        if self._is_overdue:
            return
        try:
            self._receiving.read(self._handler.socket, self._until, self._stream._discard)
        except Timeout:
            self._give_up()

    def _in_time(self, reader: Callable[..., bytes], *args: Any) -> bytes:
        try:
            return self._receiving.read(self._handler.socket, self._until, reader, *args)
        except Timeout as overdue:
            self._give_up()
            raise RequestTimeout("the body did not arrive in time") from overdue

    def _give_up(self) -> None:
        self._is_overdue = True
        self._handler.close_connection = True
