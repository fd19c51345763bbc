"""Posts faces over kept connections, as many cameras do, from a process of its own.

The client shares the cores with the server: bodies are made before the clock starts, and a
connection is a thread with a plain socket.
"""

from __future__ import annotations

import itertools
import multiprocessing
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

BOUNDARY = "face"


@dataclass(frozen=True)
class Load:
    """What a burst of posts showed; latencies in seconds."""

    faces: int
    seconds: float
    latencies: list[float]
    messages: dict[str, int]


def post_faces(
    port: int, crops: Sequence[bytes], connections: int, seconds: float, key: str | None = None
) -> Load:
    """Post crops for so long, with a camera's key where the server asks for one."""
    here, there = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_work, args=(there, port, crops, connections, seconds, key))
    process.start()
    load: Load = here.recv()
    process.join()
    return load


def _work(
    pipe, port: int, crops: Sequence[bytes], connections: int, seconds: float, key: str | None
) -> None:
    requests = [_request(crop, number, key) for number, crop in enumerate(crops)]
    turns = itertools.cycle(requests)
    latencies: list[float] = []
    messages: dict[str, int] = {}
    began = time.perf_counter()

    def camera() -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            reader = connection.makefile("rb")
            while time.perf_counter() - began < seconds:
                sent = time.perf_counter()
                connection.sendall(next(turns))
                answer, closed = _answer(reader)
                latencies.append(time.perf_counter() - sent)
                message = answer.split(b'"message":')[-1].split(b'"')[1].decode()
                messages[message] = messages.get(message, 0) + 1
                if closed:
                    return

    def cameras() -> None:
        while time.perf_counter() - began < seconds:
            camera()

    threads = [threading.Thread(target=cameras) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pipe.send(Load(len(latencies), time.perf_counter() - began, latencies, messages))


def _request(crop: bytes, number: int, key: str | None) -> bytes:
    fields = {"camera_id": f"camera-{number % 32}", "camera_location": "hall"}
    body = b"".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    )
    body += (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="face.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    ).encode()
    body += crop + f"\r\n--{BOUNDARY}--\r\n".encode()
    authorization = f"Authorization: Bearer {key}\r\n" if key else ""
    head = (
        f"POST /face_upload HTTP/1.1\r\nHost: localhost\r\n{authorization}"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _answer(reader) -> tuple[bytes, bool]:
    """The body, and whether the server closes the connection."""
    status = reader.readline()
    if not status.startswith(b"HTTP/1.") or b" 200 " not in status:
        raise SystemExit(f"the server answered {status!r}")
    closed, length = status.startswith(b"HTTP/1.0"), 0
    while (line := reader.readline().strip().lower()) != b"":
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
        if line == b"connection: close":
            closed = True
    return reader.read(length), closed
