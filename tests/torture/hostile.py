"""Clients that are slow, silent or gone: each kind is a coroutine for a process of its own."""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

from tests.torture.apart import Emit
from tests.torture.listeners import Listener

HEAD = b"POST /api/detections HTTP/1.1\r\nHost: localhost\r\n"
BODY_BYTES = 20_000
WITH_BODY = HEAD + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n{" % BODY_BYTES
WHOLE = b"GET /api/alerts?limit=100 HTTP/1.1\r\nHost: localhost\r\n\r\n"
STAGES = (b"", HEAD, WITH_BODY, WHOLE)
"""What a client has sent when it drops its connection: nothing, a part of the head, a part of the
body, or a request whose answer it does not read."""

ELSEWHERE = "127.0.0.2"
"""The address that they come from, whose requests are counted apart from those of cameras."""

AT_ONCE = 50
"""Connections that are opened at the same time."""

SMALL_BUFFER = 4096
"""Bytes that the system keeps for a client that does not read."""


@dataclass
class Told:
    """What one kind of hostile client has to tell in the end.

    Attributes:
        numbers: how often something happened.
        seqs: the alerts that each client heard which listens.
    """

    numbers: Counter[str] = field(default_factory=Counter)
    seqs: list[list[int]] = field(default_factory=list)


async def drip(port: int, count: int, emit: Emit[Told], stopping: asyncio.Event) -> None:
    """So many connections send a byte a second, half of them of a head, half of a body, and come
    again when they are cut off."""
    told = Told()

    async def one(number: int) -> None:
        while not stopping.is_set():
            with suppress(OSError):
                _, writer = await _connect(port)
                told.numbers["opened"] += 1
                await _drip((HEAD, WITH_BODY)[number % 2], writer, stopping)
                told.numbers["cut off"] += not stopping.is_set()

    await asyncio.gather(*(one(number) for number in range(count)))
    emit(told)


async def _connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port, local_addr=(ELSEWHERE, 0))


async def _drip(begun: bytes, writer: asyncio.StreamWriter, stopping: asyncio.Event) -> None:
    writer.write(begun)
    try:
        while not stopping.is_set() and not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(stopping.wait(), 1)
    finally:
        writer.close()


async def crowd(
    port: int, count: int, silent: int, emit: Emit[Told], stopping: asyncio.Event
) -> None:
    """So many operators, of whom some never read. The others must hear every alert in order."""
    told = Told()
    free = asyncio.Semaphore(AT_ONCE)
    listeners: list[Listener] = []
    listening: list[asyncio.Task[None]] = []

    async def join(number: int) -> None:
        reads = number >= silent
        async with free:
            try:
                made = await Listener.connect(port, f"{number}", None, 0 if reads else SMALL_BUFFER)
            except (OSError, asyncio.IncompleteReadError) as error:
                told.numbers[f"refused: {error}"] += 1
                return
        listeners.append(made)
        told.numbers["connected"] += 1
        if reads:
            listening.append(asyncio.create_task(made.listen()))
        else:
            made.stop_reading()

    await asyncio.gather(*(join(number) for number in range(count)))
    await stopping.wait()
    told.numbers["cut off although they read"] = sum(task.done() for task in listening)
    told.seqs = [one.heard.seqs for one in listeners if int(one.heard.name) >= silent]
    for one in listeners:
        one.leave()
    await asyncio.gather(*listening)
    emit(told)


async def half_open(port: int, count: int, emit: Emit[Told], stopping: asyncio.Event) -> None:
    """Clients that were lost without a word, in equal parts operators, cameras between two
    requests, and cameras in the middle of one: they say nothing more, not even to a ping."""
    told = Told()
    open_: list[asyncio.StreamWriter | Listener] = []
    for number in range(count):
        if number % 3 == 0:
            lost = await Listener.connect(port, "lost", None, SMALL_BUFFER)
            lost.stop_reading()
            open_.append(lost)
            continue
        reader, writer = await _connect(port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await reader.readuntil(b"}")
        if number % 3 == 2:
            writer.write(WITH_BODY)
        open_.append(writer)
    told.numbers["opened"] = len(open_)
    await stopping.wait()
    for one in open_:
        one.drop() if isinstance(one, Listener) else one.close()
    emit(told)


async def churn(port: int, count: int, emit: Emit[Told], stopping: asyncio.Event) -> None:
    """So many connections are opened, and dropped at each stage, in order or with a reset."""
    told = Told()
    numbers = itertools.count()

    async def drop_many() -> None:
        while next(numbers) < count and not stopping.is_set():
            number = told.numbers["dropped"]
            told.numbers["dropped"] += 1
            await _drop(port, STAGES[number % 4], reset=number // 4 % 2 == 0)

    await asyncio.gather(*(drop_many() for _ in range(AT_ONCE)))
    emit(told)


async def _drop(port: int, begun: bytes, reset: bool) -> None:
    loop = asyncio.get_running_loop()
    with socket.socket() as own:
        own.setblocking(False)
        own.bind((ELSEWHERE, 0))
        await loop.sock_connect(own, ("127.0.0.1", port))
        if reset:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if begun:
            await loop.sock_sendall(own, begun)
            await asyncio.sleep(0.01)  # so that the server has read some of it
