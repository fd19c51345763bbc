"""SQLite's files as a power cut leaves them: whether everything acknowledged is there, and whole.

    python -m tests.torture.power [--rounds 40] [--seed 1]

A killed process loses nothing that it has written, so killing one does not test whether it has its
files synced. Here, a library in C that is loaded before the C library (see `record_writes.c`)
records what the store writes and syncs through Python's own sqlite3, with the product's own
settings; a recording VFS would need another build of SQLite. From the record come the states that a
power cut may leave at each moment (see `disk.py`), and each one is opened with the product.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Container, Iterator
from pathlib import Path

from susracker.access.audit import SYSTEM, Act, AuditLog
from susracker.access.signing import PublicKey, public_path
from susracker.access.verification import verify
from susracker.errors import NotFoundError, SusrackerError
from susracker.stores.sqlite.store import SqliteStore
from tests.torture.checks import integrity
from tests.torture.compiler import build_library
from tests.torture.disk import SYNC, WRITE, Call, Disk, Pick, read_calls
from tests.torture.figures import Figures
from tests.torture.power_work import ACKNOWLEDGED, KEY, STORE, WANTED

SECTOR, PAGE = 512, 4096
RECORDER = Path(__file__).with_name("record_writes.c")

State = dict[str, bytes]


def record(folder: Path, rounds: int, *pragmas: str) -> list[Call]:
    """Let the store work in a process of its own, and return what it wrote and synced."""
    library, to, site = (folder / name for name in ("recorder.so", "record", "site"))
    build_library(RECORDER, library)
    site.mkdir()
    variables = {"RECORD_FOLDER": str(site), "RECORD_TO": str(to), "LD_PRELOAD": str(library)}
    work = [sys.executable, "-m", "tests.torture.power_work", str(site), str(rounds), *pragmas]
    subprocess.run(work, check=True, env=os.environ | variables)
    return list(read_calls(to))


def states(
    calls: list[Call], root: Path, cuts: Container[int], chosen: random.Random
) -> Iterator[tuple[str, State]]:
    """States that a cut after some of the calls may leave, each once, and of what kind they are."""
    disk = Disk(str(root))
    known: set[bytes] = set()
    for number, call in enumerate(calls):
        disk.apply(call)
        for kind, pick, grain in _kinds(chosen) if number in cuts else ():
            said = {str(root / ACKNOWLEDGED): disk.now().get(str(root / ACKNOWLEDGED), b"")}
            state = disk.after_cut(pick, grain) | said
            digest = _digest(state)
            if digest not in known:
                known.add(digest)
                yield kind, state


def _kinds(chosen: random.Random) -> Iterator[tuple[str, Pick, int | None]]:
    def some(most: int) -> int:
        return chosen.randint(0, most)

    yield "only what was synced", lambda most: 0, None
    yield "everything", lambda most: most, None
    yield "some of the writes", some, None
    yield "some of the pages of 4 KB", some, PAGE
    yield "some of the sectors", some, SECTOR


def _digest(state: State) -> bytes:
    digest = hashlib.blake2b()
    for path, content in sorted(state.items()):
        digest.update(f"{path}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.digest()


def lay_out(state: State, root: Path, folder: Path) -> None:
    """Write a state into a folder, as if it were the one that was recorded."""
    shutil.rmtree(folder, ignore_errors=True)
    for path, content in state.items():
        place = folder / Path(path).relative_to(root)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


def problems(folder: Path) -> list[str]:
    """What is wrong with a state: what the product says where it does not open, else what was
    acknowledged and is missing, and what is there by half."""
    said = (folder / ACKNOWLEDGED).read_text().splitlines()
    try:
        with SqliteStore.open(folder / STORE) as store:
            found = [*_lost(store, said), *_halves(store), *_broken_audit(store, folder)]
    except SusrackerError as error:
        return [f"does not open: {type(error).__name__}"]
    whole = integrity(folder / STORE)
    return found if whole == "ok" else [*found, f"integrity_check: {whole}"]


def _lost(store: SqliteStore, said: list[str]) -> Iterator[str]:
    """What was acknowledged and does not hold."""
    for line in said:
        kind, number = line.split()
        if not _HOLDS[kind](store, number):
            yield f"{kind} lost"


def _has_alert(store: SqliteStore, number: str) -> bool:
    try:
        return store.alert(f"a-{number}").criminal_id == WANTED
    except NotFoundError:
        return False


def _has_person(store: SqliteStore, number: str) -> bool:
    return bool(store.criminals([f"p-{number}"]))


_HOLDS: dict[str, Callable[[SqliteStore, str], bool]] = {
    "alert": _has_alert,
    "review": lambda store, number: bool(store.judgements([f"a-{number}"])),
    # One with an odd number is removed soon after.
    "person": lambda store, number: int(number) % 2 == 1 or _has_person(store, number),
    "removed": lambda store, number: not _has_person(store, number),
    "entry": lambda store, number: bool(store.audit(int(number) - 1, 1)),
}


def _halves(store: SqliteStore) -> Iterator[str]:
    """What is there by half: an alert without its sighting, or its event, and the like."""
    alerts = {alert.id[2:]: alert for alert in store.alerts(limit=10**6)}
    if alerts.keys() != {one.id[2:] for one in store.sightings(WANTED)}:
        yield "alerts and sightings differ"
    for number, alert in alerts.items():
        outcome = store.event_outcome("cam-1", f"e-{number}")
        if outcome is None or [one.id for one in outcome.alerts] != [alert.id]:
            yield "an alert without its event"
        if (alert.status == "confirmed") != bool(store.judgements([alert.id])):
            yield "an alert whose status is not its review's"
    for person in store.criminals():
        photos = len(store.photo_ids(person.id)), len(store.templates(person.id))
        if photos != ((0, 0) if person.id == WANTED else (1, 1)):
            yield "a person without photo or template"


def _broken_audit(store: SqliteStore, folder: Path) -> Iterator[str]:
    """Whether the chain is whole, and goes on."""
    AuditLog.open(store, str(folder / KEY)).note(Act(**SYSTEM, action="after the cut"))
    public = PublicKey.load(public_path(folder / KEY))
    found = verify(store.audit(limit=10**6), store.audit_head(), public)
    yield from (f"audit: {problem}" for problem in found.problems)


def run(
    folder: Path,
    rounds: int,
    figures: Figures,
    *pragmas: str,
    cuts: int | None = None,
    seed: int = 1,
) -> None:
    """Record, cut the power, and look at what is left.

    Args:
        pragmas: what to set besides the product's own settings, to see whether it is noticed.
        cuts: at how many moments, drawn at random; None for after every call.
    """
    calls, root, chosen = record(folder, rounds, *pragmas), folder / "site", random.Random(seed)
    _show_record(calls, root, figures)
    drawn = range(len(calls)) if cuts is None else set(chosen.sample(range(len(calls)), cuts))
    looked_at, wrong = Counter[str](), Counter[str]()
    for kind, state in states(calls, root, drawn, chosen):
        lay_out(state, root, folder / "cut")
        looked_at[kind] += 1
        wrong.update({f"{kind}: {problem}" for problem in problems(folder / "cut")})
        print(f"\r{looked_at.total():,} states", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    for kind, count in looked_at.items():
        found = {name: n for name, n in wrong.items() if name.startswith(f"{kind}: ")}
        figures.promise(f"states with {kind}", found or f"{count:,} whole", not found)


def _show_record(calls: list[Call], root: Path, figures: Figures) -> None:
    """What was recorded, and whether nothing is missing in it."""
    disk = Disk(str(root))
    for call in calls:
        disk.apply(call)
    kinds = Counter(call.kind for call in calls)
    figures.note("calls", f"{len(calls):,}: {kinds[WRITE]:,} writes, {kinds[SYNC]:,} syncs")
    there = {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    figures.promise("the record leads to the files that are there", len(there), disk.now() == there)


def main() -> None:
    """Run in full."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    figures = Figures(f"Power cut, {args.rounds} rounds, seed {args.seed}")
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), args.rounds, figures, seed=args.seed)
    figures.exit()


if __name__ == "__main__":
    main()
