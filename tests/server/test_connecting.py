"""Who connects over Socket.IO at the same time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import socketio
from flask import Flask, request
from flask_socketio import ConnectionRefusedError

from susracker.access.audit import Act
from susracker.server.access import public
from susracker.server.connections import CONNECT, Connections
from susracker.server.credentials import Credentials
from susracker.server.identity import Identity


class SocketIo:
    """What events are registered with."""

    def __init__(self) -> None:
        self.server = socketio.Server(async_mode="gevent")
        self.handlers: dict[str, Callable[..., Any]] = {}

    def on_event(self, event: str, handler: Callable[..., Any]) -> None:
        self.handlers[event] = handler


class Everyone:
    """Lets everyone in."""

    def admit(self, shown: Credentials) -> Identity:
        return Identity("local", "local", shown.address)


@public
def join(auth: object) -> None:
    pass


def slowly(act: Act) -> None:
    gevent.sleep(0.01)


def test_who_comes_while_the_last_place_is_being_taken_is_refused():
    events, app = SocketIo(), Flask("test")
    connections = Connections(events, Everyone(), max_clients=1, note=slowly)
    connections.on(CONNECT, join)

    def connect(sid: str) -> str:
        with app.test_request_context():
            request.sid = sid
            try:
                events.handlers[CONNECT]({})
            except ConnectionRefusedError as error:
                return str(error)
            return "in"

    both = [gevent.spawn(connect, sid) for sid in "ab"]
    assert [one.get() for one in both] == [
        "in",
        "the server has 1 clients, as many as max_clients allows",
    ]
    assert connections.count == 1
