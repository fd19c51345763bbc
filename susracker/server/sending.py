"""Connections on which a message arrives whole, and that end if their client does not read."""

from __future__ import annotations

import errno
import logging
import socket
import ssl
from typing import Any

from gevent import Timeout
from gevent.lock import RLock
from gevent.socket import socket as gevent_socket
from gevent.ssl import SSLSocket

log = logging.getLogger(__name__)

STALLED_SECONDS = 10.0
"""How long a client may take nothing of what is sent to it."""

BUFFER = 256_000
"""Bytes that the system may hold for a client. A third must be free before it says that a client
takes something: of the megabytes that it would hold otherwise, a slow one does not read so much."""


class _Whole:
    """A socket whose `send` sends everything, or ends the connection.

    gevent's `send`, like that of every socket that does not block, sends what fits at the moment.
    simple-websocket 1.1 does not look how much that was, so for a slow client the rest of a message
    was missing, and the connection unusable.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A message of one greenlet must not begin in the middle of that of another.
        self._sending = RLock()

    def send(self, data: Any, flags: int = 0, timeout: Any = None) -> int:
        """Send everything.

        Args:
            timeout: ignored.

        Raises:
            BrokenPipeError: the client has left, or takes nothing.
        """
        left = memoryview(data)
        with self._sending:
            while left:
                left = left[self._send_some(left, flags) :]
        return len(data)

    def _send_some(self, data: memoryview, flags: int) -> int:
        try:
            with Timeout(STALLED_SECONDS):
                sent: int = super().send(data, flags)  # type: ignore[misc]
                return sent
        except Timeout as stalled:
            log.warning("cut off a client that has read nothing for %g s", STALLED_SECONDS)
            self.shutdown(socket.SHUT_RDWR)  # type: ignore[attr-defined]
            raise BrokenPipeError(errno.EPIPE, "the client does not read") from stalled
        except ssl.SSLError as broken:  # gevent would log a traceback
            raise BrokenPipeError(errno.EPIPE, "the client has left") from broken


class Connection(_Whole, gevent_socket):
    """A connection without TLS."""


class TlsConnection(_Whole, SSLSocket):
    """A connection with TLS."""


def whole(accepted: Any) -> Any:
    """A connection that was just accepted, as one that sends everything."""
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    if isinstance(accepted, TlsConnection):
        return accepted
    return Connection(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
