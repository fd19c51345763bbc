"""The matchers side by side: time, and how often the true best person is found.

    python benchmarks/matchers.py
    python benchmarks/matchers.py --people 100000 --json matchers.json
    python benchmarks/matchers.py --people 10000 --matcher milvus:///tmp/gallery.db --probes 20

Probes are of enrolled people, a little off, and of strangers; each is asked for the 50 nearest, on
one core, one probe at a time. A search's time is that of the CPU, so that other programs disturb it
less, but for matchers with a URL, which search in another process: that is by the clock, as loading
is. True is what comparing with everybody finds.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from galleries import synthetic
from rich.console import Console
from rich.table import Table

from susracker.plugins import open_matcher
from susracker.runtime.threads import one_core_a_thread

NEAREST = 50

OFF = 0.03
"""Deviation of each number of a mated probe: similarity 0.95 to the person's own template, about
what two photos of a person have."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, action="append", help="may be given again")
    parser.add_argument("--matcher", action="append", help="a name or URL; may be given again")
    parser.add_argument("--probes", type=int, default=200, help="of each kind")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    options = parser.parse_args()
    one_core_a_thread()
    rows = []
    table = Table("people", "matcher", "load s", "ms a probe", "true best, enrolled", "strangers")
    for count in options.people or [1000, 10_000, 100_000, 1_000_000]:
        everyone = synthetic(count + options.probes)
        people, strangers = everyone[:count], everyone[count:]
        mated = probes_of(people, options.probes)
        for name in options.matcher or ["exact", "faiss"]:
            row = measure(name, people, mated, strangers)
            rows.append(row)
            shown = (f"{row[key]:.2f}" for key in ("load_seconds", "ms"))
            shares = (f"{row[key]:.1%}" for key in ("best_of_mated", "best_of_strangers"))
            table.add_row(f"{count:,}", name, *shown, *shares)
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2))


def probes_of(people: np.ndarray, count: int) -> np.ndarray:
    """Other photos of enrolled people, made up."""
    random = np.random.default_rng(2)
    probes = people[random.choice(len(people), count)]
    probes = probes + OFF * random.normal(size=probes.shape).astype(np.float32)
    return probes / np.linalg.norm(probes, axis=1, keepdims=True)


def measure(
    name: str, people: np.ndarray, mated: np.ndarray, strangers: np.ndarray
) -> dict[str, float | str]:
    """Time and hits of a matcher."""
    matcher = open_matcher(name, people.shape[1])
    began = time.perf_counter()
    matcher.load([f"{number:07}" for number in range(len(people))], people.copy())
    load_seconds = time.perf_counter() - began
    clock = time.perf_counter if "://" in name else time.thread_time
    times: list[float] = []
    hits = []
    for probes in (mated, strangers):
        true = np.concatenate(
            [np.argmax(probes[at : at + 8] @ people.T, axis=1) for at in range(0, len(probes), 8)]
        )
        found = []
        for probe in probes:
            began = clock()
            best = matcher.search(probe[None], NEAREST)[0][0]
            times.append(clock() - began)
            found.append(int(best.criminal_id))
        hits.append(float(np.mean(true == found)))
    return {
        "matcher": name,
        "people": len(people),
        "load_seconds": load_seconds,
        "ms": 1000 * float(np.median(times)),
        "best_of_mated": hits[0],
        "best_of_strangers": hits[1],
    }


if __name__ == "__main__":
    main()
