"""Clients that open a connection for Socket.IO and never say who they are: they hold none of the
server's connections for long, and none that others need."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import gevent
import pytest
import socketio
from gevent.pool import Pool
from gevent.socket import create_connection

from susracker.server import lobby, run, sending
from susracker.server.lobby import Lobby
from tests.certificates import Certificate, make_certificate
from tests.server.trust import both_ends
from tests.waiting import PATIENCE, wait_until

UPGRADE = (
    b"Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n"
)
WEBSOCKET = b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n" + UPGRADE
POLLING = (
    b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\n"
    b"Connection: close\r\n\r\n"
)
CONNECT = b"\x81\x82\x00\x00\x00\x0040"
"""A WebSocket message, masked with zeros: Engine.IO's "message" and Socket.IO's "connect"."""
PROBE, PROBED = b"\x81\x86\x00\x00\x00\x002probe", b"\x81\x81\x00\x00\x00\x005"
"""Engine.IO's words for a change from polling to a WebSocket."""
PING, PONG = b"\x89\x80\x00\x00\x00\x00", b"\x8a\x00"
CONNECTIONS = 4
LONG = 3600


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"), "site")


@pytest.fixture(params=[False, True], ids=["http", "https"])
def server(monkeypatch, certificate, request, capfd) -> Iterator[socketio.Server]:
    """One that would wait for its clients, but takes few of them."""
    options, trusting = {}, None
    if request.param:
        options, trusting = both_ends(certificate)
    monkeypatch.setattr(run, "IDLE_SECONDS", LONG)
    made = socketio.Server(async_mode="gevent", ping_interval=LONG)
    made.on("connect", lambda sid, environ: None)
    pool = Pool(CONNECTIONS)
    http = run.Server(("127.0.0.1", 0), socketio.WSGIApp(made), spawn=pool, log=None, **options)
    http.start()
    made.port, made.trusting, made.connections, made.opened = http.server_port, trusting, pool, []
    yield made
    for one in made.opened:
        one.close()
    http.stop(0)
    assert "Traceback" not in capfd.readouterr().err


def direct(server: socketio.Server) -> Any:
    return opened(server, WEBSOCKET)


def upgraded(server: socketio.Server, *sent: bytes) -> Any:
    polling = opened(server)
    polling.sendall(POLLING)
    _, _, packet = read_to_the_end(polling).rpartition(b"\r\n\r\n0")
    sid = json.loads(packet)["sid"].encode()
    path = b"GET /socket.io/?EIO=4&transport=websocket&sid=" + sid + b" HTTP/1.1\r\n"
    made = opened(server, path + UPGRADE, PROBE)
    made.sendall(b"".join(sent))
    return made


def half_upgraded(server: socketio.Server) -> Any:
    """One that says no more, when all that is missing is its last word."""
    return upgraded(server)


def wholly_upgraded(server: socketio.Server) -> Any:
    return upgraded(server, PROBED)


WEBSOCKETS = [direct, half_upgraded, wholly_upgraded]


def trickle(connection: Any) -> None:
    with suppress(OSError):
        while True:
            connection.sendall(PING)
            gevent.sleep(0.01)


def is_answered(connection: Any) -> bool:
    """Whether the server still answers a ping."""
    connection.sendall(PING)
    received = b""
    while part := connection.recv(10_000):
        received += part
        if received.endswith(PONG):
            return True
    return False


def read_to_the_end(connection: Any) -> bytes:
    """Read, and answer nothing. Fails if the connection goes on."""
    received = b""
    with gevent.Timeout(PATIENCE), suppress(ConnectionError, ssl.SSLError):
        while part := connection.recv(10_000):
            received += part
    return received


def opened(server: socketio.Server, *sent: bytes) -> Any:
    connection = create_connection(("127.0.0.1", server.port))
    if server.trusting:
        connection = server.trusting.wrap_socket(connection, server_hostname="127.0.0.1")
    connection.settimeout(PATIENCE)
    server.opened.append(connection)
    for one in sent:
        connection.sendall(one)
        assert connection.recv(10_000)
    gevent.sleep(0.1)
    return connection


@pytest.mark.parametrize("how", [WEBSOCKET, POLLING])
def test_who_does_not_come_in_is_cut_off(server, monkeypatch, how):
    opened(server, how)
    waiting = Lobby(server)
    waiting.clear()
    (client,) = server.eio.sockets.values()
    assert not client.closed
    monkeypatch.setattr(lobby, "LET_IN_SECONDS", 0)
    waiting.clear()
    assert client.closed


def test_who_came_in_stays(server, monkeypatch):
    opened(server, WEBSOCKET, CONNECT)
    monkeypatch.setattr(lobby, "LET_IN_SECONDS", 0)
    waiting = Lobby(server)
    waiting.clear()
    waiting.clear()
    (client,) = server.eio.sockets.values()
    assert not client.closed


@pytest.mark.parametrize("then", [lambda connection: None, trickle], ids=["silent", "trickle"])
@pytest.mark.parametrize("opens", WEBSOCKETS)
def test_a_cut_off_client_holds_no_connection(server, monkeypatch, opens, then):
    """It neither closes its WebSocket nor answers that the server has."""
    waiting = Lobby(server)
    kept = opens(server)
    sending = gevent.spawn(then, kept)
    waiting.clear()
    monkeypatch.setattr(lobby, "LET_IN_SECONDS", 0)
    waiting.clear()
    read_to_the_end(kept)
    sending.kill()


@pytest.mark.parametrize("opens", WEBSOCKETS)
def test_who_has_not_come_in_makes_room(server, opens):
    Lobby(server)
    first, *_, last = [opens(server) for _ in range(2 * CONNECTIONS)]
    read_to_the_end(first)
    assert is_answered(last)


def test_who_came_in_makes_no_room(server):
    Lobby(server)
    inside = opened(server, WEBSOCKET, CONNECT), upgraded(server, PROBED, CONNECT)
    for _ in range(3 * CONNECTIONS):
        direct(server)
    assert all(is_answered(one) for one in inside)


def test_who_is_dismissed_holds_no_connection(server, monkeypatch):
    """It reads nothing of what it is sent, not even that it is cut off."""
    monkeypatch.setattr(sending, "STALLED_SECONDS", LONG)
    waiting = Lobby(server)
    opened(server, WEBSOCKET, CONNECT)
    for _ in range(20):
        server.emit("news", "x" * 1_000_000)
    gevent.sleep(0.5)
    ((sid, _),) = server.manager.get_participants("/", None)
    waiting.dismiss(sid)
    waiting.clear()
    assert wait_until(lambda: not server.connections, sleep=gevent.sleep)
