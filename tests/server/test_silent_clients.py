"""Clients that connect and say nothing: they may not keep the connections from others."""

from __future__ import annotations

import select
import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import gevent
import pytest
from gevent.event import Event
from gevent.pool import Pool
from gevent.socket import create_connection
from gevent.ssl import SSLContext
from werkzeug.exceptions import RequestTimeout

from susracker.loading import make_settings
from susracker.server import idling, receiving, run
from susracker.server.tls import tls_context
from tests.certificates import make_certificate
from tests.waiting import PATIENCE

CONNECTIONS = 3
SOON = 0.3
LONG = 3600
HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\n"


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("401 UNAUTHORIZED", [("Content-Length", "2")])
    return [b"no"]


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(run, "HEAD_SECONDS", SOON)
    monkeypatch.setattr(run, "IDLE_SECONDS", SOON)
    server = run.Server(("127.0.0.1", 0), application, spawn=Pool(CONNECTIONS), log=None)
    server.start()
    yield server.server_port
    server.stop(0)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"POST / HT",
        HEAD,
        HEAD + b"Content-Length: 1000\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5",
        HEAD + b"\r\n",
    ],
    ids=["nothing", "half a line", "half a head", "no body", "half a chunk", "a request"],
)
def test_silent_clients_do_not_lock_others_out(port: int, sent: bytes) -> None:
    silent = [create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
    for one in silent:
        one.sendall(sent)
    with closing(create_connection(("127.0.0.1", port))) as other:
        other.sendall(HEAD + b"\r\n")
        other.settimeout(60)
        assert other.recv(100).startswith(b"HTTP/1.1 401")
    for one in silent:
        one.close()


def send_slowly(connection: Any) -> None:
    while True:
        connection.sendall(b"x")
        gevent.sleep(SOON / 5)


def test_who_sends_a_head_byte_by_byte_is_cut_off(port: int) -> None:
    with closing(create_connection(("127.0.0.1", port))) as slow:
        slow.sendall(HEAD)
        with gevent.Timeout(PATIENCE), pytest.raises(ConnectionError):
            send_slowly(slow)


@pytest.mark.parametrize("head", [b"Content-Length: 1000", b"Transfer-Encoding: chunked"])
def test_who_sends_a_body_byte_by_byte_is_cut_off(port, monkeypatch, head) -> None:
    monkeypatch.setattr(receiving, "BODY_SECONDS", SOON)
    with closing(create_connection(("127.0.0.1", port))) as slow:
        slow.sendall(HEAD + head + b"\r\n\r\n" + b"500\r\n")
        with gevent.Timeout(PATIENCE), pytest.raises(ConnectionError):
            send_slowly(slow)


def test_who_idles_longest_makes_room_at_once(port: int, monkeypatch) -> None:
    monkeypatch.setattr(run, "IDLE_SECONDS", LONG)
    idle = []
    for _ in range(CONNECTIONS):
        idle.append(create_connection(("127.0.0.1", port)))
        idle[-1].sendall(HEAD + b"\r\n")
        assert idle[-1].recv(100)
    with closing(create_connection(("127.0.0.1", port))) as other, gevent.Timeout(PATIENCE):
        other.sendall(HEAD + b"\r\n")
        assert other.recv(100).startswith(b"HTTP/1.1 401")
    assert idle[0].recv(100) == b""
    for one in idle:
        one.close()


def test_who_never_begins_tls_makes_room(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(run, "HANDSHAKE_SECONDS", LONG)
    made = make_certificate(tmp_path, "site")
    tls = tls_context(make_settings({"cert": str(made.cert), "key": str(made.key)}))
    pool = Pool(CONNECTIONS)
    server = run.Server(("127.0.0.1", 0), application, spawn=pool, log=None, ssl_context=tls)
    server.start()
    where = ("127.0.0.1", server.server_port)
    flood = [create_connection(where) for _ in range(2 * CONNECTIONS)]
    trusting = SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.load_verify_locations(made.cert)
    with gevent.Timeout(PATIENCE), closing(create_connection(where)) as other:
        secured = trusting.wrap_socket(other, server_hostname="127.0.0.1")
        secured.sendall(HEAD + b"\r\n")
        assert secured.recv(100).startswith(b"HTTP/1.1 401")
        secured.close()
    for one in flood:
        one.close()
    server.stop(0)


def test_of_many_who_come_at_once_each_ends_no_more_than_it_needs(monkeypatch) -> None:
    """Whoever is told to end is not gone at once."""
    told: list[int] = []
    monkeypatch.setattr(idling, "receive_no_more", told.append)
    gone = [Event() for _ in range(CONNECTIONS + 1)]
    connections = Pool(CONNECTIONS)
    waiting = idling.Idling(connections)

    def wait(number: int) -> None:
        with waiting.waiting(number, is_known=False):
            gone[number].wait()

    for number in range(CONNECTIONS):
        connections.spawn(wait, number)
    gevent.idle()
    for _ in range(2):
        waiting.make_room()
        assert told == [0]
    gone[0].set()
    connections.spawn(wait, CONNECTIONS)
    gevent.idle()
    waiting.make_room()
    assert told == [0, 1]
    connections.kill()


def test_a_body_that_is_not_there_in_time_is_answered(monkeypatch) -> None:
    monkeypatch.setattr(receiving, "BODY_SECONDS", SOON)
    server = run.Server(("127.0.0.1", 0), reading, spawn=Pool(3), log=None)
    server.start()
    with closing(create_connection(("127.0.0.1", server.server_port))) as slow:
        slow.sendall(HEAD + b"Content-Length: 10\r\n\r\nabc")
        with gevent.Timeout(PATIENCE):
            assert slow.recv(1000).startswith(b"HTTP/1.1 408")
            while slow.recv(1000):
                pass
    server.stop(0)


def reading(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    try:
        environ["wsgi.input"].read()
    except RequestTimeout:
        start_response("408 Request Timeout", [("Content-Length", "2")])
    return [b"no"]


@pytest.mark.parametrize("sent", [b"", b"POST / HT", HEAD, HEAD + b"\r\n"])
def test_who_breaks_off_leaves_nothing_in_the_log(port, sent, capfd, caplog):
    """With a reset: thousands of them would fill the disk with tracebacks."""
    for _ in range(3):
        client = create_connection(("127.0.0.1", port))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(sent)
        gevent.sleep(0.05)
        client.close()
        gevent.sleep(0.05)
    written = capfd.readouterr()
    assert written.out + written.err + caplog.text == ""


def test_who_does_not_wait_for_the_refusal_of_a_slow_head(port, capfd, caplog):
    client = create_connection(("127.0.0.1", port))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.sendall(HEAD)
    client.close()
    gevent.sleep(SOON * 1.5)
    assert capfd.readouterr().err + caplog.text == ""


def test_a_connection_is_kept_between_requests(port: int, monkeypatch) -> None:
    for name in ("HEAD_SECONDS", "IDLE_SECONDS"):
        monkeypatch.setattr(run, name, 6 * SOON)
    with closing(create_connection(("127.0.0.1", port))) as client:
        for _ in range(4):
            client.sendall(HEAD + b"Content-Length: 2\r\n\r\nab")
            assert client.recv(1000).endswith(b"no")
            gevent.sleep(2 * SOON)  # together longer than one may last


@pytest.mark.skipif(not hasattr(select, "POLLRDHUP"), reason="this system does not say who left")
@pytest.mark.parametrize(("method", "asked"), [(b"GET", 0), (b"POST", 1)])
def test_nothing_is_looked_up_for_a_client_that_has_left(method, asked):
    """While a change is made, whoever asked for it."""
    paths = []

    def noting(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        paths.append(environ["PATH_INFO"])
        return application(environ, start_response)

    server = run.Server(("127.0.0.1", 0), noting, spawn=Pool(3), log=None)
    # Accepted only once the client has left.
    server.init_socket()
    with closing(socket.create_connection(("127.0.0.1", server.server_port))) as client:
        client.sendall(method + b" /left HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
    server.start()
    address = ("127.0.0.1", server.server_port)
    with closing(create_connection(address)) as other, gevent.Timeout(PATIENCE):
        other.sendall(b"GET /there HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert other.recv(100).startswith(b"HTTP/1.1 401")
    server.stop(0)
    assert (paths.count("/left"), paths.count("/there")) == (asked, 1)
