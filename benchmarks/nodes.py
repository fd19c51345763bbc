"""From a camera's POST at one server until an operator of another server on the same store hears of
it, with Redis and without, in turns.

    python benchmarks/nodes.py [--alerts 200]

Each alert is an activity, without a picture. Needs redis-server.
"""

from __future__ import annotations

import argparse
import queue
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import requests
import socketio
from processes import free_port
from rich.console import Console
from rich.table import Table

from susracker.demo.process import ServerProcess

ROUNDS = 4


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--alerts", type=int, default=200, help="with Redis, and without")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        redis_url = stack.enter_context(redis(Path(folder)))
        pairs = {
            "with Redis": stack.enter_context(pair(Path(folder) / "with.db", redis_url)),
            "without": stack.enter_context(pair(Path(folder) / "without.db", "memory")),
        }
        delays: dict[str, list[float]] = {name: [] for name in pairs}
        for number in range(ROUNDS):
            for name, (here, there) in pairs.items():
                begin = number * options.alerts // ROUNDS
                numbers = range(begin, (number + 1) * options.alerts // ROUNDS)
                delays[name] += measure(here, there, numbers)
    table = Table("two servers", "alerts", "p50 ms", "p95 ms", "p99 ms")
    for name, measured in delays.items():
        shares = (f"{np.percentile(measured, share):.1f}" for share in (50, 95, 99))
        table.add_row(name, str(len(measured)), *shares)
    Console().print(table)


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """A Redis; its URL."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=folder)
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()


@contextmanager
def pair(file: Path, cooldown: str) -> Iterator[tuple[ServerProcess, ServerProcess]]:
    """Two servers on one store."""
    flags = ("--store", f"sqlite:///{file}", "--cooldown", cooldown, "--log-level", "error")
    with ServerProcess(*flags) as here, ServerProcess(*flags) as there:
        yield here, there


def measure(here: ServerProcess, there: ServerProcess, numbers: range) -> list[float]:
    """Milliseconds from each POST at one server to the event of the other."""
    heard: queue.Queue[tuple[str, float]] = queue.Queue()
    operator = socketio.Client(reconnection=False)
    operator.on("new_alert", lambda event: heard.put((event["camera_id"], time.perf_counter())))
    operator.connect(there.url)
    delays = []
    with requests.Session() as session:
        for number in numbers:
            alert = {"event_type": "violence", "camera_id": f"cam-{number}"}
            began = time.perf_counter()
            session.post(f"{here.url}/activity_alert", json=alert, timeout=30).raise_for_status()
            camera, moment = heard.get(timeout=30)
            if camera != alert["camera_id"]:
                sys.exit(f"heard of {camera}, not of {alert['camera_id']}")
            delays.append(1000 * (moment - began))
    operator.disconnect()
    return delays


if __name__ == "__main__":
    main()
