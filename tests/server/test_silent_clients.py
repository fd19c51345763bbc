"""Clients that connect and say nothing: they may not keep the connections from others."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import gevent
import pytest
from gevent.pool import Pool
from gevent.socket import create_connection

from susracker.server import run

CONNECTIONS = 3
SOON = 0.3
HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\n"


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("401 UNAUTHORIZED", [("Content-Length", "2")])
    return [b"no"]


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(run, "HEAD_SECONDS", SOON)
    monkeypatch.setattr(run, "IDLE_SECONDS", SOON)
    monkeypatch.setattr(run.Handler, "_waits", SOON)
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
        other.settimeout(10)
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
        with gevent.Timeout(10), pytest.raises(ConnectionError):
            send_slowly(slow)


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


def test_a_connection_is_kept_between_requests(port: int) -> None:
    with closing(create_connection(("127.0.0.1", port))) as client:
        for _ in range(4):
            client.sendall(HEAD + b"Content-Length: 2\r\n\r\nab")
            assert client.recv(1000).endswith(b"no")
            gevent.sleep(SOON / 3)
