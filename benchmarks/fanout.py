"""From a camera's POST until operators have the alert, with few and with many of them connected.

    python benchmarks/fanout.py
    python benchmarks/fanout.py --operators 1 --operators 1000 --alerts 20 --json fanout.json

Each alert is a real face with its pictures. Operators are plain WebSockets that speak Socket.IO's
protocol and look at nothing but an event's name, in one process that shares the cores with the
server: clients that parse the alert would be what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from pathlib import Path

import aiohttp
import numpy as np
from galleries import FACES, real_faces, sqlite_gallery
from platformdirs import user_cache_path
from processes import susracker
from rich.console import Console
from rich.table import Table

NEW_ALERT = '42["new_alert"'
PING, PONG, CONNECT, CONNECTED = "2", "3", "40", "40"
ENROLLED = 1000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--operators", type=int, action="append", help="may be given again")
    parser.add_argument("--alerts", type=int, default=20)
    parser.add_argument("--faces", type=Path, default=FACES, help="a folder a person")
    parser.add_argument("--work", type=Path, default=user_cache_path("susracker-bench"))
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    enrolled, posted = real_faces(options.faces)
    names = {face.name for face in enrolled}
    crops = [face.crop for face in posted if face.name in names]
    store = sqlite_gallery(options.work, ENROLLED, enrolled)
    rows = []
    with susracker(store, options.work / "susracker.log") as server:
        for operators in options.operators or [1, 100, 1000]:
            url = f"http://127.0.0.1:{server.port}"
            delays = asyncio.run(measure(url, crops, operators, options.alerts))
            low, middle, high = (float(np.percentile(delays, share)) for share in (50, 95, 99))
            rows.append({"operators": operators, "p50_ms": low, "p95_ms": middle, "p99_ms": high})
    table = Table("operators", "p50 ms", "p95 ms", "p99 ms", "p95, times the first row's")
    for row in rows:
        times = (f"{row[key]:.1f}" for key in ("p50_ms", "p95_ms", "p99_ms"))
        ratio = f"{row['p95_ms'] / rows[0]['p95_ms']:.1f}x"
        table.add_row(f"{row['operators']:,}", *times, ratio)
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2))


async def measure(url: str, crops: list[bytes], operators: int, alerts: int) -> list[float]:
    """Milliseconds from each POST to each operator's event."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        heard: asyncio.Queue[float] = asyncio.Queue()
        sockets = [await join(session, url) for _ in range(operators)]
        listeners = [asyncio.create_task(listen(one, heard)) for one in sockets]
        # Once for all: a photo that is too unlike the enrolled one is missed, and raises no alert.
        found = [crop for crop in crops if await raises_alert(session, url, crop)]
        for _ in range(len(found) * operators):
            await heard.get()
        delays: list[float] = []
        for number in range(alerts):
            began = time.perf_counter()
            await raises_alert(session, url, found[number % len(found)])
            times = [await asyncio.wait_for(heard.get(), 30) for _ in sockets]
            delays += [1000 * (moment - began) for moment in times]
        for one in sockets:
            await one.close()
        await asyncio.gather(*listeners)
    return delays


async def join(session: aiohttp.ClientSession, url: str) -> aiohttp.ClientWebSocketResponse:
    """A connected operator."""
    socket = await session.ws_connect(f"{url}/socket.io/?EIO=4&transport=websocket")
    await socket.receive_str()
    await socket.send_str(CONNECT)
    if not (await socket.receive_str()).startswith(CONNECTED):
        raise SystemExit("the server refused an operator")
    return socket


async def listen(socket: aiohttp.ClientWebSocketResponse, heard: asyncio.Queue[float]) -> None:
    async for message in socket:
        if message.data == PING:
            await socket.send_str(PONG)
        elif message.data.startswith(NEW_ALERT):
            heard.put_nowait(time.perf_counter())


async def raises_alert(session: aiohttp.ClientSession, url: str, crop: bytes) -> bool:
    """Post a face as from a camera of its own, where no cooldown holds it back."""
    form = aiohttp.FormData({"camera_id": f"camera-{time.time_ns()}", "camera_location": "hall"})
    form.add_field("file", crop, filename="face.jpg", content_type="image/jpeg")
    async with session.post(f"{url}/face_upload", data=form) as answer:
        message: str = (await answer.json())["message"]
        return message == "Match found"


if __name__ == "__main__":
    main()
