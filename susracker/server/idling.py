"""Connections that wait for a request, some of which make room for new ones, and those whose client
has left."""

from __future__ import annotations

import select
import socket
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

from gevent import getcurrent

ROOM = 0.05
"""Share of all possible connections that is kept free as long as others idle."""


class Idling:
    """Knows who waits for a request: their first, or the next. The longest comes first in both.

    Args:
        connections: a pool of the greenlets of all connections.
    """

    def __init__(self, connections: Any) -> None:
        self._connections = connections
        self._reserve = max(1, int(connections.size * ROOM))
        self._new: OrderedDict[Any, Any] = OrderedDict()
        self._used: OrderedDict[Any, Any] = OrderedDict()
        self._ending: set[Any] = set()

    @contextmanager
    def idle(self, connection: Any, *, is_new: bool) -> Iterator[None]:
        """In this block, the connection waits for a request, on its greenlet.

        Args:
            is_new: whether it is the first one, or the handshake of TLS before it.
        """
        waiting = self._new if is_new else self._used
        greenlet = getcurrent()
        self._ending.discard(greenlet)  # it went on, with what had arrived
        waiting[connection] = greenlet
        try:
            yield
        finally:
            waiting.pop(connection, None)

    def make_room(self) -> None:
        """End connections that idle, if few more are possible: those that were never used first,
        so that a flood of them ends none that a camera uses now and then."""
        # They are not gone at once: each of many who come together would end as many again.
        self._ending = {one for one in self._ending if one in self._connections}
        missing = self._reserve - self._connections.free_count() - len(self._ending)
        for _ in range(min(missing, len(self._new) + len(self._used))):
            connection, greenlet = (self._new or self._used).popitem(last=False)
            self._ending.add(greenlet)
            receive_no_more(connection)


def has_left(connection: Any) -> bool:
    """Whether the client has closed its side of a connection; False where the system cannot say."""
    if not hasattr(select, "POLLRDHUP"):
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLRDHUP)
    return bool(poll.poll(0))


def receive_no_more(connection: Any) -> None:
    """Let whoever reads a connection find its end, behind what has arrived already.

    So nothing is broken off that has just begun, as if a greenlet were killed. `shutdown` of a
    connection with TLS would forget its keys, so this shuts down a copy.
    """
    with suppress(OSError):  # the client has left
        copy = socket.fromfd(connection.fileno(), connection.family, connection.type)
        with closing(copy):
            copy.shutdown(socket.SHUT_RD)
