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
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path

from susracker.stores.sqlite.schema import PAGE_SIZE
from susracker.stores.sqlite.store import SqliteStore
from tests.torture.compiler import build_library
from tests.torture.figures import Figures
from tests.torture.people import enroll_both, strangers
from tests.torture.site import Site
from tests.torture.trial import COOLDOWN_SECONDS, NOTICED_SECONDS, Fault, suffer

HINDRANCE = Path(__file__).with_name("hinder.c")
SLOW_MILLISECONDS = 200
HOUR, DAY = 3600, 86_400


class HinderedPlace:
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


def _build(folder: Path) -> Path:
    library = folder / "hinder.so"
    build_library(HINDRANCE, library)
    return library


Harm = Callable[[HinderedPlace], AbstractContextManager[None]]
"""Does something to a place, and undoes it in the end."""


def hindered(milliseconds: int = 0, error: int = 0, seconds: int = 0) -> Harm:
    """See `HinderedPlace.hinder`."""

    @contextmanager
    def harm(place: HinderedPlace) -> Iterator[None]:
        place.hinder(milliseconds, error, seconds)
        yield
        place.hinder()

    return harm


@contextmanager
def locked(place: HinderedPlace) -> Iterator[None]:
    """Another program is in the middle of writing."""
    with closing(sqlite3.connect(place.file, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def deleted(place: HinderedPlace) -> Iterator[None]:
    """The file is gone; in the end it is put back."""
    away = place.file.with_name("away.db")
    place.file.rename(away)
    yield
    away.rename(place.file)


@contextmanager
def replaced(place: HinderedPlace) -> Iterator[None]:
    """Another store lies there in its place."""
    away, other = (place.file.with_name(name) for name in ("away.db", "other.db"))
    SqliteStore.open(other).close()
    place.file.rename(away)
    other.rename(place.file)
    yield
    away.rename(place.file)


@contextmanager
def corrupted(place: HinderedPlace) -> Iterator[None]:
    """All pages but the first are overwritten; in the end somebody restores the files."""
    kept = place.folder / "kept"
    _pause_between_writes(place)
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


def _pause_between_writes(place: HinderedPlace) -> None:
    """Let the server stand still, with nothing in the log of its store and nothing read ahead.

    Else it could go on writing to a store that is damaged until it reads a page that it does not
    remember, and what it has answered until then is not in the copy that is restored.
    """
    place.site.pause()
    while not _emptied_log(place.file):
        place.site.resume()
        place.site.pause()


def _emptied_log(file: Path) -> bool:
    """Whether no statement is going on; then others read all pages again, for there is a write."""
    with closing(sqlite3.connect(file, timeout=0.1, isolation_level=None)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        try:
            connection.execute(f"PRAGMA user_version = {version}")
        except sqlite3.OperationalError:
            return False
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy


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


def run(
    folder: Path,
    names: Iterable[str],
    figures: Figures,
    seconds: float,
    noticed_seconds: float = NOTICED_SECONDS,
) -> None:
    """Let a server suffer some of the faults: see `suffer`."""
    with ExitStack() as stack:
        chosen = {name: FAULTS[name] for name in names}
        suffer(HinderedPlace(folder, stack), chosen, figures, seconds, noticed_seconds)


def main() -> None:
    """Run in full."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(FAULTS))
    parser.add_argument("--seconds", type=float, default=15)
    args = parser.parse_args()
    figures = Figures(f"Disk and database, {args.seconds:g} s each")
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), args.names or FAULTS, figures, args.seconds)
    figures.exit()


if __name__ == "__main__":
    main()
