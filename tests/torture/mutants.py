"""Runs mutated pictures through decoder and detector, in a process of its own that may die.

    python -m tests.torture.mutants CHECK SEED PLACE FOLDER

The parent, `run`, sees the numbers of `Counts`, which both have in memory. What breaks is saved in
a folder: a picture that broke something, and beside it a text that says what.
"""

from __future__ import annotations

import faulthandler
import importlib
import mmap
import os
import signal
import struct
import subprocess
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from susracker.errors import PictureError
from susracker.faces.images import decode, media_type, thumbnail
from susracker.plugins import open_detector
from tests.torture.mutations import Seed, mutant, seeds
from tests.torture.processes import peak_bytes, resident_bytes

MOST_SECONDS = 1.0
"""CPU time that a picture may take."""

HANG_SECONDS = 10.0
"""CPU time after which the process is killed."""

SEARCHED_ONE_IN = 12
"""How many of the small pictures that decode are searched for faces, which takes 10 ms."""

WARM_UP = 2
"""The number with which seeds are tried: faces are searched for in those that show one."""

SAVED_OF_A_KIND = 3
THUMBNAIL_BYTES = 20_000

READINGS_EVERY = 500

Check = Callable[["Counts", Seed, bytes, int], None]


class Counts:
    """Numbers that are in a file which parent and child map into memory."""

    NAMES = (
        "current",
        "end",
        "decoded",
        "searched",
        "with_faces",
        "broken",
        "slowest",
        "slowest_microseconds",
        "over_a_tenth",
        "start_bytes",
        "peak_bytes",
        "end_bytes",
    )

    def __init__(self, file: Path) -> None:
        if not file.exists():
            file.write_bytes(bytes(8 * len(self.NAMES)))
        with file.open("r+b") as opened:
            self._memory = mmap.mmap(opened.fileno(), 0)

    def __getitem__(self, name: str) -> int:
        return int(struct.unpack_from("<Q", self._memory, 8 * self.NAMES.index(name))[0])

    def __setitem__(self, name: str, value: int) -> None:
        struct.pack_into("<Q", self._memory, 8 * self.NAMES.index(name), value)


def check(counts: Counts, seed: Seed, data: bytes, number: int) -> None:
    """Decode a picture, and do with some of those that decode what a server does."""
    try:
        picture = decode(data)
    except PictureError:
        return
    counts["decoded"] += 1
    assert picture.ndim == 3
    assert picture.shape[2] == 3
    assert picture.dtype == "uint8"
    assert media_type(data)
    if number % (2 if seed.is_face else SEARCHED_ONE_IN) == 0:
        faces = open_detector().find(picture)
        assert all(face.jpeg(0.2) for face in faces)
        assert len(thumbnail(data, THUMBNAIL_BYTES)) <= THUMBNAIL_BYTES
        counts["searched"] += 1
        counts["with_faces"] += bool(faces)


def run(
    count: int,
    seed: str,
    folder: Path,
    *,
    seconds: float = float("inf"),
    check_name: str = "tests.torture.mutants:check",
    on_progress: Callable[[Counts], None] = lambda counts: None,
) -> Counts:
    """Run so many mutants, and go on with the next where one kills the process.

    Args:
        folder: outside the repository; what breaks is saved in it.
        seconds: stop after this time, by the clock.
        check_name: what is done with each, as "module:function".
    """
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / "counts"
    place.unlink(missing_ok=True)
    counts, end = Counts(place), time.monotonic() + seconds
    counts["end"] = count
    command = [sys.executable, "-m", __name__, check_name, seed, str(place), str(folder)]
    while counts["current"] < count:
        with (
            (folder / "stderr").open("wb") as errors,
            subprocess.Popen(command, stderr=errors) as child,
        ):
            while child.poll() is None:
                time.sleep(0.1)
                on_progress(counts)
                if time.monotonic() > end:
                    counts["end"] = 0  # the child ends after the present picture
        if child.returncode == 0:
            return counts
        _note_death(counts, seed, folder, child.returncode)
    return counts


def _note_death(counts: Counts, seed: str, folder: Path, status: int) -> None:
    number, trace = counts["current"], (folder / "stderr").read_text(errors="replace")
    if status > 0:
        raise RuntimeError(f"the process that decodes ended with {status}: {trace}")
    how = signal.Signals(-status).name
    what = f"over {HANG_SECONDS} s of CPU time" if -status == signal.SIGPROF else f"killed by {how}"
    counts["broken"] += 1
    counts["current"] = number + 1
    _save(folder, seed, number, f"{what}\n{trace}")


def _save(folder: Path, seed: str, number: int, what: str) -> None:
    made_of, data = mutant(seed, number)
    (folder / f"{number}.bin").write_bytes(data)
    (folder / f"{number}.txt").write_text(f"{made_of.name}\n{what}\n")


class _Child:
    """What the child process does."""

    def __init__(self, check: Check, seed: str, place: Path, folder: Path) -> None:
        self._check, self._seed, self._folder = check, seed, folder
        self._counts = Counts(place)
        self._saved: Counter[str] = Counter()

    def run(self) -> None:
        self._warm_up()
        while self._counts["current"] < self._counts["end"]:
            number = self._counts["current"]
            self._try(number)
            if number % READINGS_EVERY == 0:
                self._read_memory()
            self._counts["current"] = number + 1
        self._read_memory()

    def _warm_up(self) -> None:
        """Whatever stays in memory is there before the memory is read for the first time."""
        before = {name: self._counts[name] for name in Counts.NAMES}
        for one in seeds():
            self._check(self._counts, one, one.data, WARM_UP)
        for name, value in before.items():
            self._counts[name] = value
        self._counts["start_bytes"] = before["start_bytes"] or resident_bytes(os.getpid())

    def _try(self, number: int) -> None:
        made_of, data = mutant(self._seed, number)
        signal.setitimer(signal.ITIMER_PROF, HANG_SECONDS)  # its default action ends the process
        began = time.process_time()
        try:
            self._check(self._counts, made_of, data, number)
        except Exception as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            kind = f"{type(error).__name__} in {frame.filename}:{frame.lineno}"
            self._note(number, kind, traceback.format_exc())
        took = time.process_time() - began
        self._note_time(number, took)

    def _note_time(self, number: int, took: float) -> None:
        counts = self._counts
        counts["over_a_tenth"] += took > 0.1
        if took * 1e6 > counts["slowest_microseconds"]:
            counts["slowest"], counts["slowest_microseconds"] = number, int(took * 1e6)
        if took > MOST_SECONDS:
            self._note(number, "slow", f"took {took:.2f} s of CPU time")

    def _note(self, number: int, kind: str, what: str) -> None:
        self._counts["broken"] += 1
        self._saved[kind] += 1
        if self._saved[kind] <= SAVED_OF_A_KIND:
            _save(self._folder, self._seed, number, what)

    def _read_memory(self) -> None:
        counts, process = self._counts, os.getpid()
        counts["end_bytes"] = resident_bytes(process)
        counts["peak_bytes"] = max(counts["peak_bytes"], peak_bytes(process))


if __name__ == "__main__":
    name, seed, place, folder = sys.argv[1:]
    module, _, function = name.partition(":")
    used = getattr(importlib.import_module(module), function)
    faulthandler.enable()
    warnings.simplefilter("ignore")  # Pillow warns of the damage
    _Child(used, seed, Path(place), Path(folder)).run()
