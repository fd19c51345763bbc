"""How much of their errors the frames of one real pass share, by the time between them.

    python benchmarks/correlation.py ../shared/data/lfw-dev clip.mp4

Photos of different days share none, and a frame sent twice shares all. The first argument is a
folder with one folder of photos for each person; passes are the tracks of a video.
"""

from __future__ import annotations

import argparse
import statistics
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
from passages import embedded_people

from susracker.benchmark.datasets import Dataset, read_dataset
from susracker.config import DEFAULT_DETECTOR
from susracker.edge.cutter import FaceCutter
from susracker.edge.tracks import Tracks
from susracker.edge.video import Sampling, frames
from susracker.faces.images import decode
from susracker.plugins import open_detector, open_encoder
from susracker.runtime.threads import one_core_a_thread

VIDEO_FPS, GAPS = 10, (0.1, 0.2, 0.4, 0.6, 1.0, 1.5, 2.0, 3.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", type=Path)
    parser.add_argument("video", type=Path)
    options = parser.parse_args()
    one_core_a_thread()
    correlation(read_dataset(options.faces), options.video)


def correlation(dataset: Dataset, video: Path) -> None:
    """The templates of one person's photos have a mean cosine `m`, that of the part which they
    share. Frames whose errors have the correlation `r` have `m + r * (1 - m)`."""
    shared = statistics.mean(alike_apart(dataset))
    passes = [one for one in passes_of(video) if len(one) > 1]
    print(f"{len(passes)} passes; photos of different days have a mean cosine of {shared:.3f}")
    for gap in GAPS:
        cosines = [
            float(first @ other)
            for one in passes
            for (begun, first), (at, other) in combinations(one, 2)
            if abs(at - begun - gap) < 0.5 / VIDEO_FPS
        ]
        if cosines:
            mean, count = statistics.mean(cosines), len(cosines)
            errors = (mean - shared) / (1 - shared)
            print(f"  {gap} s apart: {mean:.3f}, errors correlated by {errors:.2f} ({count} pairs)")


def alike_apart(dataset: Dataset) -> Iterator[float]:
    """Cosines of the first two photos of each person who has several."""
    for person in embedded_people(dataset):
        if len(person.templates) > 1:
            yield float(person.templates[0] @ person.templates[1])


def passes_of(video: Path) -> list[list[tuple[float, np.ndarray]]]:
    """The templates of each track, with their seconds."""
    cutter, tracks, encoder = FaceCutter(), Tracks(), open_encoder("dlib")
    detector = open_detector(DEFAULT_DETECTOR)
    found = defaultdict(list)
    for frame in frames(str(video), Sampling(VIDEO_FPS)):
        cut = cutter.find(frame.picture)
        ids = tracks.follow([face.box for face in cut], frame.seconds)
        for one, track_id in zip(cut, ids, strict=True):
            for face in detector.find(decode(cutter.jpeg(one)))[:1]:
                template = encoder.encode(face.chip[None])[0]
                found[track_id].append((frame.seconds, template))
    return list(found.values())


if __name__ == "__main__":
    main()
