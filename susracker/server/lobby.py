"""Clients that opened a connection for Socket.IO and have not been let in.

Engine.IO keeps them for as long as they answer its pings, whoever they are. Nor does it end a
WebSocket when it is done with the client: simple-websocket 1.1 says that it closes, and reads on
until the client does so, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from susracker.server.idling import WEBSOCKET

LET_IN_SECONDS = 20.0
"""How long a client may take to show who it is; clients do so at once."""


class Lobby:
    """Cuts off who stays outside, and who may stay inside no longer.

    Args:
        server: a `socketio.Server`, under gevent.
    """

    def __init__(self, server: Any) -> None:
        self._server = server
        self._since: dict[str, float] = {}
        # What ends each WebSocket, and Engine.IO's client.
        self._websockets: dict[Callable[[], None], Any] = {}
        self._driver = server.eio._async["websocket"]
        server.eio._async = {**server.eio._async, "websocket": self._websocket}

    def clear(self) -> None:
        """Cut off those that have been there for too long, and end the WebSockets of all that were
        cut off; call this now and then."""
        now = time.monotonic()
        inside = {eio_sid for _, eio_sid in self._server.manager.get_participants("/", None)}
        outside = self._server.eio.sockets.keys() - inside
        self._since = {one: self._since.get(one, now) for one in outside}
        for one, since in self._since.items():
            if now - since > LET_IN_SECONDS and one in self._server.eio.sockets:
                # It may read nothing, so nothing is said to it. Engine.IO forgets it soon after.
                self._server.eio.sockets[one].close(wait=False, abort=True)
        for hang_up, client in self._websockets.items():
            if client.closed:
                hang_up()

    def dismiss(self, sid: str) -> None:
        """Cut off a client that was let in. It is told so if it reads before the next `clear`."""
        client = self._server.eio.sockets.get(self._server.manager.eio_sid_from_sid(sid, "/"))
        self._server.disconnect(sid, namespace="/")
        if client:
            client.close(wait=False)

    def _websocket(self, handler: Any, server: Any) -> Callable[..., Iterable[bytes]]:
        """What Engine.IO takes for its driver: one that knows whose each WebSocket is."""
        client, driver = handler.__self__, self._driver(handler, server)

        def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            with environ[WEBSOCKET](lambda: self._is_let_in(client.sid)) as hang_up:
                self._websockets[hang_up] = client
                try:
                    answered: Iterable[bytes] = driver(environ, start_response)
                    return answered
                finally:
                    del self._websockets[hang_up]

        return answer

    def _is_let_in(self, eio_sid: str) -> bool:
        return self._server.manager.sid_from_eio_sid(eio_sid, "/") is not None
