"""Slow, silent and hostile clients, beside whom two cameras and two operators work.

    python -m tests.torture.clients [--seconds 60]

Each kind of them comes after the other, for so many seconds: 500 connections that send a byte a
second; 1,000 operators of whom 100 never read; 300 clients that were lost without a word; 10,000
connections that are opened and dropped. What the others notice is beside what they had without
them, in the same run. All of them come once more, to see whether memory grows each time. Then
everything with `ulimit -n 1024`, where 412 connections are possible, and a fifth as many clients.
"""

from __future__ import annotations

import argparse
import functools
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from tests.torture.apart import Apart, Work
from tests.torture.arrivals import Answer, Source
from tests.torture.capacity import WARM_ANSWERS, cameras
from tests.torture.checks import check_traces
from tests.torture.desk import Desk
from tests.torture.figures import Figures, megabytes, milliseconds
from tests.torture.hostile import Told, churn, crowd, drip, half_open
from tests.torture.listeners import Heard, broadcast_all, stay
from tests.torture.overload import site
from tests.torture.people import strangers
from tests.torture.processes import descriptor_count, resident_bytes, socket_count
from tests.torture.site import Site, memory_folder
from tests.waiting import wait_until

PER_SECOND = 2.0
"""What each of two cameras sends: a load that a small machine carries easily."""

FLAGS = ("--max-clients", "1100")

NOTICED = 0.05
"""Seconds that nobody notices."""

SLACK = 8
"""Sockets that the cameras may open besides, where an answer is late."""

MEMORY_SHARE, MEMORY_SHARE_AGAIN = 1.25, 1.05
"""Of the memory of before, when they come for the first time and again. Python gives memory back in
pieces of 1 MB of which nothing is in use, and uses the rest of what was freed the next time."""

FORGOTTEN_SECONDS = 110
"""After which the server has closed what says nothing."""


@dataclass(frozen=True)
class Numbers:
    """How many clients of each kind there are, and how many answers there are before they come."""

    drip: int = 500
    crowd: int = 1000
    silent: int = 100
    half_open: int = 300
    churn: int = 10_000
    warm: int = WARM_ANSWERS


def always() -> bool:
    """A condition that is the case."""
    return True


@dataclass(frozen=True)
class Phase:
    """A time, in moments of `time.monotonic`, and the most that the server used in it."""

    name: str
    began: float
    ended: float
    memory: int
    descriptors: int


@dataclass
class Stage:
    """A server, and those who work with it all the time."""

    server: Site
    traffic: Apart[Answer]
    operators: Apart[Heard]
    desk: Desk

    def phase(self, name: str, seconds: float, until: Callable[[], bool] = always) -> Phase:
        """Watch what the server uses for so long, and then until something is the case."""
        began, memory, descriptors = time.monotonic(), 0, 0
        while time.monotonic() < began + seconds or not until():
            time.sleep(min(0.5, seconds / 10))
            memory = max(memory, resident_bytes(self.server.pid))
            descriptors = max(descriptors, descriptor_count(self.server.pid))
        return Phase(name, began, time.monotonic(), memory, descriptors)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    broken = False
    for limit, numbers in ((0, Numbers()), (1024, Numbers(100, 200, 20, 60, 2000))):
        limited = f", with ulimit -n {limit}" if limit else ""
        figures = Figures(f"Slow and hostile clients, {options.seconds:g} s of each kind{limited}")
        with (
            tempfile.TemporaryDirectory(dir=memory_folder()) as folder,
            site(Path(folder), *FLAGS, descriptors=limit) as server,
        ):
            clients(server, figures, options.seconds, numbers, again=True)
            check_traces(server.folder, strangers(), figures)
        figures.show()
        broken |= bool(figures.broken)
    sys.exit(broken)


def clients(
    server: Site, figures: Figures, seconds: float, numbers: Numbers, *, again: bool = False
) -> None:
    """Let each kind of them loose, and see what the others notice.

    Args:
        again: whether they come a second time, too.
    """
    with at_work(server, numbers.warm) as stage:
        sockets = socket_count(server.pid)
        phases = [stage.phase("nobody else", seconds)]
        told = besieged(stage, numbers, seconds, phases)
        back = wait_until(lambda: socket_count(server.pid) <= sockets + SLACK, FORGOTTEN_SECONDS)
        phases.append(stage.phase("nobody any more", seconds))
        figures.promise("sockets afterwards", f"{socket_count(server.pid)}, {sockets} before", back)
        if again:
            besieged(stage, numbers, seconds, [])
            wait_until(lambda: socket_count(server.pid) <= sockets + SLACK, FORGOTTEN_SECONDS)
            last = stage.phase("nobody, when all had come twice", seconds)
            returned(figures, phases[-1], last, MEMORY_SHARE_AGAIN)
    for name, one in told.items():
        figures.note(name, ", ".join(f"{count} {what}" for what, count in one.numbers.items()))
    for phase in phases:
        noticed(figures, stage, phase, phases[0])
    returned(figures, phases[0], phases[-1], MEMORY_SHARE)
    served(figures, stage)
    crowded(figures, stage, told["crowd"], phases[2])
    figures.note("lines of the log", len(server.log_text().splitlines()))
    tracebacks = server.log_text().count("Traceback")
    figures.promise("tracebacks in the log", tracebacks, not tracebacks)


