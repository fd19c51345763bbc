"""Heads and bodies of requests: all of it must arrive, and in time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from gevent import Timeout
from gevent.pywsgi import _InvalidClientInput  # type: ignore[attr-defined]
from werkzeug.exceptions import RequestTimeout

from susracker.server.idling import receive_no_more

BODY_SECONDS, BODY_RATE = 20.0, 100_000
"""Seconds that a body may take, and bytes a second that a longer one must reach: one of 16 MB may
take three minutes."""


class Head:
    """The lines of a request's head. http.client would take a head that breaks off for a whole one.

    Args:
        stream: what the client sends.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readline(self, size: int) -> bytes:
        """Read a line, or so many bytes.

        Raises:
            ConnectionAbortedError: it breaks off.
        """
        line: bytes = self._stream.readline(size)
        if not line.endswith(b"\n") and len(line) < size:
            raise ConnectionAbortedError("the head breaks off")
        return line


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
        self._is_given_up = False
        self._until = time.monotonic() + BODY_SECONDS + (handler.content_length or 0) / BODY_RATE

    def read(self, length: int | None = None) -> bytes:
        """Read so many bytes, or all.

        Raises:
            RequestTimeout: they do not arrive in time, or not at all.
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
        """Read what is left of it, which gevent asks for before the next request.

        A body that was refused may claim any length, so it has no longer than a short one.
        """
        if self._is_given_up:
            return
        until = min(self._until, time.monotonic() + BODY_SECONDS)
        try:
            self._receive(until, self._stream._discard)
        except Timeout:
            self._give_up()

    def _in_time(self, reader: Callable[..., bytes], *args: Any) -> bytes:
        try:
            return self._receive(self._until, reader, *args)
        except _InvalidClientInput:  # chunks that are none
            raise
        except (Timeout, OSError) as missing:
            # Not 400, which cameras take for the last word: the server may have ended it.
            self._give_up()
            raise RequestTimeout("the body did not arrive in time") from missing

    def _receive(self, until: float, reader: Callable[..., bytes], *args: Any) -> bytes:
        with self._handler.arriving():
            return self._receiving.read(self._handler.socket, until, reader, *args)

    def _give_up(self) -> None:
        self._is_given_up = True
        self._handler.close_connection = True
