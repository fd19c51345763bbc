"""`kill -9` of the server, of Redis and of the database, at random moments under load.

    python -m tests.torture.crash [--kills 100] [--store sqlite] [--seed 1]

Without `--store`, first with SQLite, then with MongoDB, which is killed, too.

Eight cameras, four operators, a clerk and a reviewer work all the time, and repeat what was not
answered, as real ones do. In the end, everything that was answered must be there once.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from susracker.plugins import open_store
from tests.services.servers import Service, start_mongodb, start_redis
from tests.torture.checks import (
    all_alerts,
    check_audit,
    check_cameras,
    check_operators,
    check_people,
    check_reviews,
    check_traces,
    integrity,
)
from tests.torture.clerks import Clerk, Reviewer
from tests.torture.figures import Figures, milliseconds
from tests.torture.load import Camera, Ledger, Operator
from tests.torture.people import enroll_both, strangers, wanted
from tests.torture.site import Site
from tests.waiting import wait_until

CAMERAS = 8
OPERATORS = 4
EVENTS_A_SECOND = 4.0
COOLDOWN_SECONDS = 2.0
WORK_SECONDS = 60
"""How long to wait for work to be done before the next kill, which a busy machine needs."""

STORES = ("sqlite", "mongodb")


class Stage:
    """A site with Redis as its cooldown, and everyone who works with it.

    Args:
        store: one of `STORES`.
    """

    def __init__(self, folder: Path, store: str, stack: ExitStack) -> None:
        self.services: dict[str, Service] = {"redis": start_redis(folder / "redis")}
        url = None
        if store == "mongodb":
            self.services["mongodb"] = start_mongodb(folder / "mongodb")
            url = f"mongodb://127.0.0.1:{self.services['mongodb'].port}/susracker"
        for service in self.services.values():
            stack.callback(service.kill)
        cooldown = f"redis://127.0.0.1:{self.services['redis'].port}/0"
        flags = ("--cooldown", cooldown, "--cooldown-seconds", f"{COOLDOWN_SECONDS:g}")
        self.site = Site(folder, *flags, store=url)
        enroll_both(self.site.store_url)
        stack.enter_context(self.site)
        self.strangers = strangers()
        self.ledger = Ledger()
        hopper, collins = wanted().values()
        pictures = [hopper, collins, hopper, *self.strangers, collins]
        self.cameras = [
            Camera(self.site.url, f"gate-{n}", pictures, self.ledger, per_second=EVENTS_A_SECOND)
            for n in range(CAMERAS)
        ]
        self.operators = [Operator(self.site.url) for _ in range(OPERATORS)]
        self.clerk, self.reviewer = Clerk(self.site.url), Reviewer(self.site.url)

    @property
    def file(self) -> Path | None:
        """The file of an SQLite store."""
        kind, _, path = self.site.store_url.partition(":///")
        return Path(path) if kind == "sqlite" else None

    def begin(self) -> None:
        """Everyone begins to work."""
        for one in (*self.operators, *self.cameras, self.clerk, self.reviewer):
            one.start()

    def end(self) -> int:
        """Everyone stops when they are done, operators once they are level; the last `seq`."""
        workers = (*self.cameras, self.clerk, self.reviewer)
        for one in workers:
            one.stop()
        for one in workers:
            one.join(120)
        last_seq = int(self.site.get("/api/alerts", limit=1).json()["last_seq"])
        wait_until(lambda: all(_is_level(one, last_seq) for one in self.operators), 60)
        for operator in self.operators:
            operator.stop()
        return last_seq


def _is_level(operator: Operator, last_seq: int) -> bool:
    return bool(operator.heard) and operator.heard[-1]["seq"] >= last_seq


class Killer:
    """Kills one part after the other, and starts it again.

    Attributes:
        kills: how often each part was killed.
        integrity: what SQLite said about the file after each kill of the server.
        away: seconds from the start of a new server until it answered.
    """

    def __init__(self, stage: Stage, seed: int) -> None:
        self.kills: Counter[str] = Counter()
        self.integrity: Counter[str] = Counter()
        self.away: list[float] = []
        self._stage = stage
        self._random = random.Random(seed)

    def kill_one(self) -> None:
        """Let everyone work, then kill something at any moment; the server half of the time."""
        answered = len(self._stage.ledger.answered)
        wait_until(lambda: len(self._stage.ledger.answered) >= answered + CAMERAS, WORK_SECONDS)
        time.sleep(self._random.uniform(0, 1))
        others = list(self._stage.services)
        name = self._random.choice(["server"] * len(others) + others)
        self.kills[name] += 1
        if name == "server":
            self._kill_server()
        else:
            self._kill_service(self._stage.services[name])

    def _kill_server(self) -> None:
        site = self._stage.site
        site.kill()
        if self._stage.file:
            self.integrity[integrity(self._stage.file)] += 1
        began = time.monotonic()
        site.start()
        self.away.append(time.monotonic() - began)

    def _kill_service(self, service: Service) -> None:
        service.kill()
        time.sleep(self._random.uniform(0, 1.5))
        service.start()


def run(
    folder: Path, kills: int, figures: Figures, *, store: str = "sqlite", seed: int = 1
) -> None:
    """Kill, and see whether everything that was answered is there once."""
    with ExitStack() as stack:
        stage = Stage(folder, store, stack)
        stage.begin()
        killer = Killer(stage, seed)
        for number in range(kills):
            killer.kill_one()
            print(f"\r{number + 1} of {kills} kills", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        stage.end()
        status = stage.site.stop()
        figures.promise("exit status of the last server", status, status == 0)
        _show_load(stage, killer, figures)
        with open_store(stage.site.store_url) as opened:
            alerts = all_alerts(opened)
            check_cameras(opened, stage.ledger, alerts, COOLDOWN_SECONDS, figures)
            check_operators(stage.operators, alerts, figures)
            check_reviews(opened, stage.reviewer, figures)
            check_people(opened, stage.clerk, figures)
        check_audit(stage.site, figures)
        check_traces(folder, stage.strangers, figures)


def _show_load(stage: Stage, killer: Killer, figures: Figures) -> None:
    figures.note("kills", ", ".join(f"{name} {n}" for name, n in sorted(killer.kills.items())))
    figures.note("until a new server answers", milliseconds(killer.away))
    figures.note("events answered with 200", len(stage.ledger.answered))
    figures.note("events answered with 503 and sent again", len(stage.ledger.refused))
    odd = [one for one in stage.ledger.other if ":" in one]
    odd += stage.clerk.other + stage.reviewer.other
    figures.promise("other answers", Counter(odd) or "none", not odd)
    if stage.file:
        said = ", ".join(f"{text}: {n}" for text, n in killer.integrity.items())
        figures.promise("integrity_check after each kill", said, set(killer.integrity) <= {"ok"})


def main() -> None:
    """Run in full."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--store", choices=STORES, action="append")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    broken = []
    for store in args.store or STORES:
        figures = Figures(f"Crash, {args.kills} kills, {store}, seed {args.seed}")
        with tempfile.TemporaryDirectory() as folder:
            run(Path(folder), args.kills, figures, store=store, seed=args.seed)
        figures.show()
        broken += figures.broken
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
