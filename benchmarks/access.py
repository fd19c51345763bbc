"""What asking for a key costs: one server that asks for none, and one that asks for a camera's.

    python benchmarks/access.py
    python benchmarks/access.py --enrolled 1000 --connections 4 --seconds 5 --rounds 12

Both are susracker on the same people and get the same tight crops in short bursts, in turns.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from galleries import FACES, real_faces, sqlite_gallery
from load import post_faces
from platformdirs import user_cache_path
from processes import ServerUnderTest, susracker


def main() -> None:
    options = arguments()
    options.work.mkdir(parents=True, exist_ok=True)
    enrolled, posted = real_faces(options.faces)
    crops = [face.crop for face in posted]
    open_store = sqlite_gallery(options.work, options.enrolled, enrolled)
    keyed_store, key = with_key(open_store, options.work / "keyed.db")
    logs = (options.work / "open.log", options.work / "keyed.log")
    with (
        susracker(open_store, logs[0]) as without,
        susracker(keyed_store, logs[1], key=key) as keyed,
    ):
        pairs = list(bursts(without, keyed, crops, options))
    ratios = sorted(ours / theirs for theirs, ours in pairs)
    print(f"without a key  {statistics.median(one for one, _ in pairs):6.1f} faces/s")
    print(f"with a key     {statistics.median(one for _, one in pairs):6.1f} faces/s")
    print(f"ratio          {statistics.median(ratios):6.3f}  ({ratios[0]:.3f} to {ratios[-1]:.3f})")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--enrolled", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=5, help="of each burst")
    parser.add_argument("--rounds", type=int, default=12, help="bursts of each server, in turns")
    parser.add_argument("--faces", type=Path, default=FACES, help="a folder a person")
    parser.add_argument("--work", type=Path, default=user_cache_path("susracker-bench"))
    return parser.parse_args()


def with_key(store: str, file: Path) -> tuple[str, str]:
    """A new copy of a store with a camera's key: its URL, and the key."""
    for earlier in file.parent.glob(f"{file.name}*"):
        earlier.unlink()
    with (
        closing(sqlite3.connect(store.removeprefix("sqlite:///"))) as source,
        closing(sqlite3.connect(file)) as copy,
    ):
        source.backup(copy)
    url = f"sqlite:///{file}"
    command = [sys.executable, "-m", "susracker", "keys", "create", "--store", url, "--json"]
    command += ["--role", "camera", "--name", "benchmark"]
    made = subprocess.run(command, check=True, capture_output=True, text=True)
    return url, str(json.loads(made.stdout)["key"])


def bursts(
    without: ServerUnderTest,
    keyed: ServerUnderTest,
    crops: list[bytes],
    options: argparse.Namespace,
) -> Iterator[tuple[float, float]]:
    """Faces per second of both, one pair a round; who goes first changes."""
    for number in range(options.rounds + 1):
        order = (without, keyed) if number % 2 else (keyed, without)
        speeds = {}
        for server in order:
            load = post_faces(server.port, crops, options.connections, options.seconds, server.key)
            speeds[server.port] = load.faces / load.seconds
        if number:  # the first round warms both up
            yield speeds[without.port], speeds[keyed.port]


if __name__ == "__main__":
    main()
