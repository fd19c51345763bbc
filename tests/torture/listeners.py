"""Operators as cheap Socket.IO clients: plain WebSockets that look at nothing but an event's name
and `seq`, so that one process can be a thousand of them."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import socket
import time
from dataclasses import dataclass, field

from tests.torture.apart import Emit
from tests.torture.site import Site
from tests.waiting import wait_until

OPENED, PING, CONNECTED, NEW_ALERT = b"0", b"2", b"40", b'42["new_alert"'
PONG = b"3"
SEQ = re.compile(rb'"seq":(\d+)')
BROADCAST = re.compile(r"^susracker_broadcast_alert_seq (\S+)$", re.MULTILINE)
TEXT, CLOSE, WS_PING, WS_PONG = 1, 8, 9, 10
FINAL, MASKED = 0x80, 0x80
NO_MASK = bytes(4)
"""Masks with zeros leave what they mask as it is, and the protocol allows them."""


QUIET_SECONDS = 0.5


@dataclass
class Heard:
    """What one operator heard.

    Attributes:
        asked: its `last_seq`.
        since: an alert before all those that came while it was there.
        seqs: of the alerts, in the order in which they came.
        moments: of `time.monotonic`, when they came.
        ended: why it heard no more, or nothing if it left by itself.
    """

    name: str
    asked: int | None = None
    since: int = 0
    seqs: list[int] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)
    ended: str = ""


class Listener:
    """A connected operator.

    Attributes:
        heard: what it has heard so far.
    """

    def __init__(
        self, heard: Heard, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.heard = heard
        self._reader, self._writer = reader, writer

    @classmethod
    async def connect(
        cls, port: int, name: str, last_seq: int | None = None, buffer: int = 0
    ) -> Listener:
        """Connect an operator.

        Args:
            buffer: bytes that the system keeps for it, where it reads nothing; 0 is its default.

        Raises:
            ConnectionError: the server refused it.
        """
        own = socket.socket()
        if buffer:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        own.setblocking(False)
        await asyncio.get_running_loop().sock_connect(own, ("127.0.0.1", port))
        reader, writer = await asyncio.open_connection(sock=own)
        made = cls(Heard(name, last_seq), reader, writer)
        await made._shake_hands()
        return made

    async def listen(self) -> None:
        """Read until the connection ends."""
        try:
            while True:
                await self._next()
        except (OSError, asyncio.IncompleteReadError) as error:
            self.heard.ended = repr(error)

    async def hear_the_rest(self) -> None:
        """Return when nothing has come for a moment."""
        count = -1
        while count < len(self.heard.seqs):
            count = len(self.heard.seqs)
            await asyncio.sleep(QUIET_SECONDS)

    def stop_reading(self) -> None:
        """Take nothing more of what is sent to it, and answer no ping."""
        self._writer.transport.pause_reading()  # type: ignore[attr-defined]

    def leave(self) -> None:
        """Close the connection in order, as a page does that is closed."""
        self._send(CLOSE, b"")
        self._writer.close()

    def drop(self) -> None:
        """End the connection at once, as a machine does that crashes and is back."""
        self._writer.transport.abort()

    async def _shake_hands(self) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        self._writer.write(
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head.splitlines()[0]:
            raise ConnectionError(f"the server answered {head.splitlines()[0]!r}")
        await self._expect(OPENED)
        asked = self.heard.asked
        self._send(TEXT, CONNECTED + (b"" if asked is None else b'{"last_seq":%d}' % asked))
        await self._expect(CONNECTED)

    async def _expect(self, beginning: bytes) -> None:
        kind, payload = await self._frame()
        if kind != TEXT or not payload.startswith(beginning):
            raise ConnectionError(f"the server said {payload[:200]!r}")

    async def _next(self) -> None:
        kind, payload = await self._frame()
        if kind == CLOSE:
            raise ConnectionResetError("the server closed the connection")
        if kind == WS_PING:
            self._send(WS_PONG, payload)
        elif payload.startswith(NEW_ALERT):
            found = SEQ.search(payload)
            assert found, payload[:200]
            self.heard.seqs.append(int(found[1]))
            self.heard.moments.append(time.monotonic())
        elif payload == PING:
            self._send(TEXT, PONG)

    async def _frame(self) -> tuple[int, bytes]:
        first, length = await self._reader.readexactly(2)
        if length >= 126:
            more = await self._reader.readexactly(2 if length == 126 else 8)
            length = int.from_bytes(more, "big")
        return first & 0x0F, await self._reader.readexactly(length)

    def _send(self, kind: int, payload: bytes) -> None:
        assert len(payload) < 126
        self._writer.write(bytes([FINAL | kind, MASKED | len(payload)]) + NO_MASK + payload)


async def stay(port: int, count: int, emit: Emit[Heard], stopping: asyncio.Event) -> None:
    """So many operators, who stay until they are stopped."""
    stayers = [await Listener.connect(port, f"stayer {number}") for number in range(count)]
    listening = [asyncio.create_task(one.listen()) for one in stayers]
    await stopping.wait()
    for one in stayers:
        await one.hear_the_rest()
        emit(one.heard)
        one.leave()
    await asyncio.gather(*listening)


def broadcast_all(server: Site) -> int:
    """Wait until the server has sent every alert to those who stay; the `seq` of the last one."""
    last: int = server.get("/api/alerts", limit=1).json()["last_seq"]
    assert wait_until(lambda: _last_broadcast(server) >= last)
    return last


def _last_broadcast(server: Site) -> float:
    found = BROADCAST.search(server.get("/metrics").text)
    assert found
    return float(found[1])
