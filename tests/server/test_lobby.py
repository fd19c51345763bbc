"""Clients that open a connection for Socket.IO and never say who they are."""

from __future__ import annotations

from collections.abc import Iterator

import gevent
import pytest
import socketio
from gevent.pool import Pool
from gevent.socket import create_connection

from susracker.server import lobby, run
from susracker.server.lobby import Lobby
from tests.waiting import PATIENCE

WEBSOCKET = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\n"
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n"
)
POLLING = b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\n\r\n"
CONNECT = b"\x81\x82\x00\x00\x00\x0040"
"""A WebSocket message, masked with zeros: Engine.IO's "message" and Socket.IO's "connect"."""


@pytest.fixture
def server() -> Iterator[socketio.Server]:
    made = socketio.Server(async_mode="gevent")
    http = run.Server(("127.0.0.1", 0), socketio.WSGIApp(made), spawn=Pool(100), log=None)
    http.start()
    made.port = http.server_port
    yield made
    http.stop(0)


def opened(server: socketio.Server, *sent: bytes) -> object:
    connection = create_connection(("127.0.0.1", server.port))
    connection.settimeout(PATIENCE)
    for one in sent:
        connection.sendall(one)
        assert connection.recv(10_000)
    gevent.sleep(0.1)
    return connection


@pytest.mark.parametrize("how", [WEBSOCKET, POLLING])
def test_who_does_not_come_in_is_cut_off(server, monkeypatch, how):
    kept = opened(server, how)
    waiting = Lobby(server)
    waiting.clear()
    (client,) = server.eio.sockets.values()
    assert not client.closed
    monkeypatch.setattr(lobby, "LET_IN_SECONDS", 0)
    waiting.clear()
    assert client.closed
    kept.close()


def test_who_came_in_stays(server, monkeypatch):
    server.on("connect", lambda sid, environ: None)
    kept = opened(server, WEBSOCKET, CONNECT)
    monkeypatch.setattr(lobby, "LET_IN_SECONDS", 0)
    waiting = Lobby(server)
    waiting.clear()
    waiting.clear()
    (client,) = server.eio.sockets.values()
    assert not client.closed
    kept.close()
