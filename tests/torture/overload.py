"""Four times what the server can carry, and one camera that sends far more than the others.

    python -m tests.torture.overload [--seconds 60]

What the server carries is measured first, with the load generator on the same cores. Then events
arrive at a fixed rate, whatever becomes of them. A steady camera sends all the time: before, during
and after.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.torture.apart import Apart
from tests.torture.arrivals import Answer, Source
from tests.torture.capacity import cameras, capacity
from tests.torture.checks import check_traces
from tests.torture.figures import Figures, megabytes, milliseconds
from tests.torture.people import enroll_both, strangers
from tests.torture.processes import descriptor_count, resident_bytes, socket_count
from tests.torture.site import Site, memory_folder
from tests.waiting import wait_until

CAMERAS = 16
TIMES = 4
"""How many times what it can carry arrives."""

STEADY_SHARE = 0.2
"""Of its capacity, what the steady camera sends."""

QUIET, NOISY = 3, 10
"""Quiet cameras, and how many times as much as one of them a noisy one sends."""

QUIET_SHARE = 0.15
"""Of its capacity, what each quiet camera sends: all of them together are no overload."""

REFUSED_SECONDS = 0.05
"""Within which the surplus is to be refused."""

NORMAL_SECONDS = 2.0
"""Within which everything is to be as before."""

WINDOW_SECONDS = 5.0
"""What rates are measured over."""


@dataclass(frozen=True)
class Phase:
    """A time under load, in moments of `time.monotonic`."""

    began: float
    ended: float
    memory: Sequence[int]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    figures = Figures(f"Overload, {options.seconds:g} s of each kind")
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder, site(Path(folder)) as server:
        overload(server, figures, options.seconds)
        noisy(server, figures, options.seconds / 2)
        check_traces(server.folder, strangers(), figures)
    figures.exit()


@contextmanager
def site(folder: Path, *flags: str, descriptors: int = 0) -> Iterator[Site]:
    """A server with two enrolled people, which may have so many files and sockets open."""
    limited = ["sh", "-c", f'ulimit -n {descriptors}; exec "$@"', "sh"] if descriptors else []
    server = Site(folder, *flags, prefix=limited)
    enroll_both(server.store_url)
    with server:
        yield server


def overload(server: Site, figures: Figures, seconds: float) -> None:
    """Everything arrives at four times the rate that is carried."""
    carried = capacity(server, max(2, seconds / 6), min(8, queue_length(server)))
    figures.note("it carries", f"{carried:.1f} detections/s")
    steadily = Source("steady", carried * STEADY_SHARE)
    sources = [Source(f"camera-{n}", carried * TIMES / CAMERAS) for n in range(CAMERAS)]
    before = socket_count(server.pid)
    with cameras(server, [steadily]) as steady:
        time.sleep(max(2, seconds / 6))
        flood = cameras(server, sources)
        phase = under(server, flood, seconds)
        time.sleep(max(3.5, seconds / 6))
    refused(figures, flood.results, carried)
    accepted(figures, flood.results, phase, server)
    flat(figures, phase)
    normal_again(figures, steady.results, flood.results, phase, server)
    back = wait_until(lambda: socket_count(server.pid) <= before, 30)
    figures.promise("sockets afterwards", f"{socket_count(server.pid)}, {before} before", back)
    figures.note("descriptors afterwards", descriptor_count(server.pid))


def noisy(server: Site, figures: Figures, seconds: float) -> None:
    """One camera sends ten times as much as each of the others, on many connections."""
    carried = capacity(server, max(2, seconds / 6), min(8, queue_length(server)))
    rate = carried * QUIET_SHARE
    quiet = [Source(f"quiet-{number}", rate) for number in range(QUIET)]
    alone = cameras(server, quiet)
    under(server, alone, seconds / 2)
    together = cameras(server, [*quiet, Source("noisy", NOISY * rate)])
    under(server, together, seconds)
    others, loud = [], []
    for one in together.results:
        (loud if one.camera == "noisy" else others).append(one)
    figures.note("quiet cameras alone", milliseconds(_taken(alone.results)))
    figures.note("the noisy camera: accepted", f"{_share(loud):.1%} of {len(loud)}")
    figures.note("the noisy camera: latency", milliseconds(_taken(loud)))
    figures.note("quiet cameras beside it: latency", milliseconds(_taken(others)))
    figures.promise(
        "quiet cameras beside it: accepted", f"{_share(others):.1%}", _share(others) >= 0.99
    )
    waits, longest = np.median(_taken(others)), np.median(_taken(loud))
    figures.promise(
        "a quiet camera waits at most half as long as the noisy one, in the median",
        f"{waits / longest:.0%}",
        bool(waits <= longest / 2),
    )


def under(server: Site, load: Apart[Answer], seconds: float) -> Phase:
    """Run a load for so long, and see what the server uses meanwhile."""
    memory = []
    with load:
        began = time.monotonic()
        while time.monotonic() < began + seconds:
            time.sleep(min(1, seconds / 10))
            memory.append(resident_bytes(server.pid))
        ended = time.monotonic()
    return Phase(began, ended, memory)


def refused(figures: Figures, answers: Sequence[Answer], carried: float) -> None:
    """What the surplus was answered."""
    rate = len(answers) / (max(one.due for one in answers) - min(one.due for one in answers))
    figures.note("arrived", f"{rate:.0f}/s, {rate / carried:.1f} times as much")
    full = [one for one in answers if one.status == 503]
    wrong = [one for one in answers if one.status not in (200, 503)]
    told = Counter(one.words for one in wrong).most_common(3)
    figures.promise("answers other than 200 and 503", told or 0, not wrong)
    bare = [one for one in full if one.retry_after is None]
    figures.promise("503 without Retry-After", len(bare), not bare)
    figures.promise("surplus that was refused", f"{len(full) / len(answers):.0%}", bool(full))
    took = [one.seconds - one.late for one in full]
    name = f"503 in under {1000 * REFUSED_SECONDS:g} ms"
    figures.note("of this the load generator's own delay", milliseconds(one.late for one in full))
    figures.note("503 took", milliseconds(took))
    figures.promise(f"{name}, in the median", _ms(took, 50), _within(took, 50, REFUSED_SECONDS))
    figures.promise(f"{name}, p99", _ms(took, 99), _within(took, 99, REFUSED_SECONDS))


def accepted(figures: Figures, answers: Sequence[Answer], phase: Phase, server: Site) -> None:
    """Whether what was accepted waited no longer than the queue is."""
    taken = [one for one in answers if one.status == 200]
    slowest = slowest_rate(taken, phase)
    longest = queue_length(server) / slowest
    figures.note("accepted", f"{len(taken) / (phase.ended - phase.began):.1f}/s")
    figures.note(
        f"the queue at the slowest rate of any {WINDOW_SECONDS:g} s",
        f"{queue_length(server)} at {slowest:.1f}/s: {1000 * longest:.0f} ms",
    )
    took = _taken(answers)
    figures.note("accepted took", milliseconds(took))
    figures.promise("p99 of these, at most the queue", _ms(took, 99), _within(took, 99, longest))


def flat(figures: Figures, phase: Phase) -> None:
    """Whether memory grows while the overload lasts."""
    quarter = max(1, len(phase.memory) // 4)
    early, late = max(phase.memory[: 2 * quarter]), max(phase.memory[-quarter:])
    figures.promise(
        "memory, most in the last quarter beside most in the first half, at most 3% more",
        f"{megabytes(late)} beside {megabytes(early)}",
        late <= 1.03 * early,
    )


def normal_again(
    figures: Figures,
    steady: Sequence[Answer],
    flood: Sequence[Answer],
    phase: Phase,
    server: Site,
) -> None:
    """How long after the flood the steady camera is answered as before."""
    before = [one for one in steady if one.at < phase.began]
    usual = float(np.percentile(_taken(before), 99))
    end = max(one.due for one in flood)
    after = [one for one in steady if one.due > end]
    slow = [one.due - end for one in after if one.status != 200 or one.seconds > 2 * usual]
    settled = max(slow, default=0.0)
    slowest = slowest_rate([one for one in flood if one.status == 200], phase)
    allowed = max(NORMAL_SECONDS, queue_length(server) / slowest + 1)
    figures.note("the steady camera before", milliseconds(_taken(before)))
    during = [one for one in steady if phase.began < one.due < end]
    figures.note("the steady camera: accepted meanwhile", f"{_share(during):.0%}")
    later = [one for one in after if one.due > end + allowed]
    figures.note("the steady camera afterwards", milliseconds(_taken(later)))
    figures.note("last event slower than twice the p99 of before", f"{settled:.1f} s after the end")
    wrong = [one for one in later if one.status != 200]
    figures.promise(f"refused later than {allowed:.1f} s after the end", len(wrong), not wrong)
    medians = np.median(_taken(later)) / np.median(_taken(before))
    figures.promise(
        "its median afterwards beside that of before, at most twice",
        f"{medians:.2f}",
        bool(medians <= 2),
    )


def queue_length(server: Site) -> int:
    """Detections that may run or wait at once."""
    defaults = {"--queue-size": 64, "--workers": 2}
    given = dict(zip(server.flags[::2], server.flags[1::2], strict=True))
    return sum(int(given.get(flag, default)) for flag, default in defaults.items())


def slowest_rate(taken: Sequence[Answer], phase: Phase) -> float:
    """The fewest answers a second in any window of the phase that begins with an answer."""
    at = np.sort([one.at for one in taken])
    span = min(WINDOW_SECONDS, (phase.ended - phase.began) / 2)
    starts = at[(at > phase.began) & (at < phase.ended - span)]
    counts = np.searchsorted(at, starts + span) - np.searchsorted(at, starts)
    return float(counts.min() / span) if counts.size else 0.01


def _taken(answers: Sequence[Answer]) -> list[float]:
    return [one.seconds for one in answers if one.status == 200]


def _share(answers: Sequence[Answer]) -> float:
    return len(_taken(answers)) / max(1, len(answers))


def _ms(seconds: Sequence[float], share: float) -> str:
    return f"{1000 * np.percentile(seconds, share):.1f} ms" if seconds else "none"


def _within(seconds: Sequence[float], share: float, bound: float) -> bool:
    return bool(seconds) and bool(np.percentile(seconds, share) <= bound)


if __name__ == "__main__":
    main()
