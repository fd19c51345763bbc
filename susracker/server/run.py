"""Runs the application under gevent, from the first request to the last."""

from __future__ import annotations

import errno
import logging
import signal
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import (
    AbstractContextManager,
    ExitStack,
    closing,
    contextmanager,
    nullcontext,
    suppress,
)
from functools import partial
from queue import SimpleQueue
from typing import Any, Protocol, runtime_checkable

import gevent
from flask import Flask
from gevent import Timeout
from gevent.event import Event
from gevent.pool import Pool
from gevent.pywsgi import MAX_REQUEST_LINE, WSGIHandler, WSGIServer  # type: ignore[attr-defined]

from susracker.errors import ListenError
from susracker.server.addresses import resolve
from susracker.server.descriptors import possible_connections
from susracker.server.identity import KNOWN
from susracker.server.idling import WEBSOCKET, Idling, hang_up, has_left
from susracker.server.receiving import Body, Head, Receiving
from susracker.server.sending import whole
from susracker.server.service import EXTENSION, Service
from susracker.server.tls import tls_context

log = logging.getLogger(__name__)

FINISH_SECONDS = 30.0
"""Seconds that accepted requests may take to finish when the server stops."""

UNFINISHED_SECONDS = 2.0
"""Seconds that bodies may take to arrive when the server stops: without them, a request is not
accepted."""

CLOSE_SECONDS = 0.5
"""Seconds after that for idle connections and operators' sockets to close."""

HANDSHAKE_SECONDS = 10.0
"""Seconds that a client may take to begin TLS."""

HEAD_SECONDS = 20.0
"""Seconds that a client may take to send the head of a request, from its connection or first
byte."""

IDLE_SECONDS = 90.0
"""Seconds after which a client that sends nothing is disconnected, while it is its turn: between
two requests, and within a body. Operators' WebSockets answer a ping every 25 seconds, and proxies
keep connections for 60."""

LOOKING = ("GET", "HEAD")
"""Methods that change nothing. What others ask for is done even if the client has left."""

BACKLOG = 1024
"""Connections that may wait to be accepted: after a restart, all cameras connect at once."""


@runtime_checkable
class Closeable(Protocol):
    """What a server closes once it is written (PEP 3333)."""

    def close(self) -> None:
        """Let go of what the answer needed."""


