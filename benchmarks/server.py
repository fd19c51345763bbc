"""susracker beside a plain server, from POST to answer, in one run.

    python benchmarks/server.py
    python benchmarks/server.py --enrolled 1000 --connections 4 --seconds 5 --json server.json
    python benchmarks/server.py --enrolled 1000 --pictures margin --pictures frame --mated 30

Both get the same pictures of real faces from the same client, in turns: tight crops, crops with a
fifth of margin, or frames of 640 x 480 pixels. One search in twenty is mated, which is to say of an
enrolled person, and then three in ten. Everything is stored as in production.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from galleries import FACES, PICTURES, plain_gallery, real_faces, sqlite_gallery, with_mated
from load import post_faces
from platformdirs import user_cache_path
from processes import ServerUnderTest, plain, susracker
from rich.console import Console
from rich.table import Table

WARM_SECONDS = 2
"""Before it is measured: the processes that find faces are ready a second after the server."""


def main() -> None:
    options = arguments()
    options.work.mkdir(parents=True, exist_ok=True)
    shares = [percent / 100 for percent in options.mated or [5, 30]]
    enrolled, posted = real_faces(options.faces, max(shares))
    rows = []
    for count in options.enrolled or [1000, 100_000, 1_000_000]:
        store = sqlite_gallery(options.work, count, enrolled)
        people = plain_gallery(options.work, count, enrolled)
        logs = (options.work / "susracker.log", options.work / "plain.log")
        with (
            susracker(store, logs[0], "--matcher", options.matcher) as ours,
            plain(people, logs[1]) as theirs,
        ):
            # In the background susracker computes statistics of 4,096 people a second.
            time.sleep(count / 4000)
            for case in cases(options, shares):
                faces = with_mated(enrolled, posted, case["mated"])
                pictures = [face.pictures[case["pictures"]] for face in faces]
                for one in (theirs, ours):
                    measured = measure(one, pictures, case["connections"], options)
                    rows.append({"enrolled": count} | case | measured)
                show(rows[-2:])
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2))


def cases(options: argparse.Namespace, shares: Sequence[float]) -> Iterator[dict[str, Any]]:
    """What is posted, and over how many connections."""
    for pictures, mated, connections in itertools.product(
        options.pictures or PICTURES, shares, options.connections or [1, 4, 16]
    ):
        yield {"pictures": pictures, "mated": mated, "connections": connections}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--enrolled", type=int, action="append", help="may be given again")
    parser.add_argument("--connections", type=int, action="append", help="may be given again")
    parser.add_argument("--pictures", choices=PICTURES, action="append", help="may be given again")
    parser.add_argument(
        "--mated",
        type=int,
        choices=range(1, 91),
        metavar="PERCENT",
        action="append",
        help="of searches that are mated, by default 5 and 30; may be given again",
    )
    parser.add_argument("--seconds", type=float, default=5, help="of each burst")
    parser.add_argument("--rounds", type=int, default=2, help="bursts of each server, in turns")
    parser.add_argument("--matcher", default="exact", help="susracker's")
    parser.add_argument("--faces", type=Path, default=FACES, help="a folder a person")
    parser.add_argument("--work", type=Path, default=user_cache_path("susracker-bench"))
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    return parser.parse_args()


def measure(
    server: ServerUnderTest, pictures: list[bytes], connections: int, options: argparse.Namespace
) -> dict[str, Any]:
    post_faces(server.port, pictures, connections, WARM_SECONDS, server.key)
    before = server.cpu_seconds()
    loads = [
        post_faces(server.port, pictures, connections, options.seconds, server.key)
        for _ in range(options.rounds)
    ]
    latencies = np.concatenate([load.latencies for load in loads]) * 1000
    faces = sum(load.faces for load in loads)
    return {
        "server": server.name,
        "faces_per_second": float(np.median([load.faces / load.seconds for load in loads])),
        "p50_ms": float(np.percentile(latencies, 50)),
        "p95_ms": float(np.percentile(latencies, 95)),
        "p99_ms": float(np.percentile(latencies, 99)),
        "cpu_ms_a_face": 1000 * (server.cpu_seconds() - before) / faces,
        "peak_mb": server.peak_bytes() / 1e6,
        "messages": loads[-1].messages,
    }


def show(pair: list[dict[str, Any]]) -> None:
    theirs, ours = pair
    title = (
        f"{ours['enrolled']:,} enrolled, {ours['pictures']}, {ours['mated']:.0%} mated, "
        f"{ours['connections']} connections"
    )
    table = Table("", "plain", "susracker", "ratio", title=title)
    for key in ("faces_per_second", "p50_ms", "p95_ms", "p99_ms", "cpu_ms_a_face", "peak_mb"):
        ratio = ours[key] / theirs[key] if key == "faces_per_second" else theirs[key] / ours[key]
        table.add_row(key, f"{theirs[key]:.1f}", f"{ours[key]:.1f}", f"{ratio:.1f}x")
    Console().print(table, f"messages: {theirs['messages']} and {ours['messages']}")


if __name__ == "__main__":
    main()
