"""What a server uses while it is under load, read again and again, and whether that grows."""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.torture.apart import Apart
from tests.torture.arrivals import Answer
from tests.torture.figures import Figures, megabytes, slope
from tests.torture.processes import (
    connection_count,
    cpu_seconds,
    descriptor_count,
    machine_cpu_seconds,
    resident_bytes,
    thread_count,
)
from tests.torture.site import Site

WARM_UP = 0.25
"""The share of the time after which everything that is kept should be there."""

FEWEST = 30
"""Samples below which no slope is judged."""

LATE_THREADS, LATE_DESCRIPTORS = 2, 6
"""How many may come in an hour: pools start their threads when they are first needed at once, each
with a connection to the store of three files. What leaks with each operator who comes and goes, the
rarest thing that happens, leaks 180 times in an hour."""

BUSY = 1.0
"""Cores that others may use in a sample whose latency is judged."""

EVENTS = ("events", "events_by_time", "sqlite_autoindex_events_1")
"""The table of handled events' ids, and its indexes."""


@dataclass(frozen=True)
class Sample:
    """What the server used at one moment, and since the moment before.

    Attributes:
        hours: since the beginning.
        memory: bytes that are resident.
        descriptors: without those of clients that are connected.
        database: bytes that are used in it.
        kept: of these, without the ids of handled events.
        median: of latencies, in seconds.
        high: their 99th percentile.
        cpu_of_one: CPU seconds of the server for each answer.
        others: cores that other programs used.
    """

    hours: float
    memory: int
    descriptors: int
    threads: int
    database: int
    kept: int
    wal: int
    log: int
    median: float
    high: float
    cpu_of_one: float
    others: float


def sample(
    server: Site, traffic: Apart[Answer], others: Sequence[int], seconds: float, every: float
) -> list[Sample]:
    """Read what the server uses now and then, for so many seconds.

    Args:
        others: processes that belong to the program, too.
        every: seconds between two samples.
    """
    began = time.monotonic()
    own = [server.pid, traffic.pid, *others]
    seen, at, cpu, busy = 0, began, cpu_seconds(server.pid), _others(own)
    samples = []
    while time.monotonic() - began < seconds:
        time.sleep(every)
        answers = traffic.results[seen:]
        now, cpu_now, busy_now = time.monotonic(), cpu_seconds(server.pid), _others(own)
        seen += len(answers)
        taken = [one.seconds for one in answers if one.status == 200]
        median, high = np.percentile(taken or [np.nan], (50, 99))
        database, kept = _database(server)
        samples.append(
            Sample(
                hours=(now - began) / 3600,
                memory=resident_bytes(server.pid),
                descriptors=descriptor_count(server.pid) - connection_count(server.port),
                threads=thread_count(server.pid),
                database=database,
                kept=kept,
                wal=_size(server.folder / "site.db-wal"),
                log=_size(server.log),
                median=median,
                high=high,
                cpu_of_one=(cpu_now - cpu) / max(1, len(taken)),
                others=(busy_now - busy) / (now - at),
            )
        )
        _progress(samples[-1])
        at, cpu, busy = now, cpu_now, busy_now
    return samples


def judge(figures: Figures, samples: Sequence[Sample]) -> None:
    """Print how everything grew, and whether that is level."""
    warm = samples[int(len(samples) * WARM_UP) :]
    quiet = [one for one in warm if one.others < BUSY and not np.isnan(one.median)]
    figures.note("samples after the warm-up", f"{len(warm)}, with little else to do {len(quiet)}")
    level(figures, "memory", "MB", warm, [one.memory / 1e6 for one in warm], share=0.01)
    descriptors, threads = [one.descriptors for one in warm], [one.threads for one in warm]
    level(figures, "descriptors besides connections", "", warm, descriptors, bound=LATE_DESCRIPTORS)
    level(figures, "threads", "", warm, threads, bound=LATE_THREADS)
    kept = [one.kept / 1e6 for one in warm]
    level(figures, "database without ids of events", "MB", warm, kept, share=0.02)
    level(figures, "write-ahead log", "MB", warm, [one.wal / 1e6 for one in warm], share=0.02)
    beside = [one.others for one in warm]
    cpu = [1000 * one.cpu_of_one for one in warm]
    level(figures, "CPU time of an answer", "ms", warm, cpu, share=0.02, beside=beside)
    beside = [one.others for one in quiet]
    median, high = [1000 * one.median for one in quiet], [1000 * one.high for one in quiet]
    level(figures, "median latency", "ms", quiet, median, share=0.1, beside=beside)
    level(figures, "p99 latency", "ms", quiet, high, share=0.1, beside=beside)
    if warm:
        hours = warm[-1].hours - warm[0].hours or 1
        figures.note("database file", megabytes(warm[-1].database))
        grew = (warm[-1].database - warm[-1].kept) - (warm[0].database - warm[0].kept)
        figures.note("ids of handled events, kept for 7 days", f"{megabytes(grew / hours)} an hour")
        figures.note("log", f"{(warm[-1].log - warm[0].log) / hours / 1000:.1f} kB an hour")


def level(
    figures: Figures,
    name: str,
    unit: str,
    samples: Sequence[Sample],
    values: Sequence[float],
    *,
    share: float = 0.0,
    bound: float = 0.0,
    beside: Sequence[float] | None = None,
) -> None:
    """A promise that a value grows by at most a share of it or a bound in an hour, as far as one
    can tell."""
    if len(samples) < FEWEST:
        figures.note(f"{name}, too few samples to judge its slope", _range(values, unit))
        return
    grows, half = slope([one.hours for one in samples], values, beside)
    bound = max(bound, share * float(np.mean(values)))
    figures.promise(
        f"{name}, slope at most {bound:.2g} {unit}".rstrip() + " an hour",
        f"{_range(values, unit)}; {grows:+.3g} ± {half:.2g} {unit}".rstrip() + " an hour",
        grows - half <= bound,
    )


def _database(server: Site) -> tuple[int, int]:
    """Bytes of the database that are used, and of these without the ids of handled events."""
    with closing(sqlite3.connect(f"file:{server.folder / 'site.db'}?mode=ro", uri=True)) as store:
        rows = store.execute("SELECT name, pgsize FROM dbstat WHERE aggregate = TRUE")
        sizes = dict(rows.fetchall())
    used = sum(sizes.values())
    return used, used - sum(sizes.get(name, 0) for name in EVENTS)


def _others(own: Sequence[int]) -> float:
    """CPU seconds that everything else on the machine has used."""
    return machine_cpu_seconds() - sum(cpu_seconds(pid) for pid in own) - time.process_time()


def _range(values: Sequence[float], unit: str) -> str:
    if not values:
        return "none"
    return f"{min(values):.4g} to {max(values):.4g} {unit}".rstrip()


def _progress(one: Sample) -> None:
    print(
        f"{60 * one.hours:5.1f} min: {megabytes(one.memory)}, {one.descriptors} descriptors, "
        f"{one.threads} threads, database {megabytes(one.database)}, WAL {megabytes(one.wal)}, "
        f"median {1000 * one.median:.0f} ms, p99 {1000 * one.high:.0f} ms, "
        f"others {one.others:.1f} cores",
        file=sys.stderr,
        flush=True,
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
