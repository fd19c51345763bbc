"""Cameras whose events arrive at a fixed rate, whatever the answers: an open loop.

A camera that waits for an answer before it sends the next event sends less where the server is
slow, and so hides how slow it is. Here a latency runs from the moment at which an event was due.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import time
import zlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from tests.torture.apart import Emit

MAX_CONNECTIONS = 1500
"""Of all cameras together; further events wait for one, which is part of their latency."""

MAX_IDLE = 4
"""Connections that a camera keeps for later events; more are closed after a burst."""

BROKEN = 0
"""The status of an event whose connection broke."""

SMALL_STEP = 0.2
"""Seconds: longest sleep of a camera, so that it ends soon when it is told to."""


@dataclass(frozen=True)
class Source:
    """A camera.

    Attributes:
        per_second: events that are due in a second; 0 is as many as `connections` carry, each
            waiting for its answers.
        connections: only where `per_second` is 0.
        ids: how many cameras it sends as, in turn.
    """

    name: str
    per_second: float = 0.0
    connections: int = 1
    ids: int = 1


@dataclass(frozen=True)
class Answer:
    """What became of one event.

    Attributes:
        due: moment of `time.monotonic` at which it was to be sent.
        seconds: from then to the answer.
        late: seconds of these until it was sent, which are the load generator's own.
        status: of HTTP, or `BROKEN`.
        retry_after: the header of that name.
        seqs: of the alerts that the answer tells of.
        words: the message, or the error.
    """

    camera: str
    due: float
    seconds: float
    late: float
    status: int
    retry_after: str | None
    seqs: tuple[int, ...]
    words: str

    @property
    def at(self) -> float:
        """The moment of the answer."""
        return self.due + self.seconds


async def send_all(
    port: int,
    pictures: Sequence[bytes],
    sources: Sequence[Source],
    emit: Emit[Answer],
    stopping: asyncio.Event,
) -> None:
    """Send until stopped, then wait for the answers."""
    images = [base64.b64encode(one).decode() for one in pictures]
    free = asyncio.Semaphore(MAX_CONNECTIONS)
    cameras = [_Camera(port, images, one, free, emit) for one in sources]
    await asyncio.gather(*(one.run(stopping) for one in cameras))


class _Camera:
    def __init__(
        self,
        port: int,
        images: Sequence[str],
        source: Source,
        free: asyncio.Semaphore,
        emit: Emit[Answer],
    ) -> None:
        self._port = port
        self._source = source
        # Not all cameras see the same person first.
        self._images = itertools.cycle(images)
        for _ in range(sum(source.name.encode()) % len(images)):
            next(self._images)
        self._names = itertools.cycle([source.name, *_names(source)])
        self._numbers = itertools.count()
        self._run = f"{time.time():.0f}"
        self._free = free
        self._emit = emit
        self._idle: deque[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = deque()

    async def run(self, stopping: asyncio.Event) -> None:
        if self._source.per_second:
            await self._open_loop(stopping)
        else:
            await asyncio.gather(
                *(self._closed_loop(stopping) for _ in range(self._source.connections))
            )
        for _, writer in self._idle:
            writer.close()

    async def _closed_loop(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            await self._send(time.monotonic())

    async def _open_loop(self, stopping: asyncio.Event) -> None:
        # Cameras do not all see someone in the same moment.
        share = zlib.crc32(self._source.name.encode()) / 2**32
        due = time.monotonic() + share / self._source.per_second
        sending: set[asyncio.Task[None]] = set()
        while not stopping.is_set():
            while (early := due - time.monotonic()) > 0 and not stopping.is_set():
                await asyncio.sleep(min(early, SMALL_STEP))
            task = asyncio.create_task(self._send(due))
            sending.add(task)
            task.add_done_callback(sending.discard)
            due += 1 / self._source.per_second
            await asyncio.sleep(0)
        await asyncio.gather(*sending)

    async def _send(self, due: float) -> None:
        async with self._free:
            late = time.monotonic() - due
            try:
                status, retry_after, body = await self._exchange()
            except (OSError, asyncio.IncompleteReadError, ValueError) as error:
                status, retry_after, body = BROKEN, None, {"error": repr(error)}
        matches = body.get("matches") or ()
        self._emit(
            Answer(
                camera=self._source.name,
                due=due,
                seconds=time.monotonic() - due,
                late=late,
                status=status,
                retry_after=retry_after,
                seqs=tuple(one["seq"] for one in matches),
                words=body.get("message") or body.get("error") or "",
            )
        )

    async def _exchange(self) -> tuple[int, str | None, dict[str, object]]:
        reader, writer = await self._connection()
        try:
            writer.write(self._request())
            answer = await _answer(reader)
        except BaseException:
            writer.close()
            raise
        if len(self._idle) < MAX_IDLE:
            self._idle.append((reader, writer))
        else:
            writer.close()
        return answer

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof():  # the server closes what was idle for long
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self._port)

    def _request(self) -> bytes:
        name = next(self._names)
        body = (
            f'{{"camera_id":"{name}","camera_location":"Main gate","event_type":"face",'
            f'"event_id":"{self._run}-{next(self._numbers)}",'
            f'"timestamp":"{datetime.now(timezone.utc).isoformat()}",'
            f'"image":"{next(self._images)}"}}'
        )
        return (
            "POST /api/detections HTTP/1.1\r\nHost: localhost\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()


def _names(source: Source) -> list[str]:
    """The ids that it sends as besides its name."""
    return [f"{source.name}-{number}" for number in range(1, source.ids)]


async def _answer(reader: asyncio.StreamReader) -> tuple[int, str | None, dict[str, object]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()
    fields = {key.lower(): value.strip() for key, _, value in (x.partition(":") for x in head[1:])}
    content = await reader.readexactly(int(fields.get("content-length", 0)))
    return int(head[0].split()[1]), fields.get("retry-after"), json.loads(content)
