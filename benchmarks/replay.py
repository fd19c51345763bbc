"""A replay beside the bare tracker, on the same detections, in turns.

    python benchmarks/replay.py
    python benchmarks/replay.py --detections 1000 --rounds 2 --json replay.json

The recording is of real crops, again and again, one in twenty of an enrolled person. The tracker
handles the same detections in a loop, and has them in memory; the replay reads them from disk. With
--workers 1 both use one thread; the replay uses more where there are more.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
from galleries import FACES, real_faces, sqlite_gallery
from platformdirs import user_cache_path

from susracker.config import Settings
from susracker.loading import make_settings
from susracker.models import Detection
from susracker.recording.edit import write_new
from susracker.recording.format import Recorded
from susracker.replay.results import result_of, settings_of, write_results
from susracker.replay.run import Pace, open_replay_tracker, run
from susracker.replay.sources import RecordingSource
from susracker.runtime.threads import one_core_a_thread

BEGAN = datetime(2026, 1, 1, tzinfo=timezone.utc)
ENROLLED = 1000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--detections", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--workers", type=int, action="append", help="may be given again")
    parser.add_argument("--faces", type=Path, default=FACES, help="a folder a person")
    parser.add_argument("--work", type=Path, default=user_cache_path("susracker-bench"))
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    options = parser.parse_args()
    one_core_a_thread()
    options.work.mkdir(parents=True, exist_ok=True)
    enrolled, posted = real_faces(options.faces)
    store = sqlite_gallery(options.work, ENROLLED, enrolled)
    settings = make_settings({"store": store})
    crops = itertools.cycle([face.crop for face in posted])
    shift = [detection(number, next(crops)) for number in range(options.detections)]
    found = []
    with tempfile.TemporaryDirectory() as folder:
        night = Path(folder) / "night"
        write_new(night, shift, lambda: None)
        for workers in options.workers or [1, 2]:
            pairs = [
                (bare(settings, shift), replayed(settings, night, workers))
                for _ in range(options.rounds)
            ]
            per_second = [options.detections / float(np.median(one)) for one in np.array(pairs).T]
            found.append(
                {
                    "detections": options.detections,
                    "workers": workers,
                    "bare_per_second": per_second[0],
                    "replay_per_second": per_second[1],
                    "replay_over_bare": per_second[1] / per_second[0],
                }
            )
    print(json.dumps(found, indent=2))
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))


def detection(number: int, crop: bytes) -> Recorded:
    moment = BEGAN + timedelta(seconds=number / 10)
    return Recorded(Detection(f"camera-{number % 32}", "hall", "face", moment, crop), moment)


def bare(settings: Settings, shift: list[Recorded]) -> float:
    """Seconds of the tracker alone."""
    with open_replay_tracker(settings, BEGAN) as tracker:
        began = time.perf_counter()
        for one in shift:
            tracker.handle(one.detection)
        return time.perf_counter() - began


def replayed(settings: Settings, night: Path, workers: int) -> float:
    """Seconds of a replay, from disk to a file of results."""
    with open_replay_tracker(settings, BEGAN) as tracker:
        began = time.perf_counter()
        steps = run(tracker, RecordingSource(night), workers, Pace(math.inf))
        write_results(night.with_name("results.jsonl"), settings_of(tracker), map(result_of, steps))
        return time.perf_counter() - began


if __name__ == "__main__":
    main()
