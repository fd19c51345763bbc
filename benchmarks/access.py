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
from dataclasses import dataclass
from pathlib import Path

from galleries import FACES, real_faces, sqlite_gallery
from load import post_faces
from platformdirs import user_cache_path
from processes import ServerUnderTest, susracker


@dataclass(frozen=True)
class Burst:
    """What a burst showed.

    Attributes:
        speed: faces per second.
        cpu: of the server, in milliseconds a face.
    """

    speed: float
    cpu: float


def main() -> None:
    options = arguments(__doc__)
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
    show("without a key", [theirs for theirs, _ in pairs])
    show("with a key", [ours for _, ours in pairs])
    show_ratios(pairs)


def arguments(description: str | None) -> argparse.Namespace:
    """What both of these benchmarks are asked for."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
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
    url = copied(store, file)
    command = [sys.executable, "-m", "susracker", "keys", "create", "--store", url, "--json"]
    command += ["--role", "camera", "--name", "benchmark"]
    made = subprocess.run(command, check=True, capture_output=True, text=True)
    return url, str(json.loads(made.stdout)["key"])


def copied(store: str, file: Path) -> str:
    """A new copy of a store; its URL."""
    for earlier in file.parent.glob(f"{file.name}*"):
        earlier.unlink()
    with (
        closing(sqlite3.connect(store.removeprefix("sqlite:///"))) as source,
        closing(sqlite3.connect(file)) as copy,
    ):
        source.backup(copy)
    return f"sqlite:///{file}"


def bursts(
    without: ServerUnderTest,
    keyed: ServerUnderTest,
    crops: list[bytes],
    options: argparse.Namespace,
) -> Iterator[tuple[Burst, Burst]]:
    """A burst of each, one pair a round; who goes first changes."""
    for number in range(options.rounds + 1):
        order = (without, keyed) if number % 2 else (keyed, without)
        found = {server.port: burst(server, crops, options) for server in order}
        if number:  # the first round warms both up
            yield found[without.port], found[keyed.port]


def burst(server: ServerUnderTest, crops: list[bytes], options: argparse.Namespace) -> Burst:
    """Post faces for a while."""
    before = server.cpu_seconds()
    load = post_faces(server.port, crops, options.connections, options.seconds, server.key)
    cpu = 1000 * (server.cpu_seconds() - before) / load.faces
    return Burst(load.faces / load.seconds, cpu)


def show_ratios(pairs: list[tuple[Burst, Burst]]) -> None:
    """Print how the second server of each pair compares with the first; 1 is as good."""
    speeds = sorted(ours.speed / theirs.speed for theirs, ours in pairs)
    costs = sorted(theirs.cpu / ours.cpu for theirs, ours in pairs)
    for name, ratios in (("faces/s", speeds), ("CPU", costs)):
        middle = statistics.median(ratios)
        print(f"ratio, {name:8} {middle:6.3f}  ({ratios[0]:.3f} to {ratios[-1]:.3f})")


def show(name: str, found: list[Burst]) -> None:
    """Print what one server did."""
    speed = statistics.median(one.speed for one in found)
    cpu = statistics.median(one.cpu for one in found)
    print(f"{name:15} {speed:6.1f} faces/s  {cpu:6.2f} ms of CPU a face")


if __name__ == "__main__":
    main()
