"""Whether every event arrives once, and in order, at a server that is killed again and again.

    python benchmarks/delivery.py
    python benchmarks/delivery.py --events 200 --kills 2 --json delivery.json

Cameras send activities while the server is killed with SIGKILL and started again. What is stored is
then compared with what was sent.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

from susracker.client import Camera
from susracker.plugins import open_store

BEGAN = datetime(2026, 1, 1, tzinfo=timezone.utc)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=2000, help="of all cameras together")
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = deliver(Path(folder), options)
    print(json.dumps(found, indent=2))
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))
    wrong = found["missing"] + found["stored_twice"] + found["out_of_order"]
    raise SystemExit(1 if wrong else 0)


def deliver(folder: Path, options: argparse.Namespace) -> dict[str, float]:
    """Send all, kill the server meanwhile, and count what is stored."""
    store, port = f"sqlite:///{folder / 'site.db'}", _free_port()
    each = options.events // options.cameras
    cameras = [
        Camera(f"http://127.0.0.1:{port}", f"camera-{number}", "hall", spool=folder / "spool")
        for number in range(options.cameras)
    ]
    server = _serve(store, port)
    began = time.perf_counter()
    for number in range(each):
        for camera in cameras:
            camera.send_activity(f"kind {number}", BEGAN + timedelta(seconds=number))
    for kill in range(1, options.kills + 1):
        due = kill * each * len(cameras) // (options.kills + 1)
        while sum(camera.counts.sent for camera in cameras) < due:
            time.sleep(0.002)
        time.sleep(random.uniform(0, 0.05))
        server.send_signal(signal.SIGKILL)
        server.wait()
        server = _serve(store, port)
    for camera in cameras:
        camera.flush()
        camera.close()
    seconds = time.perf_counter() - began
    server.terminate()
    server.wait()
    return {"seconds": seconds, "kills": options.kills} | _compare(store, options.cameras, each)


def _compare(store: str, cameras: int, each: int) -> dict[str, int]:
    with open_store(store) as opened:
        alerts = opened.alerts(limit=100 * cameras * each)
    missing = twice = out_of_order = 0
    for number in range(cameras):
        stored = [
            int(one.event_type.split()[1]) for one in alerts if one.camera_id == f"camera-{number}"
        ]
        missing += len(set(range(each)) - set(stored))
        twice += len(stored) - len(set(stored))
        out_of_order += sum(b < a for a, b in itertools.pairwise(stored))
    return {
        "sent": cameras * each,
        "stored": len(alerts),
        "missing": missing,
        "stored_twice": twice,
        "out_of_order": out_of_order,
    }


def _serve(store: str, port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "susracker", "serve", "--store", store, "--port", str(port)]
    command += ["--cooldown-seconds", "0", "--log-level", "error"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    main()
