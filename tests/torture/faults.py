"""A disk that is full, read-only, slow or broken, a database that is locked, gone or damaged, and
a wrong clock, while cameras post.

    python -m tests.torture.faults [NAME ...]

The disk and the clock are hindered by a library that is loaded before the C library (see
`hinder.c`): so no program needs root, and a disk fails under a file that is open, which neither
`chmod` nor a mount does to a server that runs.
"""

from __future__ import annotations

import argparse
import errno
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from susracker.plugins import open_store
from susracker.stores.sqlite.schema import PAGE_SIZE
from susracker.stores.sqlite.store import SqliteStore
from tests.torture.checks import all_alerts, check_cameras, check_traces
from tests.torture.figures import Figures, milliseconds
from tests.torture.load import Camera, Ledger
from tests.torture.people import enroll_both, strangers, wanted
from tests.torture.site import READY_SECONDS, Site, wait_until

HINDRANCE = Path(__file__).with_name("hinder.c")
CAMERAS = 3
EVENTS_A_SECOND = 4.0
COOLDOWN_SECONDS = 1.0
NOTICED_SECONDS = 2.0
SLOW_MILLISECONDS = 200
HOUR, DAY = 3600, 86_400


class Place:
    """A site whose store is on a disk, and whose server has a clock, that can be hindered."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.disk = folder / "disk"
        self.disk.mkdir()
        self.file = self.disk / "site.db"
        self.strangers = strangers()
        self._control = folder / "hindrance"
        self.hinder()
        url = f"sqlite:///{self.file}"
        enroll_both(url)
        variables = {
            "LD_PRELOAD": str(_build(folder)),
            "HINDER": str(self._control),
            "HINDER_FOLDER": str(self.disk),
        }
        flags = ("--cooldown-seconds", f"{COOLDOWN_SECONDS:g}")
        self.site = Site(folder, *flags, variables=variables, store=url)
        stack.enter_context(self.site)

    def hinder(self, milliseconds: int = 0, error: int = 0, seconds: int = 0) -> None:
        """Make each write take so long or fail, and the clock be ahead."""
        draft = self._control.with_suffix(".new")
        draft.write_text(f"{milliseconds} {error} {seconds}")
        draft.replace(self._control)

    def problem(self) -> str:
        """What `/readyz` says is wrong; nothing if it is ready."""
        answer = self.site.get("/readyz")
        return str(answer.json()["problem"]) if answer.status_code != 200 else ""


def _build(folder: Path) -> Path:
    library = folder / "hinder.so"
    build = ["gcc", "-O2", "-shared", "-fPIC", "-o", str(library), str(HINDRANCE)]
    subprocess.run(build, check=True)
    return library


Harm = Callable[[Place], AbstractContextManager[None]]
"""Does something to a place, and undoes it in the end."""


def hindered(milliseconds: int = 0, error: int = 0, seconds: int = 0) -> Harm:
    """See `Place.hinder`."""

    @contextmanager
    def harm(place: Place) -> Iterator[None]:
        place.hinder(milliseconds, error, seconds)
        yield
        place.hinder()

    return harm


@contextmanager
def locked(place: Place) -> Iterator[None]:
    """Another program is in the middle of writing."""
    with closing(sqlite3.connect(place.file, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def deleted(place: Place) -> Iterator[None]:
    """The file is gone; in the end it is put back."""
    away = place.file.with_name("away.db")
    place.file.rename(away)
    yield
    away.rename(place.file)


@contextmanager
def replaced(place: Place) -> Iterator[None]:
    """Another store lies there in its place."""
    away, other = (place.file.with_name(name) for name in ("away.db", "other.db"))
    SqliteStore.open(other).close()
    place.file.rename(away)
    other.rename(place.file)
    yield
    away.rename(place.file)


@contextmanager
def corrupted(place: Place) -> Iterator[None]:
    """All pages but the first are overwritten; in the end somebody restores the files."""
    kept = place.folder / "kept"
    place.site.pause()
    with closing(sqlite3.connect(place.file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    shutil.copytree(place.disk, kept)
    size = place.file.stat().st_size
    with place.file.open("r+b") as file:
        file.seek(PAGE_SIZE)
        file.write(b"\xa5" * (size - PAGE_SIZE))
    place.site.resume()
    yield
    place.site.kill()
    shutil.rmtree(place.disk)
    kept.rename(place.disk)
    place.site.start()


@dataclass(frozen=True)
class Fault:
    """What happens to a server.

    Attributes:
        words: what `/readyz` says, as a regular expression; empty if the server works on.
        restarts: whether somebody starts the server again to heal it.
    """

    harm: Harm
    words: str
    restarts: bool = False


FAULTS = {
    "disk full": Fault(hindered(error=errno.ENOSPC), "full: free some space"),
    "disk read-only": Fault(hindered(error=errno.EROFS), "check its disk"),
    "disk broken": Fault(hindered(error=errno.EIO), "check its disk"),
    "database locked": Fault(locked, "another program is writing"),
    "database deleted": Fault(deleted, "deleted or replaced .*: put the file back"),
    "database replaced": Fault(replaced, "deleted or replaced .*: put the file back"),
    "database corrupted": Fault(corrupted, "damaged: .*restore it from a backup", True),
    "disk slow": Fault(hindered(milliseconds=SLOW_MILLISECONDS), "its disk is slow"),
    "clock an hour back": Fault(hindered(seconds=-HOUR), ""),
    "clock a day ahead": Fault(hindered(seconds=DAY), ""),
}


class Trial:
    """One fault, while cameras post."""

    def __init__(self, place: Place, name: str, figures: Figures) -> None:
        self._place, self._name, self._figures = place, name, figures
        self._fault = FAULTS[name]
        self._ledger = Ledger()
        self._cameras = [
            Camera(
                place.site.url,
                f"{name} {number}".replace(" ", "-"),
                [*wanted().values(), *place.strangers],
                self._ledger,
                per_second=EVENTS_A_SECOND,
            )
            for number in range(CAMERAS)
        ]

    def run(self, seconds: float, noticed_seconds: float) -> None:
        """Let the fault last so long once it is noticed, and heal it."""
        for camera in self._cameras:
            camera.start()
        wait_until(lambda: len(self._ledger.answered) > CAMERAS, READY_SECONDS)
        with self._fault.harm(self._place):
            if self._fault.words:
                self._see_it_noticed(noticed_seconds)
            before = len(self._ledger.answered)
            time.sleep(seconds)
            during = len(self._ledger.answered) - before
        self._see_it_healed()
        for camera in self._cameras:
            camera.stop()
        for camera in self._cameras:
            camera.join()
        self._show(during)

    def _see_it_noticed(self, seconds: float) -> None:
        began = time.monotonic()
        told = wait_until(self._is_told, READY_SECONDS)
        took = time.monotonic() - began
        shown = f"after {took:.1f} s: {self._place.problem()}"
        self._promise("/readyz knows", shown, told and took <= seconds)

    def _is_told(self) -> bool:
        return re.search(self._fault.words, self._place.problem()) is not None

    def _see_it_healed(self) -> None:
        began = time.monotonic()
        ready = wait_until(lambda: not self._place.problem(), READY_SECONDS)
        answered = len(self._ledger.answered)
        works = wait_until(lambda: len(self._ledger.answered) > answered + CAMERAS, READY_SECONDS)
        took = time.monotonic() - began
        self._promise("heals by itself", f"after {took:.1f} s", ready and works)

    def _show(self, during: int) -> None:
        ledger = self._ledger
        self._figures.note(f"{self._name}: answered with 200 meanwhile", during)
        self._figures.note(f"{self._name}: with 503 and Retry-After", milliseconds(ledger.refused))
        # While it is started again, nobody answers.
        other = [one for one in ledger.other if ":" in one or not self._fault.restarts]
        self._promise("other answers", Counter(other) or "none", not other)
        with open_store(self._place.site.store_url) as store:
            check_cameras(store, ledger, all_alerts(store), COOLDOWN_SECONDS, self._figures)

    def _promise(self, what: str, value: object, kept: bool) -> None:
        self._figures.promise(f"{self._name}: {what}", value, kept)


def run(
    folder: Path, names: Sequence[str], figures: Figures, seconds: float, noticed_seconds: float
) -> None:
    """Let a server suffer one fault after the other.

    Args:
        seconds: how long each lasts once it is noticed.
        noticed_seconds: within what time `/readyz` must know.
    """
    with ExitStack() as stack:
        place = Place(folder, stack)
        for name in names:
            print(name, file=sys.stderr, flush=True)
            Trial(place, name, figures).run(seconds, noticed_seconds)
        status = place.site.stop()
        figures.promise("exit status", status, status == 0)
        traces = place.site.log_text().count("Traceback")
        figures.promise("tracebacks in the log", traces, not traces)
        check_traces(folder, place.strangers, figures)


def main() -> None:
    """Run in full."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(FAULTS))
    parser.add_argument("--seconds", type=float, default=15)
    args = parser.parse_args()
    figures = Figures(f"Disk and database, {args.seconds:g} s each")
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), args.names or list(FAULTS), figures, args.seconds, NOTICED_SECONDS)
    figures.exit()


if __name__ == "__main__":
    main()
