"""Makes the scoring that comes with susracker: a cohort and its impostor distributions.

    python tools/make_cohort.py ../shared/data/lfw-dev

The argument is a folder with one folder of photos for each person. No row of the cohort is a real
person's embedding: each is a mixture of two people's, by
`susracker.watchlist.fitting.virtual_people`. The file is
`susracker/watchlist/data/<encoder>.npz`. `susracker encoder fit` does the same for a network of a
site's own.
"""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path

from susracker.benchmark.cache import EmbeddingCache
from susracker.benchmark.datasets import read_dataset
from susracker.benchmark.fitted import fit_encoder
from susracker.config import default_workers
from susracker.plugins import open_encoder
from susracker.runtime.threads import one_core_a_thread
from susracker.watchlist.scoring import PROBE_COUNTS, scoring_bytes

DATA = Path(__file__).parent.parent / "susracker" / "watchlist" / "data"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", type=Path)
    parser.add_argument("--encoder", default="dlib")
    options = parser.parse_args()
    one_core_a_thread()
    encoder = open_encoder(options.encoder)
    with closing(EmbeddingCache()) as kept:
        fitted = fit_encoder(encoder, read_dataset(options.faces), kept, default_workers())
    DATA.mkdir(exist_ok=True)
    file = DATA / f"{encoder.id}.npz"
    file.write_bytes(scoring_bytes(fitted.scoring, fitted.photos))
    print(f"{fitted.people} people, {file.stat().st_size / 1e6:.1f} MB: {file}")
    for size in (1, 20, 800, 100_000):
        thresholds = (fitted.scoring.threshold(0.01, {1: size}, count) for count in PROBE_COUNTS)
        print(
            f"thresholds for an FPIR of 1% with {size} enrolled, by number of probes: "
            + ", ".join(f"{one:.2f}" for one in thresholds)
        )


if __name__ == "__main__":
    main()
