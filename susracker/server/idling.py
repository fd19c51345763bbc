"""Connections whose clients are waited for, some of which make room for new ones, and those whose
client has left."""

from __future__ import annotations

import select
import socket
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

from gevent import getcurrent

WEBSOCKET = "susracker.websocket"
"""Key of a request's environment: makes the block that our server wants around a WebSocket, of what
tells whether the client was let in. The block gives what ends the connection."""

ROOM = 0.05
"""Share of all possible connections that is kept free as long as others wait for their clients."""


class Idling:
    """Knows which connections wait for what their client sends: those of strangers, and those on
    which somebody has shown who they are. The longest comes first in both.

    Args:
        connections: a pool of the greenlets of all connections.
    """

    def __init__(self, connections: Any) -> None:
        self._connections = connections
        self._reserve = max(1, int(connections.size * ROOM))
        self._strangers: OrderedDict[Any, Any] = OrderedDict()
        self._known: OrderedDict[Any, Any] = OrderedDict()
        self._ending: set[Any] = set()

    @contextmanager
    def waiting(
        self, connection: Any, *, is_known: bool, is_let_in: Callable[[], bool] = lambda: False
    ) -> Iterator[None]:
        """In this block, the connection waits for its client, on its greenlet.

        Args:
            is_known: whether somebody has shown on it who they are.
            is_let_in: whether a stranger has done so since; then it makes no room any more.
        """
        waiting = self._known if is_known else self._strangers
        greenlet = getcurrent()
        self._ending.discard(greenlet)  # it went on, with what had arrived
        waiting[connection] = greenlet, is_let_in
        try:
            yield
        finally:
            waiting.pop(connection, None)

    def make_room(self) -> None:
        """End connections that wait for their clients, if few more are possible: those of strangers
        first, so that a flood of them ends none that a camera uses now and then.

        It does not matter whether a client sends something: a byte a second costs nothing.
        """
        # They are not gone at once: each of many who come together would end as many again.
        self._ending = {one for one in self._ending if one in self._connections}
        missing = self._reserve - self._connections.free_count() - len(self._ending)
        while missing > 0 and (self._strangers or self._known):
            waiting = self._strangers or self._known
            connection, (greenlet, is_let_in) = waiting.popitem(last=False)
            if not is_let_in():
                missing -= 1
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
    _shut(connection, socket.SHUT_RD)


def hang_up(connection: Any) -> None:
    """Let whoever reads a connection or writes to it find its end, whatever its client does."""
    _shut(connection, socket.SHUT_RDWR)


def _shut(connection: Any, how: int) -> None:
    with suppress(OSError):  # the client has left
        copy = socket.fromfd(connection.fileno(), connection.family, connection.type)
        with closing(copy):
            copy.shutdown(how)
