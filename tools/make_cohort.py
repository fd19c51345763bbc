"""Makes the scoring that comes with susracker: a cohort and its impostor distributions.

    python tools/make_cohort.py ../shared/data/lfw-dev

The argument is a folder with one folder of photos for each person. No row of the cohort is a real
person's embedding: each is a mixture of two people's, by
`susracker.watchlist.fitting.virtual_people`. The file is
`susracker/watchlist/data/<encoder>.npz`.
"""

from __future__ import annotations

import argparse
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from susracker.benchmark.cache import EmbeddingCache
from susracker.benchmark.datasets import read_dataset
from susracker.benchmark.embedding import Embedder
from susracker.benchmark.rules import stack_templates
from susracker.config import default_workers
from susracker.plugins import open_encoder
from susracker.runtime.threads import one_core_a_thread
from susracker.watchlist.fitting import COHORT_SIZE, fit_scoring, virtual_people
from susracker.watchlist.scoring import PROBE_COUNTS, Scoring, photo_mark

DATA = Path(__file__).parent.parent / "susracker" / "watchlist" / "data"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", type=Path)
    parser.add_argument("--encoder", default="dlib")
    options = parser.parse_args()
    one_core_a_thread()
    encoder = open_encoder(options.encoder)
    dataset = read_dataset(options.faces)
    with closing(EmbeddingCache()) as kept:
        embedded = Embedder(encoder, kept=kept).embed_all(dataset.photos, default_workers())
    found = (
        [embedded[p] for p in person if embedded[p].found] for person in dataset.people.values()
    )
    people = [stack_templates(photos) for photos in found if photos]
    scoring = fit(people)
    DATA.mkdir(exist_ok=True)
    file = DATA / f"{encoder.id}.npz"
    np.savez_compressed(
        file,
        cohort=scoring.cohort.astype(np.float16),
        log_shares=np.float32([scoring.log_shares, scoring.member_log_shares]),
        joined_people=scoring.measured_members,
        photos=np.array([photo_mark(photo) for photo in dataset.photos], np.uint32),
    )
    print(f"{len(people)} people, {file.stat().st_size / 1e6:.1f} MB: {file}")
    for size in (1, 20, 800, 100_000):
        thresholds = (scoring.threshold(0.01, {1: size}, count) for count in PROBE_COUNTS)
        print(
            f"thresholds for an FPIR of 1% with {size} enrolled, by number of probes: "
            + ", ".join(f"{one:.2f}" for one in thresholds)
        )


def fit(people: list[np.ndarray]) -> Scoring:
    """Fit the impostor distributions, with people with several photos enrolled and the others as
    probes, and with the former's photos fused as probes of each other; then make the cohort from
    everyone."""
    probes = np.stack([person[0] for person in people if len(person) == 1])
    enrolled = [person for person in people if len(person) > 1]
    scoring = fit_scoring(probes, enrolled, dict(enumerate(enrolled)))
    everyone = np.stack([person[0] for person in people])
    return replace(scoring, cohort=virtual_people(everyone, COHORT_SIZE, np.random.default_rng(0)))


if __name__ == "__main__":
    main()
