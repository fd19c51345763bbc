"""The exact matcher beside faiss's flat index and plain numpy, on one core, in one run.

    python benchmarks/search.py
    python benchmarks/search.py --templates 100000 --rounds 20 --json search.json

All are asked for the 50 nearest, take turns, and must agree on them. Times are those of the CPU, of
which each uses one thread, so that other programs on the machine disturb them less: milliseconds
for each of the probes that are searched for at once. faiss: pip install faiss-cpu.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from galleries import synthetic
from rich.console import Console
from rich.table import Table

from susracker.plugins import open_matcher
from susracker.runtime.threads import one_core_a_thread

NEAREST = 50

AT_ONCE = (1, 2, 4, 32)
"""Numbers of probes that are searched for at once."""

Search = Callable[[np.ndarray], list[list[int]]]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--templates", type=int, action="append", help="may be given again")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    options = parser.parse_args()
    one_core_a_thread()
    rows = []
    table = Table("templates", "probes", "numpy ms", "faiss ms", "exact ms", "faiss / exact")
    for count in options.templates or [1000, 10_000, 100_000, 1_000_000]:
        templates, probes = synthetic(count), synthetic(count + 32)[-32:]
        searches = {
            "numpy": numpy_search(templates),
            "faiss": faiss_search(templates),
            "exact": exact_search(templates),
        }
        for batch in AT_ONCE:
            check(searches, probes[:batch], templates)
            row = compare(searches, probes[:batch], options.rounds)
            rows.append({"templates": count, "probes": batch} | row)
            ratio = f"{row['faiss'] / row['exact']:.1f}x"
            times = (f"{row[name]:.2f}" for name in searches)
            table.add_row(f"{count:,}", str(batch), *times, ratio)
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2))


def compare(searches: dict[str, Search], probes: np.ndarray, rounds: int) -> dict[str, float]:
    """Median milliseconds of CPU a probe of each."""
    times: dict[str, list[float]] = {name: [] for name in searches}
    for _ in range(rounds):
        for name, search in searches.items():
            began = time.thread_time()
            search(probes)
            times[name].append(1000 * (time.thread_time() - began) / len(probes))
    return {name: float(np.median(spent)) for name, spent in times.items()}


def check(searches: dict[str, Search], probes: np.ndarray, templates: np.ndarray) -> None:
    """Stop where the similarities of who is found differ by more than rounding."""
    found = {}
    for name, search in searches.items():
        rows = np.array(search(probes))
        similarities = np.einsum("pd,pnd->pn", probes, templates[rows])
        found[name] = np.sort(similarities, axis=1)
    for name, similarities in found.items():
        if not np.allclose(similarities, found["numpy"], atol=1e-6):
            raise SystemExit(f"{name} finds others than numpy")


def numpy_search(templates: np.ndarray) -> Search:
    return lambda probes: np.argpartition(-(probes @ templates.T), NEAREST, axis=1)[
        :, :NEAREST
    ].tolist()


def faiss_search(templates: np.ndarray) -> Search:
    try:
        import faiss
    except ModuleNotFoundError:
        raise SystemExit("faiss is missing: pip install faiss-cpu") from None
    faiss.omp_set_num_threads(1)
    index = faiss.IndexFlatIP(templates.shape[1])
    index.add(templates)
    return lambda probes: index.search(probes, NEAREST)[1].tolist()


def exact_search(templates: np.ndarray) -> Search:
    matcher = open_matcher("exact", templates.shape[1])
    matcher.load([str(row) for row in range(len(templates))], templates)
    return lambda probes: [
        [int(one.criminal_id) for one in row] for row in matcher.search(probes, NEAREST)
    ]


if __name__ == "__main__":
    main()
