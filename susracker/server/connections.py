"""Who is connected over Socket.IO: let in like a request, and cut off when their key ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import request
from flask_socketio import ConnectionRefusedError, SocketIO

from susracker.access.audit import Act
from susracker.access.roles import Permission
from susracker.errors import (
    ConfigError,
    KeyRequiredError,
    NotAllowedError,
    OverloadedError,
    StoreError,
)
from susracker.server.access import Declared, declared, public
from susracker.server.admission import Admission
from susracker.server.credentials import credentials
from susracker.server.identity import Identity
from susracker.server.lobby import Lobby

CONNECT, DISCONNECT = "connect", "disconnect"

CONNECTING_SECONDS = 60.0
"""Longest time from the request for a connection to the connection."""

HOW = 'connect with auth: {key: "…"}, or open a session with POST /api/session'


@dataclass(frozen=True, slots=True)
class _Connected:
    who: Identity
    since: float


class Connections:
    """Registers Socket.IO events, and knows who is behind each connection.

    Args:
        note: notes in the audit log who connects, for they see the pictures of all alerts.
    """

    def __init__(
        self,
        socketio: SocketIO,
        admission: Admission,
        max_clients: int,
        note: Callable[[Act], None],
    ) -> None:
        self._socketio = socketio
        self._admission = admission
        self._max_clients = max_clients
        self._note = note
        self._connected: dict[str, _Connected] = {}
        # How many are being let in, which waits for the audit log.
        self._entering = 0
        self._lobby = Lobby(socketio.server)
        self.on(DISCONNECT, self._left)

    def on(self, event: str, handler: Callable[..., Any]) -> None:
        """Call a handler for an event of those who may send it.

        Raises:
            TypeError: the handler declares no access.
        """
        asked = declared(handler)
        if asked is None or asked == "signed":
            raise TypeError(f"the event {event!r} declares no access")

        @wraps(handler)
        def guarded(*args: Any) -> Any:
            if event == CONNECT:
                return self._connect(handler, *args)
            if isinstance(asked, Permission):
                self._connected[_sid()].who.demand(asked)
            return handler(*args)

        self._socketio.on_event(event, guarded)

    @property
    def count(self) -> int:
        """How many clients are connected."""
        return len(self._connected)

    def drop_invalid(self) -> None:
        """Cut off those whose key or session has ended, and those who never came in."""
        self._lobby.clear()
        for sid, one in list(self._connected.items()):
            if not self._admission.is_valid(one.who):
                self._lobby.dismiss(sid)
            if not self._is_connected(sid) and time.monotonic() - one.since > CONNECTING_SECONDS:
                self._connected.pop(sid, None)

    def _connect(self, handler: Callable[..., Any], auth: Any = None) -> Any:
        if len(self._connected) + self._entering >= self._max_clients:
            raise ConnectionRefusedError(
                f"the server has {self._max_clients} clients, as many as max_clients allows"
            )
        self._entering += 1
        try:
            who = self._admit(declared(handler), auth)
        finally:
            self._entering -= 1
        self._connected[_sid()] = _Connected(who, time.monotonic())
        try:
            return handler(auth)
        except ConnectionRefusedError:
            self._connected.pop(_sid(), None)
            raise

    def _admit(self, asked: Declared | None, auth: Any) -> Identity:
        """Who connects; it is noted in the audit log."""
        try:
            who = self._admission.admit(credentials(auth))
            if isinstance(asked, Permission):
                who.demand(asked)
            self._note(_connects(who, auth))
        except KeyRequiredError as error:
            raise ConnectionRefusedError(f"{error}; {HOW}") from error
        except NotAllowedError as error:
            raise ConnectionRefusedError(str(error)) from error
        except (StoreError, ConfigError, OverloadedError) as error:
            raise ConnectionRefusedError(
                "the server cannot read its keys or write its audit log: try again"
            ) from error
        return who

    @public
    def _left(self, *reason: object) -> None:
        self._connected.pop(_sid(), None)

    def _is_connected(self, sid: str) -> bool:
        return bool(self._socketio.server.manager.is_connected(sid, "/"))


def _connects(who: Identity, auth: Any) -> Act:
    """What is noted of a client: also which alerts of before it is sent."""
    last_seq = auth.get("last_seq") if isinstance(auth, dict) else None
    detail = {"after": last_seq} if isinstance(last_seq, int) else {}
    return Act(who.actor, who.role, who.address, "live.connect", detail=detail)


def _sid() -> str:
    sid: str = request.sid  # type: ignore[attr-defined]
    return sid
