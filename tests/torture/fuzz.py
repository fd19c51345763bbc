"""Damaged pictures for decoder and detector, and damaged text for every parser.

    python -m tests.torture.fuzz [--pictures 1000000] [--texts 5000] [--seed N] [--seconds N]

Nothing may raise but the documented errors, take over a second of CPU time, or fill the memory.
What breaks a promise is saved in a folder that is printed, never in the repository.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.torture.figures import Figures, megabytes
from tests.torture.mutants import MOST_SECONDS, Counts, run
from tests.torture.parsers import FILES_AND_TEXTS, REQUESTS
from tests.torture.texts import Finding, Parser, try_parser

MOST_MEMORY = 500_000_000
"""Bytes that decoding may take at most, by one picture at a time: one of 50 million pixels takes
350 MB."""

MOST_KEPT = 60_000_000
"""Bytes by which the process may have grown at the end."""

PROGRESS_SECONDS = 15


def fuzz_pictures(
    figures: Figures, count: int, seed: str, folder: Path, seconds: float = float("inf")
) -> Counts:
    """Run mutants, and note what came of them."""
    began = time.monotonic()
    counts = run(count, seed, folder, seconds=seconds, on_progress=_progress(count))
    took = time.monotonic() - began
    done = counts["current"]
    figures.promise("pictures", f"{done:,}, of seed {seed}, {done / took:,.0f} a second", done > 0)
    for name in ("decoded", "searched", "with_faces", "over_a_tenth"):
        figures.note(f"of these {name.replace('_', ' ')}", f"{counts[name]:,}")
    figures.promise(
        "other errors than PictureError, crashes and hangs",
        f"{counts['broken']}" + (f": {folder}" if counts["broken"] else ""),
        not counts["broken"],
    )
    slowest = counts["slowest_microseconds"] / 1e6
    figures.promise(
        "the slowest picture",
        f"{slowest:.2f} s of CPU time: number {counts['slowest']}",
        slowest < MOST_SECONDS,
    )
    peak, kept = (counts[name] - counts["start_bytes"] for name in ("peak_bytes", "end_bytes"))
    figures.promise("largest rise of resident memory", megabytes(peak), peak < MOST_MEMORY)
    figures.promise("rise that was left at the end", megabytes(kept), kept < MOST_KEPT)
    return counts


def fuzz_texts(figures: Figures, count: int, seed: int, parsers: Sequence[Parser]) -> list[Finding]:
    """Run parsers with so many texts each, and note what came of them."""
    found = []
    for parser in parsers:
        print(parser.name, "…", flush=True)
        finding = try_parser(parser, count, seed)
        figures.promise(parser.name, finding, not finding.is_broken)
        found.append(finding)
    return found


def _progress(count: int) -> Callable[[Counts], None]:
    last = time.monotonic()

    def show(counts: Counts) -> None:
        nonlocal last
        if time.monotonic() - last >= PROGRESS_SECONDS:
            last = time.monotonic()
            print(
                f"{counts['current']:,} of {count:,} pictures, {counts['decoded']:,} decoded, "
                f"{counts['broken']:,} broke a promise",
                flush=True,
            )

    return show


def main(arguments: list[str]) -> None:
    """Run all of it, and print figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.fuzz")
    parser.add_argument("--pictures", type=int, default=1_000_000)
    parser.add_argument("--texts", type=int, default=5000, help="for each parser")
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    parser.add_argument("--seconds", type=float, default=float("inf"), help="for the pictures")
    asked = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="susracker-fuzz-"))
    logging.disable()  # what is left out of a recording is logged
    figures = Figures(
        f"python -m tests.torture.fuzz --pictures {asked.pictures} --seed {asked.seed}"
    )
    fuzz_pictures(figures, asked.pictures, str(asked.seed), folder, asked.seconds)
    fuzz_texts(figures, asked.texts, asked.seed, FILES_AND_TEXTS + REQUESTS)
    figures.exit()


if __name__ == "__main__":
    main(sys.argv[1:])
