"""What waits to be sent to each Socket.IO client.

Socket.IO has no documented way to see that. Its maintainers' advice is that clients acknowledge
each event, which old panels do not do. So this module, and no other, knows how Engine.IO 4 keeps
its clients: `Server.sockets` has a `Socket` for each, whose `queue` was made by the server's
`create_queue`, and is emptied by a greenlet that writes to the network.
"""

from __future__ import annotations

from typing import Any

import gevent
from engineio.async_drivers.gevent import WebSocketWSGI
from gevent.queue import JoinableQueue

OVERHEAD = 1000
"""Bytes that an event takes in memory besides its text."""

LOOK_AGAIN = 0.01
"""Seconds after which to look again what waits."""

MAX_MESSAGE = 64_000
"""Bytes of a message from a client: the longest is a key and a `last_seq`."""


class Outgoing:
    """Watches what waits for the clients of a Socket.IO server.

    Args:
        server: a `socketio.Server` that has no clients yet.
    """

    def __init__(self, server: Any) -> None:
        self._server = server
        server.eio.create_queue = _Queue
        server.eio._async = {**server.eio._async, "websocket": _WebSocket}

    def lagging(self, room: str, more_than: int) -> list[str]:
        """The clients in a room for which more than so many bytes wait."""
        clients = self._server.manager.get_participants("/", room)
        return [sid for sid, eio_sid in clients if self._waiting(eio_sid) > more_than]

    def wait_for(self, sid: str, at_most: int = 0) -> None:
        """Wait until only so many bytes wait for a client, or it has left."""
        manager = self._server.manager
        while manager.is_connected(sid, "/"):
            if self._waiting(manager.eio_sid_from_sid(sid, "/")) <= at_most:
                return
            gevent.sleep(LOOK_AGAIN)

    def _waiting(self, eio_sid: str) -> int:
        client = self._server.eio.sockets.get(eio_sid)
        return client.queue.waiting if client else 0


class _Queue(JoinableQueue[Any]):
    """A client's packets.

    Attributes:
        waiting: bytes in it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.waiting = 0

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Add a packet, or None at the end."""
        self.waiting += _size(item)
        super().put(item, block, timeout)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take the next packet."""
        item = super().get(block, timeout)
        self.waiting -= _size(item)
        return item


class _WebSocket(WebSocketWSGI):  # type: ignore[misc]  # engineio has no types
    """A WebSocket that bounds a message while it arrives, not when it is complete."""

    def __init__(self, handler: Any, server: Any) -> None:
        super().__init__(handler, server)
        self.server_args["max_message_size"] = MAX_MESSAGE


def _size(packet: Any) -> int:
    return OVERHEAD + len(packet.data or "") if packet is not None else 0