def besieged(
    stage: Stage, numbers: Numbers, seconds: float, phases: list[Phase]
) -> dict[str, Told]:
    """Add a phase with each kind of them. Returns what they say, by name."""
    told: dict[str, Told] = {}
    for name, work in kinds(stage.server.port, numbers).items():
        with Apart[Told](work) as hostile:
            until = hostile.has_results if name == "dropped" else always
            phases.append(stage.phase(name, seconds, until))
        (told[name],) = hostile.results
    return told


def kinds(port: int, numbers: Numbers) -> dict[str, Work[Told]]:
    """What hostile clients do, by name."""
    return {
        "a byte a second": functools.partial(drip, port, numbers.drip),
        "crowd": functools.partial(crowd, port, numbers.crowd, numbers.silent),
        "lost": functools.partial(half_open, port, numbers.half_open),
        "dropped": functools.partial(churn, port, numbers.churn),
    }


@contextmanager
def at_work(server: Site, warm: int) -> Iterator[Stage]:
    """Two cameras, two operators and a desk at work."""
    operators = Apart[Heard](functools.partial(stay, server.port, 2))
    sources = [Source(f"camera-{number}", PER_SECOND) for number in range(2)]
    desk = Desk(server.url, 0.2)
    with operators, cameras(server, sources) as traffic:
        assert wait_until(lambda: len(traffic.results) > warm, 120)
        desk.start()
        yield Stage(server, traffic, operators, desk)
        desk.stop()
        traffic.stop()
        broadcast_all(server)


def noticed(figures: Figures, stage: Stage, phase: Phase, quiet: Phase) -> None:
    """What cameras and operators had in a phase."""
    taken, usual = _taken(stage, phase), _taken(stage, quiet)
    figures.note(f"{phase.name}: cameras", milliseconds(taken))
    asked = (took for began, took in stage.desk.answers if phase.began < began < phase.ended)
    figures.note(f"{phase.name}: requests of operators", milliseconds(asked))
    figures.note(f"{phase.name}: from a camera to operators", milliseconds(_heard(stage, phase)))
    figures.note(
        f"{phase.name}: most", f"{megabytes(phase.memory)}, {phase.descriptors} descriptors"
    )
    figures.promise(
        f"{phase.name}: median of cameras, at most twice the usual and {1000 * NOTICED:g} ms",
        f"{1000 * np.median(taken):.0f} ms" if taken else "none",
        bool(taken) and bool(np.median(taken) <= 2 * np.median(usual) + NOTICED),
    )


def returned(figures: Figures, before: Phase, after: Phase, share: float) -> None:
    """Whether the server uses what it used before."""
    figures.promise(
        f"memory, {after.name}, at most {share:.0%} of that with {before.name}",
        f"{megabytes(after.memory)}, {megabytes(before.memory)} before",
        after.memory <= share * before.memory,
    )


def served(figures: Figures, stage: Stage) -> None:
    """Whether cameras and operators got everything."""
    wrong = [one.words for one in stage.traffic.results if one.status not in (200, 503)]
    figures.promise("cameras: answers other than 200 and 503", wrong[:3] or 0, not wrong)
    figures.note("cameras: 503", sum(one.status == 503 for one in stage.traffic.results))
    other = stage.desk.other
    figures.promise("operators: requests that failed", other[:3] or 0, not other)
    told = {seq for one in stage.traffic.results for seq in one.seqs}
    for one in stage.operators.results:
        ordered = all(a < b for a, b in pairwise(one.seqs))
        missed = told - set(one.seqs)
        kept = ordered and not missed and not one.ended
        words = f"{len(one.seqs)} of {len(told)} {one.ended}"
        figures.promise(f"{one.name}: alerts, each once and in order", words, kept)


def crowded(figures: Figures, stage: Stage, told: Told, phase: Phase) -> None:
    """Whether those of the crowd who read heard everything, each once and in order."""
    all_seqs = sorted({seq for one in stage.traffic.results for seq in one.seqs})
    wrong = 0
    for seqs in told.seqs:
        due = [seq for seq in all_seqs if seqs and seqs[0] <= seq <= seqs[-1]]
        wrong += seqs != due
    figures.note("the crowd: alerts heard by each who reads", _spread(map(len, told.seqs)))
    figures.promise("of the crowd, with gaps or twice", wrong, not wrong)
    cut = told.numbers["cut off although they read"]
    figures.promise("of the crowd, cut off although they read", cut, not cut)


def _taken(stage: Stage, phase: Phase) -> list[float]:
    answers = stage.traffic.results
    return [o.seconds for o in answers if o.status == 200 and phase.began < o.due < phase.ended]


def _heard(stage: Stage, phase: Phase) -> list[float]:
    """Seconds from the moment when an event was due until each operator had its alert."""
    answers = [one for one in stage.traffic.results if phase.began < one.due < phase.ended]
    due = {seq: one.due for one in answers for seq in one.seqs}
    return [
        moment - due[seq]
        for one in stage.operators.results
        for seq, moment in zip(one.seqs, one.moments, strict=True)
        if seq in due
    ]


def _spread(numbers: Iterable[int]) -> str:
    several = sorted(numbers)
    return f"{several[0]} to {several[-1]}" if several else "none"


if __name__ == "__main__":
    main()
