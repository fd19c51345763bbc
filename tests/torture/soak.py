"""Everything at once for an hour at 60% of capacity: does anything grow?

    python -m tests.torture.soak [--minutes 60] [--capacity 0.6]

Cameras send faces of enrolled people and of strangers, as many as the server was measured to carry
beside this very load generator, times `--capacity`. Meanwhile people are enrolled, edited, removed
and left to expire, alerts are looked up and reviewed, and operators come and go, some of which
catch up from the beginning. What is kept is kept for minutes, and purged every minute.

Every 10 s it reads memory, latency, descriptors, threads, and the sizes of database, write-ahead
log and log. After a warm-up, each must be level: the slope's 95% interval must not lie above a
bound, a share of the value in an hour:

- 1% of the memory: 3 MB, after which a server that runs for a year would be restarted once.
- 2% of the CPU time an answer takes, and 10% of the latency: what people notice is far above.
- 2 threads and 6 descriptors, for pools start some of their threads late. Whatever leaks would leak
  at least with each operator who comes and goes, 180 times in an hour.
- 2% of the database without the ids of handled events, which are kept for 7 days.

Other programs on the machine change latencies. So that they do not decide, the slope of latency is
that which is left beside the CPU time that others used, and CPU time an answer is watched, too.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import re
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tests.torture.apart import Apart, Emit
from tests.torture.arrivals import Answer, Source
from tests.torture.capacity import cameras, capacity
from tests.torture.checks import check_traces
from tests.torture.desk import Desk
from tests.torture.figures import Figures, milliseconds
from tests.torture.listeners import Heard, Listener, broadcast_all
from tests.torture.people import enroll_both, strangers
from tests.torture.processes import socket_count
from tests.torture.samples import judge, sample
from tests.torture.site import Site, memory_folder
from tests.waiting import wait_until

CAMERAS = 37
"""Each of them sees the same 20 people again and again. With so many, people are away for longer
than `passage_seconds`, so passages end, as they do at a site. It has no factor in common with 20:
one connection that sends for all of them shows everyone to each."""

CAPACITY_SECONDS = 30
"""In which the capacity is measured. Passages begin to end after 4 of them."""

KEEP_SECONDS = 240
"""How long records are kept."""

KNOWN_LINES = (
    "susracker listens on ",
    "store sqlite:",
    "kept without a limit of days: ",
    " INFO susracker.retention.purge: forgot what was kept for long enough: ",
    " INFO susracker.retention.purge: removed ",
    " INFO susracker.server.post_log: ",
    " WARNING susracker.server.post_log: refused posts left out of the log: ",
    " INFO susracker.tracking.tracker: someone was removed while being recognised",
)
"""Beginnings of the log's lines, after the time, that need no explanation."""

BUSY_LINE = ": 503, too many detections are waiting; try again"
"""The end of a line about an answer that is counted among those with 503."""


@dataclass(frozen=True)
class Load:
    """How much is done at once.

    Attributes:
        per_second: detections.
        cameras: that send these in turn.
        pause: seconds between two requests of the desk.
        stay: seconds that an operator stays who comes and goes.
        sample: seconds between two samples.
        purge: seconds between two purges.
    """

    per_second: float
    cameras: int = CAMERAS
    pause: float = 0.5
    stay: float = 20.0
    sample: float = 10.0
    purge: float = 60.0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--capacity", type=float, default=0.6, help="share that is used")
    options = parser.parse_args()
    figures = Figures(f"Soak, {options.minutes:g} minutes at {options.capacity:.0%} of capacity")
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder, site(Path(folder)) as server:
        carried = capacity(server, CAPACITY_SECONDS, ids=CAMERAS)
        figures.note("capacity", f"{carried:.1f} detections/s")
        soak(server, figures, options.minutes * 60, Load(carried * options.capacity))
    figures.exit()


@contextmanager
def site(folder: Path) -> Iterator[Site]:
    """A server that keeps what it stores for minutes."""
    days = str(KEEP_SECONDS / 86_400)
    kept = ("alerts", "sightings", "judgements", "expired", "audit")
    flags = [text for kind in kept for text in (f"--keep-{kind}-days", days)]
    flags += ["--keep-faces-days", str(KEEP_SECONDS / 2 / 86_400)]
    server = Site(folder, *flags)
    enroll_both(server.store_url)
    with server:
        yield server


def soak(server: Site, figures: Figures, seconds: float, load: Load) -> None:
    """Run everything at once, and judge what grew."""
    sockets = socket_count(server.pid)
    each = load.per_second / load.cameras
    sources = [Source(f"camera-{number}", each) for number in range(load.cameras)]
    with ExitStack() as stack:
        operators = stack.enter_context(
            Apart[Heard](functools.partial(come_and_go, server.port, load.stay))
        )
        desk = Desk(server.url, load.pause)
        desk.start()
        stack.callback(desk.stop)
        purges = stack.enter_context(purging(server, load.purge))
        traffic = stack.enter_context(cameras(server, sources))
        samples = sample(server, traffic, [operators.pid], seconds, load.sample)
        traffic.stop()
        server_seqs = broadcast_all(server)
    answered(figures, traffic.results, load)
    worked(figures, desk, purges)
    heard(figures, operators.results, traffic.results, server_seqs)
    judge(figures, samples)
    log_lines(figures, server)
    back = wait_until(lambda: socket_count(server.pid) <= sockets, 30)
    left = f"{socket_count(server.pid)}, and {sockets} before the first one came"
    figures.promise("sockets after the last client left", left, back)
    status = server.stop()
    figures.promise("exit status when it is asked to stop", status, status == 0)
    check_traces(server.folder, strangers(), figures)


