"""Makes the scoring that comes with susracker: a cohort of virtual people, and impostor scores.

    python tools/make_cohort.py ../shared/data/lfw-dev

FACES is a folder with one folder of photos a person. No row of the cohort is a real person's
embedding: each is a mixture of two people's (`susracker.scoring_fit.virtual_people`). The file is
`susracker/data/<encoder>.npz`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from susracker.benchmark.datasets import embed_people
from susracker.config import default_workers
from susracker.plugins import open_encoder
from susracker.scoring import MAX_CLASS, Scoring, fuse
from susracker.scoring_fit import fit_scoring
from susracker.threads import one_core_a_thread

DATA = Path(__file__).parent.parent / "susracker" / "data"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", type=Path)
    parser.add_argument("--encoder", default="dlib")
    options = parser.parse_args()
    one_core_a_thread()
    encoder = open_encoder(options.encoder)
    people = list(embed_people(options.faces, encoder, default_workers()).values())
    scoring = fit(people)
    DATA.mkdir(exist_ok=True)
    file = DATA / f"{encoder.id}.npz"
    np.savez_compressed(
        file,
        cohort=scoring.cohort.astype(np.float16),
        log_shares=scoring.log_shares.astype(np.float32),
    )
    print(f"{len(people)} people, {file.stat().st_size / 1e6:.1f} MB: {file}")
    for size in (1, 20, 800, 100_000):
        print(
            f"threshold for 1% of strangers and {size} enrolled: "
            f"{scoring.threshold(0.01, {1: size}):.2f}"
        )


def fit(people: list[np.ndarray]) -> Scoring:
    """People with one photo are the strangers; people with several are enrolled, with one photo,
    with two, and with `MAX_CLASS`."""
    strangers = np.stack([person[0] for person in people if len(person) == 1])
    enrolled = {
        kind: np.stack([fuse(person[:kind]) for person in people if len(person) >= max(kind, 2)])
        for kind in range(1, MAX_CLASS + 1)
    }
    shares = fit_scoring(strangers, enrolled).log_shares
    everyone = np.stack([person[0] for person in people])
    return Scoring(fit_scoring(everyone).cohort, shares)


if __name__ == "__main__":
    main()
