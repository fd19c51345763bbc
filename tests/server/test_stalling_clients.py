"""Clients whose request never comes to its end: they may not keep the connections from others,
least of all from those who have shown a key."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any

import gevent
import pytest
from gevent.pool import Pool
from gevent.socket import create_connection
from gevent.ssl import SSLSocket
from werkzeug.exceptions import RequestTimeout

from susracker.server import receiving, run
from susracker.server.identity import KNOWN
from tests.certificates import Certificate, make_certificate
from tests.server.trust import both_ends
from tests.waiting import PATIENCE

CONNECTIONS = 4
SOON = 0.3
LONG = 3600

HEAD = b"POST /post HTTP/1.1\r\nHost: localhost\r\n"
OPEN = b"POST /open HTTP/1.1\r\nHost: localhost\r\n"
KEY = b"X-API-Key: right\r\n"
NO_BODY = b"Content-Length: 0\r\n\r\n"
LARGE = b"Content-Length: 1000000\r\n\r\n"
ENDLESS = b"Content-Length: 1000000000000\r\n\r\n"
STALLS = {
    "nothing": b"",
    "line": b"POST /po",
    "head": HEAD + b"X-Long: ",
    "refused body": HEAD + ENDLESS,
    "refused chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\nFFFFFF\r\n",
    "body that is read": OPEN + LARGE,
    "head of a second request": OPEN + NO_BODY + HEAD + b"X-Long: ",
    "body of a second request": OPEN + NO_BODY + HEAD + ENDLESS,
    "body behind an upgrade": OPEN + b"Upgrade: websocket\r\n" + LARGE,
}


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Asks for a key, and then reads the body; under `/open`, without a key."""
    status = "200 OK"
    if environ.get("HTTP_X_API_KEY"):
        environ[KNOWN]()
    elif environ["PATH_INFO"] != "/open":
        status = "401 Unauthorized"
    try:
        body = b"" if status[0] == "4" else environ["wsgi.input"].read()
    except RequestTimeout:
        status, body = "408 Request Timeout", b""
    start_response(status, [("Content-Length", str(len(body)))])
    return [body]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"), "site")


@pytest.fixture(params=[False, True], ids=["http", "https"])
def connect(monkeypatch, certificate, request, capfd) -> Iterator[Callable[..., Any]]:
    """Connections to a server that has all the time in the world, but takes few of them."""
    for module, name in (
        (run, "HEAD_SECONDS"),
        (run, "IDLE_SECONDS"),
        (receiving, "BODY_SECONDS"),
    ):
        monkeypatch.setattr(module, name, LONG)
    options, trusting = {}, None
    if request.param:
        options, trusting = both_ends(certificate)
    pool = Pool(CONNECTIONS)
    server = run.Server(("127.0.0.1", 0), application, spawn=pool, log=None, **options)
    server.start()
    opened, sending = [], Pool()

    def connect(sent: bytes = b"", then: bytes = b"") -> Any:
        """Connect, and send something: at once, and then again and again."""
        made = create_connection(("127.0.0.1", server.server_port))
        opened.append(trusting.wrap_socket(made, server_hostname="127.0.0.1") if trusting else made)
        opened[-1].sendall(sent)
        if then:
            sending.spawn(trickle, opened[-1], then)
        return opened[-1]

    with gevent.Timeout(PATIENCE):
        yield connect
    sending.kill()
    for one in opened:
        one.close()
    server.stop(0)
    assert "Traceback" not in capfd.readouterr().err


def trickle(connection: Any, data: bytes) -> None:
    with suppress(OSError):
        while True:
            connection.sendall(data)
            gevent.sleep(0.01)


def status(connection: Any) -> bytes:
    """The status of an answer without a body; nothing if the connection ends."""
    answer = b""
    with suppress(OSError):
        while part := connection.recv(1):
            answer += part
            if answer.endswith(b"\r\n\r\n"):
                return answer.split()[1]
    return answer


@pytest.mark.parametrize("stall", STALLS.values(), ids=STALLS)
def test_who_stalls_makes_room(connect, stall) -> None:
    """A flood of them ends no connection that a camera uses now and then."""
    camera = connect(HEAD + KEY + NO_BODY)
    assert status(camera) == b"200"
    for _ in range(3 * CONNECTIONS):
        connect(stall, stall and b"x")
    other = connect(HEAD + KEY + NO_BODY)
    assert status(other) == b"200"
    camera.sendall(HEAD + KEY + NO_BODY)
    assert status(camera) == b"200"


def test_the_body_of_who_has_shown_a_key_may_take_its_time(connect) -> None:
    slow = [connect(HEAD + KEY + b"Content-Length: 4\r\n\r\nab") for _ in range(CONNECTIONS - 1)]
    gevent.sleep(SOON)
    other = connect(HEAD + KEY + NO_BODY)
    assert status(other) == b"200"
    for one in slow:
        one.sendall(b"cd")
        assert status(one) == b"200"
        assert one.recv(4) == b"abcd"


def test_a_head_that_was_ended_is_no_request(connect) -> None:
    """Its client tries again: what it is told may be its last word about an event."""
    ended = connect(OPEN + b"X-Long: ")
    flood = [connect() for _ in range(2 * CONNECTIONS)]
    assert status(ended) == b""
    assert flood


@pytest.mark.parametrize("sent", [b"GET /op", OPEN, OPEN + b"X-Lo", OPEN + b"X-Long: 1\r\n"])
def test_a_head_that_breaks_off_is_no_request(connect, sent) -> None:
    broken = connect(sent)
    with closing(socket.fromfd(broken.fileno(), broken.family, broken.type)) as copy:
        copy.shutdown(socket.SHUT_WR)
    assert status(broken) == b""


def test_who_is_ended_in_a_body_may_try_again(connect) -> None:
    """Cameras give up what was answered with 400."""
    ended = connect(OPEN + b"Content-Length: 10\r\n\r\nabc")
    gevent.sleep(SOON)
    for _ in range(2 * CONNECTIONS):
        connect()
    # With TLS, nothing more can be said.
    assert status(ended) == (b"" if isinstance(ended, SSLSocket) else b"408")
    assert status(ended) == b""


@pytest.mark.parametrize(
    "sent",
    [STALLS["refused body"], OPEN + b"Upgrade: websocket\r\nContent-Length: 1000\r\n\r\n"],
    ids=["refused", "behind an upgrade"],
)
def test_no_body_comes_for_ever(connect, monkeypatch, sent) -> None:
    monkeypatch.setattr(receiving, "BODY_SECONDS", SOON)
    endless = connect(sent, b"x")
    with suppress(ConnectionError):
        while endless.recv(1000):
            pass