class Requests:
    """WSGI middleware that counts the requests being answered.

    A request counts until its answer is written. Socket.IO connections do not count: they last as
    long as the operator stays.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app
        self._running = 0
        self._idle = Event()
        self._idle.set()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith("/socket.io"):
            return self._app(environ, start_response)
        self._running += 1
        self._idle.clear()
        return self._count_while(environ, start_response)

    def wait_until_idle(self, seconds: float) -> bool:
        """Wait until all requests are answered. Returns whether that happened within `seconds`."""
        return bool(self._idle.wait(seconds))

    def _count_while(self, environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        # A generator's `finally` runs when the server closes it: after the last write.
        answer: Iterable[bytes] = ()
        try:
            answer = self._app(environ, start_response)
            yield from answer
        finally:
            self._end(answer)

    def _end(self, answer: Iterable[bytes]) -> None:
        try:
            if isinstance(answer, Closeable):
                answer.close()
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()


class Handler(WSGIHandler):
    """Answers the requests of a connection, which a silent client may not keep from others."""

    _is_new = True
    _is_known = False
    _is_cut_short = False

    @property
    def _own_server(self) -> Any:
        return self.server  # gevent's types take it for a plain one

    def handle(self) -> None:
        """Answer until the client is done, or breaks off: gevent would log a traceback of each that
        does not wait for a refusal."""
        with suppress(ConnectionError):
            super().handle()

    def handle_one_request(self) -> Any:
        """Answer a request. To a head that does not arrive nothing is said: its client should try
        again, and cameras give up what was answered with 400."""
        answer = super().handle_one_request()
        return None if self._is_cut_short else answer

    def read_requestline(self) -> str:
        """The first line of a request; nothing if it does not come in time, or if others need the
        connection."""
        is_new, self._is_new = self._is_new, False
        try:
            with Timeout(HEAD_SECONDS if is_new else IDLE_SECONDS), self._waiting():
                return Head(self.rfile).readline(MAX_REQUEST_LINE).decode("latin-1")
        except Timeout:
            return ""

    def read_request(self, raw_requestline: str) -> Any:
        """Read the rest of the head. Returns whether it is one, and came in time."""
        try:
            with Timeout(HEAD_SECONDS), self._waiting():
                return super().read_request(raw_requestline)
        except (Timeout, OSError):
            self._is_cut_short = True
            return False

    def MessageClass(self, stream: Any, *args: Any) -> Any:  # noqa: N802
        """The fields of a head."""
        head: Any = Head(stream)
        return super().MessageClass(head, *args)

    def get_environ(self) -> dict[str, Any]:
        """What the application is told of a request, whose body must arrive in time."""
        environ: dict[str, Any] = super().get_environ()
        environ[KNOWN] = self._know
        environ[WEBSOCKET] = self._websocket
        if environ["wsgi.input_terminated"] or self._has_body():
            environ["wsgi.input"] = Body(self, self._own_server.receiving)
            environ["wsgi.input_terminated"] = True
            self.wsgi_input = environ["wsgi.input"]
        return environ

    def arriving(self) -> AbstractContextManager[None]:
        """In this block, a body arrives. That of a stranger makes room for others."""
        return nullcontext() if self._is_known else self._waiting()

    def run_application(self) -> None:
        """Answer, unless nobody is there any more to read what was asked for."""
        if self.command in LOOKING and has_left(self.socket):
            self.close_connection = True
            return
        super().run_application()

    def _waiting(self) -> AbstractContextManager[None]:
        waiting: AbstractContextManager[None] = self._own_server.idling.waiting(
            self.socket, is_known=self._is_known
        )
        return waiting

    @contextmanager
    def _websocket(self, is_let_in: Callable[[], bool]) -> Iterator[Callable[[], None]]:
        """In this block, the connection is a WebSocket; after it, there is no further request."""
        self.close_connection = True
        waiting = self._own_server.idling.waiting
        with waiting(self.socket, is_known=False, is_let_in=is_let_in):
            yield partial(hang_up, self.socket)

    def _know(self) -> None:
        self._is_known = True

    def _has_body(self) -> bool:
        """Whether what wants to be a WebSocket has a body; none has."""
        return bool(self.content_length) or "Transfer-Encoding" in self.headers


class Server(WSGIServer):
    """gevent's server without Nagle's algorithm, and with connections that send everything.

    With that algorithm, each answer on a kept connection waits 40 ms for the client's delayed
    acknowledgement.
    """

    handler_class = Handler

    max_accept = 16
    """Connections that are accepted before those that are open get their turn. With gevent's 100, a
    client who opens and drops thousands makes each request of a camera wait for seconds; with 1, a
    new connection waits for seconds in an overload."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.receiving = Receiving()
        self.idling = Idling(self.pool)

    def handle(self, client_socket: Any, address: Any) -> None:
        client_socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = whole(client_socket)
        connection.settimeout(IDLE_SECONDS)
        self.idling.make_room()
        super().handle(connection, address)

    def wrap_socket_and_handle(self, client_socket: Any, address: Any) -> None:
        """Begin TLS; gevent would log a traceback of each client that fails to, and wait for ever
        for one that does not try."""
        server: Any = self  # gevent's types do not know what it sets of its arguments
        options = server.ssl_args | {"do_handshake_on_connect": False}
        self.idling.make_room()
        with ExitStack() as stack:
            try:
                secured = stack.enter_context(closing(server.wrap_socket(client_socket, **options)))
                with Timeout(HANDSHAKE_SECONDS), self.idling.waiting(secured, is_known=False):
                    secured.do_handshake()
            except (OSError, Timeout) as error:
                log.info("no TLS with %s: %s", address[0], error)
                client_socket.close()
                return
            self.handle(secured, address)


def serve(app: Flask, on_ready: Callable[[str], None]) -> int:
    """Serve until SIGINT or SIGTERM, then finish the accepted requests and return.

    Args:
        on_ready: called with the server's URL once it listens.

    Returns:
        number of the signal.

    Raises:
        ConfigError: the TLS certificate or its key is wrong.
        ListenError: the server cannot listen on the address.
    """
    parts: Service = app.extensions[EXTENSION]
    settings = parts.tracker.settings
    requests = Requests(app.wsgi_app)
    tls = tls_context(settings)
    listener = _listen(settings.host, settings.port)
    # gevent would take an `ssl_context` of None for one.
    options: dict[str, Any] = {"ssl_context": tls} if tls else {}
    connections = Pool(possible_connections(settings.max_connections, settings.max_clients))
    server = Server(listener, requests, spawn=connections, log=None, error_log=log, **options)
    stop, signals = Event(), SimpleQueue[int]()

    def end(number: int) -> None:
        signals.put(number)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        gevent.signal_handler(number, end, int(number))
    parts.admission.start(after=parts.connections.drop_invalid)
    parts.live.start()
    server.start()
    scheme = "https" if tls else "http"
    on_ready(f"{scheme}://{_printable_host(settings.host)}:{listener.getsockname()[1]}")
    stop.wait()
    log.info("stopping: finishing accepted requests")
    server.close()
    gevent.spawn_later(UNFINISHED_SECONDS, server.receiving.stop)
    if not requests.wait_until_idle(FINISH_SECONDS):
        log.error("stopped after %s s with requests still unanswered", FINISH_SECONDS)
    server.stop(CLOSE_SECONDS)
    parts.close()
    return signals.get()


def _listen(host: str, port: int) -> Any:
    try:
        family, address = resolve(host, port)
        return Server.get_listener(address, backlog=BACKLOG, family=family)
    except OSError as error:
        where = f"{_printable_host(host)}:{port}"
        if error.errno == errno.EADDRINUSE:
            raise ListenError(
                f"{where} is in use by another program: stop it, or choose another --port"
            ) from error
        raise ListenError(f"cannot listen on {where}: {error}") from error


def _printable_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host
