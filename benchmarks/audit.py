"""What an entry of the audit log costs a look-up.

    python benchmarks/audit.py
    python benchmarks/audit.py --requests 5000 --mongodb mongodb://127.0.0.1/benchmark

It asks a server for one alert over a kept connection, which is noted each time, and it adds entries
of the same size to the same log by itself, in turns. A server cannot be told to note nothing: a
look-up without its entry takes the difference. Other programs that write to the disk slow this
down, so the quietest of the turns is shown, too. The exit status is 1 if the median entry takes
1 ms or more in SQLite.
"""

from __future__ import annotations

import argparse
import http.client
import os
import statistics
import sys
import time
import uuid
from collections.abc import Callable
from datetime import datetime, timezone
from itertools import chain
from pathlib import Path

from platformdirs import user_cache_path
from processes import ServerUnderTest, susracker

from susracker.access.audit import Act, AuditLog
from susracker.models import Alert
from susracker.plugins import open_store

LIMIT = 1e-3
"""Seconds that the median entry may take in SQLite."""

TURNS = 20

Turns = list[list[float]]
"""Seconds of each call, in each turn."""


def main() -> int:
    options = arguments()
    folder = options.work / f"audit-{uuid.uuid4().hex}"
    folder.mkdir(parents=True)
    key_file = str(folder / "audit-key.pem")
    url = f"sqlite:///{folder / 'site.db'}"
    alert_id = one_alert(url)
    flags = ("--audit-key", key_file, "--rate-limit", "100000 per second")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with susracker(url, folder / "server.log", *flags) as server:
        look_ups, entries = in_turns(server, alert_id, url, key_file, options.requests)
    show("look-up with its entry", look_ups)
    show("entry, SQLite", entries)
    difference = quietest(look_ups) - quietest(entries)
    print(f"look-up without its entry  about {difference * 1e3:.2f} ms in the quietest turn")
    if options.mongodb:
        note = noting(options.mongodb, key_file)
        show("entry, MongoDB", [timed(note, options.requests // TURNS) for _ in range(TURNS)])
    return int(statistics.median(chain.from_iterable(entries)) >= LIMIT)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--mongodb", help="URL of a database that may be written to")
    parser.add_argument("--work", type=Path, default=user_cache_path("susracker-bench"))
    return parser.parse_args()


def one_alert(url: str) -> str:
    """A new store with one alert; its id."""
    now = datetime.now(timezone.utc)
    alert = Alert(
        id=uuid.uuid4().hex,
        kind="activity",
        event_type="violence",
        camera_id="gate",
        camera_location="Main gate",
        occurred_at=now,
        received_at=now,
    )
    with open_store(url) as store:
        store.record([], [alert])
    return alert.id


def in_turns(
    server: ServerUnderTest, alert_id: str, url: str, key_file: str, count: int
) -> tuple[Turns, Turns]:
    """Look-ups and entries by turns: what else the machine does slows both down."""
    look_up, note = looking_up(server.port, alert_id), noting(url, key_file)
    look_ups: Turns = []
    entries: Turns = []
    for _ in range(TURNS):
        look_ups.append(timed(look_up, count // TURNS))
        entries.append(timed(note, count // TURNS))
    return look_ups, entries


def looking_up(port: int, alert_id: str) -> Callable[[], object]:
    """What asks for an alert over a connection that is kept."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def look_up() -> None:
        connection.request("GET", f"/api/alerts/{alert_id}")
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"the server answered {answer.status}: {body.decode()}")

    look_up()
    return look_up


def noting(url: str, key_file: str) -> Callable[[], object]:
    """What adds an entry such as a look-up's to the log of a store."""
    log = AuditLog.open(open_store(url), key_file)
    act = Act("Jo Doe (8f3a2b90c1d4)", "operator", "192.0.2.7", "alert.show", uuid.uuid4().hex)
    log.note(act)
    return lambda: log.note(act)


def timed(call: Callable[[], object], count: int) -> list[float]:
    """Seconds that each call takes."""
    seconds = []
    for _ in range(count):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return seconds


def quietest(turns: Turns) -> float:
    """The median of the turn in which it is lowest."""
    return min(map(statistics.median, turns))


def show(name: str, turns: Turns) -> None:
    """Print the median, the 95th percentile, and the median of the quietest turn."""
    seconds = list(chain.from_iterable(turns))
    median, highest = statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]
    print(
        f"{name:25}  {median * 1e3:6.2f} ms  95%: {highest * 1e3:6.2f} ms  "
        f"quietest turn: {quietest(turns) * 1e3:5.2f} ms"
    )


if __name__ == "__main__":
    sys.exit(main())
