"""Clients that opened a connection for Socket.IO and have not been let in.

Engine.IO keeps them for as long as they answer its pings, whoever they are.
"""

from __future__ import annotations

import time
from typing import Any

LET_IN_SECONDS = 20.0
"""How long a client may take to show who it is; clients do so at once."""


class Lobby:
    """Cuts off who stays outside.

    Args:
        server: a `socketio.Server`.
    """

    def __init__(self, server: Any) -> None:
        self._server = server
        self._since: dict[str, float] = {}

    def clear(self) -> None:
        """Cut off those that have been there for too long; call this now and then."""
        now = time.monotonic()
        inside = {eio_sid for _, eio_sid in self._server.manager.get_participants("/", None)}
        outside = self._server.eio.sockets.keys() - inside
        self._since = {one: self._since.get(one, now) for one in outside}
        for one, since in self._since.items():
            if now - since > LET_IN_SECONDS and one in self._server.eio.sockets:
                # It may read nothing, so nothing is said to it. Engine.IO forgets it soon after.
                self._server.eio.sockets[one].close(wait=False, abort=True)