@contextmanager
def purging(server: Site, seconds: float) -> Iterator[list[int]]:
    """Purge every so many seconds, as an admin does by hand: the server itself does it hourly.
    Yields the exit statuses."""
    statuses: list[int] = []
    stopping = threading.Event()
    purge = [sys.executable, "-m", "susracker", "purge", "--yes", "--store", server.store_url]
    command = [*purge, *server.flags]

    def run() -> None:
        while not stopping.wait(seconds):
            done = subprocess.run(
                [*command, *server.flags], env=server.environment(), capture_output=True
            )
            statuses.append(done.returncode)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield statuses
    stopping.set()
    thread.join()


async def come_and_go(port: int, stay: float, emit: Emit[Heard], stopping: asyncio.Event) -> None:
    """Two operators who stay, and others who come one after the other: with no `last_seq`, from
    the beginning, or from where the stayers are. They leave in order or break off, by turns."""
    stayers = [await Listener.connect(port, f"stayer {number}") for number in range(2)]
    listening = [asyncio.create_task(one.listen()) for one in stayers]
    number = 0
    while not stopping.is_set():
        last = max(stayers[0].heard.seqs, default=0)
        guest = await Listener.connect(port, f"guest {number}", (None, 0, last)[number % 3])
        guest.heard.since = max(stayers[0].heard.seqs, default=0)
        listens = asyncio.create_task(guest.listen())
        with_time = asyncio.wait_for(stopping.wait(), stay)
        await asyncio.gather(with_time, return_exceptions=True)
        emit(guest.heard)
        guest.leave() if number % 2 else guest.drop()
        await listens
        number += 1
    for stayer, task in zip(stayers, listening, strict=True):
        await stayer.hear_the_rest()
        emit(stayer.heard)
        stayer.leave()
        await task


def answered(figures: Figures, answers: Sequence[Answer], load: Load) -> None:
    """What cameras were answered."""
    statuses = Counter(one.status for one in answers)
    wrong = [one for one in answers if one.status not in (200, 503)]
    figures.note("detections", f"{load.per_second:.1f}/s, {len(answers)} in all")
    figures.note("latency", milliseconds(one.seconds for one in answers if one.status == 200))
    figures.note("answers with 503, all with Retry-After", statuses[503])
    figures.promise(
        "other answers", Counter(one.words for one in wrong).most_common(3) or 0, not wrong
    )


def worked(figures: Figures, desk: Desk, purges: Sequence[int]) -> None:
    """What was done over HTTP, and purged."""
    figures.note("done over HTTP", ", ".join(f"{n} x {name}" for name, n in desk.done.items()))
    figures.note("latency of these", milliseconds(took for _, took in desk.answers))
    figures.note("of these answered with 503", desk.refused)
    figures.promise("what went wrong there", desk.other[:3] or 0, not desk.other)
    failed = [status for status in purges if status]
    figures.promise("purges that failed", f"{len(failed)} of {len(purges)}", not failed)


def heard(
    figures: Figures, heard: Sequence[Heard], answers: Sequence[Answer], last_seq: int
) -> None:
    """Whether each operator heard each alert once, and in order."""
    stayers = [one for one in heard if one.name.startswith("stayer")]
    told = {seq for one in answers for seq in one.seqs}
    missed = [told - set(one.seqs) for one in stayers]
    figures.note("alerts", f"{len(told)} were answered, the last one of all has seq {last_seq}")
    figures.promise(
        "alerts that an operator missed who stayed", [len(one) for one in missed], not any(missed)
    )
    everything = set(stayers[0].seqs)
    figures.note("operators who came and went", len(heard) - len(stayers))
    wrong = [words for one in heard if (words := _wrong(one, everything))]
    name = "operators with an alert twice, out of order, or missing"
    figures.promise(name, wrong[:3] or 0, not wrong)
    ended = [f"{one.name}: {one.ended}" for one in heard if one.ended]
    figures.promise("operators whom the server cut off", ended[:3] or 0, not ended)


def log_lines(figures: Figures, server: Site) -> None:
    """Each kind of line in the log."""
    lines = server.log_text().splitlines()
    kinds = Counter(re.sub(r"[0-9a-f]{32}|\d+", "N", line) for line in lines)
    shown = [f"{count} x {kind[:100]}" for kind, count in kinds.most_common(6)]
    figures.note("log, kinds of lines", "; ".join(shown))
    strange = [
        line
        for line in lines
        if not any(known in line for known in KNOWN_LINES) and not line.endswith(BUSY_LINE)
    ]
    figures.promise("lines of the log that nobody expects", strange[:3] or 0, not strange)


def _wrong(one: Heard, everything: set[int]) -> str:
    """What an operator heard twice, in another order, or not at all although it was there."""
    steps = [f"{a} then {b}" for a, b in pairwise(one.seqs) if a >= b]
    # Who asks for nothing of before begins with the first alert that comes.
    since = max(one.since, one.seqs[0]) if one.seqs and one.asked is None else one.since
    last = max(one.seqs, default=0)
    missed = {seq for seq in everything if since < seq <= last} - set(one.seqs)
    return f"{one.name}: {steps[:3]}, missed {sorted(missed)[:9]}" if steps or missed else ""


if __name__ == "__main__":
    main()
