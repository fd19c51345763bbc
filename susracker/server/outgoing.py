"""What waits to be sent to each Socket.IO client: bounded, so that a client that does not read is
cut off and holds up nobody.

Socket.IO has no documented way to see what waits for a client. The maintainer's advice is that the
client acknowledge each event, which old panels do not do. So this module, and no other, knows how
Engine.IO 4 keeps its clients: `Server.sockets` has a `Socket` for each, whose `queue` was made by
the server's `create_queue` and is emptied by a greenlet that writes to the network.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import gevent
from engineio.async_drivers.gevent import WebSocketWSGI
from gevent.queue import Empty, JoinableQueue

log = logging.getLogger(__name__)

MAX_WAITING = 8_000_000
"""Bytes that may wait for one client when one more event is added: about 80 alerts with pictures.
All clients of a broadcast share one copy of it."""

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
        server.eio.create_queue = lambda: _Queue(self._cut_off)
        server.eio._async = {**server.eio._async, "websocket": _WebSocket}

    def waiting(self, sid: str) -> int:
        """Bytes that wait for a client; 0 if it has left."""
        eio_sid = self._server.manager.eio_sid_from_sid(sid, "/")
        client = self._server.eio.sockets.get(eio_sid)
        return client.queue.waiting if client else 0

    def wait_for(self, sid: str, at_most: int = 0) -> None:
        """Wait until only so many bytes wait for a client, or it has left."""
        while self._server.manager.is_connected(sid, "/") and self.waiting(sid) > at_most:
            gevent.sleep(LOOK_AGAIN)

    def _cut_off(self, queue: _Queue) -> None:
        for client in list(self._server.eio.sockets.values()):
            if client.queue is queue and not client.closed:
                log.warning("cut off a client that does not read: %d bytes wait", queue.waiting)
                # Without a last message: it would wait behind all the others.
                client.close(wait=False, abort=True)
                queue.forget()


class _Queue(JoinableQueue[Any]):
    """A client's packets. Once too much waits, more is dropped, and the client is cut off.

    Attributes:
        waiting: bytes in it.
    """

    def __init__(self, cut_off: Callable[[_Queue], None]) -> None:
        super().__init__()
        self.waiting = 0
        self._call_cut_off = cut_off
        self._is_over = False

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Add a packet, or None at the end."""
        if item is not None and self._is_over:
            return
        if item is not None and self.waiting > MAX_WAITING:
            self._is_over = True
            # Not here: someone is sending to all clients, and goes on to the next.
            gevent.spawn(self._call_cut_off, self)
            return
        self.waiting += _size(item)
        super().put(item, block, timeout)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take the next packet."""
        item = super().get(block, timeout)
        self.waiting -= _size(item)
        return item

    def forget(self) -> None:
        """Drop all packets, but not the end."""
        while True:
            try:
                self.get(block=False)
            except Empty:
                break
            self.task_done()
        self.put(None)


class _WebSocket(WebSocketWSGI):  # type: ignore[misc]  # engineio has no types
    """A WebSocket that bounds a message while it arrives, not when it is complete."""

    def __init__(self, handler: Any, server: Any) -> None:
        super().__init__(handler, server)
        self.server_args["max_message_size"] = MAX_MESSAGE


def _size(packet: Any) -> int:
    return OVERHEAD + len(packet.data or "") if packet is not None else 0
