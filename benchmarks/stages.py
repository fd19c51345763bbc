"""Where the CPU of one crop goes, step by step, without HTTP.

    python benchmarks/stages.py
    python benchmarks/stages.py --pictures tight --rounds 5 --json stages.json

Crops of real people who are not enrolled, each on a camera of its own, are handled one by one, with
1,000 people enrolled. A step counts without the steps inside it, in CPU time of its thread: the
least of several rounds, since a busy machine makes each slower.
"""

from __future__ import annotations

import argparse
import functools
import json
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from galleries import FACES, PICTURES, real_faces, sqlite_gallery
from platformdirs import user_cache_path
from rich.console import Console
from rich.table import Table

from susracker.faces import alignment, cnn, cnn_detector, detector, encoder, face
from susracker.loading import make_settings
from susracker.matchers.exact import ExactMatcher
from susracker.models import Detection
from susracker.runtime.clock import utc_now
from susracker.runtime.threads import one_core_a_thread
from susracker.tracking.passages import Passages
from susracker.tracking.recogniser import Recogniser
from susracker.tracking.tracker import Tracker
from susracker.watchlist.gallery import ScoredGallery
from susracker.watchlist.scoring import Scoring

STEPS: tuple[tuple[Any, str, str], ...] = (
    (detector, "decode", "decode"),
    (cnn, "resized", "detector: scaled copy"),
    (cnn, "_scores", "detector: network"),
    (cnn.Cnn, "windows", "detector: around the network"),
    (cnn_detector, "faces_of", "detector: windows put together"),
    (alignment, "light_of", "brightness"),
    (cnn, "gain_of", "brightness"),
    (cnn_detector, "locate", "landmarks"),
    (cnn_detector, "box_of", "box of the landmarks"),
    (face, "chip_of", "aligned chip"),
    (face, "measure", "quality"),
    (encoder.DlibInt8Encoder, "embed", "fast embedding"),
    (encoder.DlibEncoder, "encode", "full embedding"),
    (Scoring, "statistics", "cohort statistics"),
    (ExactMatcher, "search", "search"),
    (ScoredGallery, "_scores", "scores"),
    (Passages, "add", "passages"),
    (Recogniser, "see", "around the faces"),
    (Tracker, "conclude", "store"),
    (Tracker, "handle", "everything else"),
)


class Stopwatch:
    """CPU nanoseconds and calls of each step, without those inside it, on the thread that made it;
    others search, too, in the background."""

    def __init__(self, steps: Sequence[tuple[Any, str, str]]) -> None:
        self.spent: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self._inside: list[int] = []
        self._thread = threading.get_ident()
        for owner, name, label in steps:
            setattr(owner, name, self._timed(getattr(owner, name), label))

    def _timed(self, function: Any, label: str) -> Any:
        @functools.wraps(function)
        def timed(*args: Any, **options: Any) -> Any:
            if threading.get_ident() != self._thread:
                return function(*args, **options)
            self._inside.append(0)
            began = time.thread_time_ns()
            try:
                return function(*args, **options)
            finally:
                spent = time.thread_time_ns() - began
                self.spent[label] += spent - self._inside.pop()
                self.calls[label] += 1
                if self._inside:
                    self._inside[-1] += spent

        return timed


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", choices=PICTURES, default="margin")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--faces", type=Path, default=FACES, help="a folder a person")
    parser.add_argument("--work", type=Path, default=user_cache_path("susracker-bench"))
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    one_core_a_thread()
    enrolled, posted = real_faces(options.faces)
    names = {one.name for one in enrolled}
    crops = [one.pictures[options.pictures] for one in posted if one.name not in names]
    url = sqlite_gallery(options.work, 1000, enrolled)
    with tempfile.TemporaryDirectory() as folder:
        file = shutil.copy(url.removeprefix("sqlite:///"), folder)
        rows = measure(make_settings({"store": f"sqlite:///{file}"}), crops, options.rounds)
    show(rows, options.pictures)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2))


def measure(settings: Any, crops: Sequence[bytes], rounds: int) -> list[dict[str, Any]]:
    """Milliseconds and calls of each step for a crop, most first."""
    watch = Stopwatch(STEPS)
    least: dict[str, float] = {}
    with Tracker.from_settings(settings) as tracker:
        tracker.watchlist.prepare(1000)
        for number in range(rounds + 1):
            watch.spent.clear()
            watch.calls.clear()
            for camera, crop in enumerate(crops):
                tracker.handle(Detection(f"{number}-{camera}", "hall", "face", utc_now(), crop))
            if number:  # the first is slower
                for label, spent in watch.spent.items():
                    least[label] = min(spent / len(crops) / 1e6, least.get(label, float("inf")))
    rows = [
        {"step": label, "ms": spent, "calls": watch.calls[label] / len(crops)}
        for label, spent in least.items()
    ]
    return sorted(rows, key=lambda row: -row["ms"])


def show(rows: Sequence[dict[str, Any]], pictures: str) -> None:
    table = Table("step", "CPU ms", "times a crop", title=f"a crop, {pictures}")
    for row in rows:
        table.add_row(row["step"], f"{row['ms']:.2f}", f"{row['calls']:.2f}")
    table.add_row("in all", f"{sum(row['ms'] for row in rows):.2f}", "")
    Console().print(table)


if __name__ == "__main__":
    main()
