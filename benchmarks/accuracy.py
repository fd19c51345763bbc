"""Misses among strangers, on a folder of photos, fitted to other strangers than it is tested on.

    python benchmarks/accuracy.py ../shared/data/lfw-dev

People with several photos are enrolled with the first K (one is kept back) and searched with the
rest; people with one photo are the strangers. Cohort and impostor scores are fitted to one half of
the strangers, with the enrolled people as whom they are mistaken for; the other half tests them,
and then the halves change places. Printed are means over REPEATS ways to halve. The scoring that
comes with susracker is not used: it was made of people of this folder.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import numpy as np

from susracker.benchmark.datasets import embed_people
from susracker.config import default_workers
from susracker.plugins import open_encoder
from susracker.scoring import MAX_CLASS, Scoring, fuse, normalise, template_class
from susracker.scoring_fit import fit_scoring
from susracker.threads import one_core_a_thread

RATES = (0.1, 0.01)
TARGET = 0.01
SETTINGS = ((1, 2), (3, 2), (3, 4))
"""Photos each at most, and the least number of photos of who is enrolled."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    logging.basicConfig(level="ERROR")
    one_core_a_thread()
    people = list(embed_people(options.faces, open_encoder("dlib"), default_workers()).values())
    strangers = np.stack([person[0] for person in people if len(person) == 1])
    print(
        f"{'photos each':>11} {'enrolled':>8} {'rule':>8} {'FNIR@10%':>9} {'FNIR@1%':>8} "
        f"{'target':>7} {'FPIR':>7} {'FNIR':>7}"
    )
    for photos, least in SETTINGS:
        enrolled = [person for person in people if len(person) >= least]
        report(enrolled, strangers, photos, options.repeats)


def report(enrolled: list[np.ndarray], strangers: np.ndarray, photos: int, repeats: int) -> None:
    """Print a line for the plain distance, and one for the normalised score."""
    counts = [min(photos, len(person) - 1) for person in enrolled]
    gallery = np.stack([fuse(p[:n]) for p, n in zip(enrolled, counts, strict=True)])
    searches = [p[n:] for p, n in zip(enrolled, counts, strict=True)]
    probes = np.concatenate(searches)
    owners = np.repeat(np.arange(len(enrolled)), list(map(len, searches)))
    kinds = np.array([template_class(n) for n in counts])
    plain, normalised = [], []
    for repeat in range(repeats):
        order = np.random.default_rng(repeat).permutation(len(strangers))
        halves = np.array_split(order, 2)
        for fit, test in (halves, halves[::-1]):
            plain.append(rates(probes @ gallery.T, strangers[test] @ gallery.T, owners))
            by_class = {kind: gallery[kinds == kind] for kind in set(kinds.tolist())}
            scoring = fit_scoring(strangers[fit], by_class, seed=repeat)
            mated, others = (score(scoring, x, gallery) for x in (probes, strangers[test]))
            size = {kind: int((kinds == kind).sum()) for kind in range(1, MAX_CLASS + 1)}
            threshold = scoring.threshold(TARGET, size)
            realised = [np.mean(others.max(1) >= threshold), missed(mated, owners, threshold)]
            normalised.append([*rates(mated, others, owners), *realised])
    line = f"{photos:>11} {len(enrolled):>8}"
    print(line, f"{'distance':>8}", "{:9.3f} {:8.3f}".format(*np.mean(plain, axis=0)))
    fnir10, fnir1, fpir, fnir = np.mean(normalised, axis=0)
    print(line, f"{'as-norm':>8} {fnir10:9.3f} {fnir1:8.3f} {TARGET:7.3f} {fpir:7.4f} {fnir:7.3f}")


def score(scoring: Scoring, probes: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    return normalise(probes @ gallery.T, scoring.statistics(probes), scoring.statistics(gallery))


def rates(mated: np.ndarray, others: np.ndarray, owners: np.ndarray) -> list[float]:
    """FNIR at each of `RATES`."""
    highest = others.max(axis=1)
    return [missed(mated, owners, np.quantile(highest, 1 - rate)) for rate in RATES]


def missed(mated: np.ndarray, owners: np.ndarray, threshold: float) -> float:
    """FNIR: share of mated searches whose best is another, or scores below the threshold."""
    found = (mated.argmax(axis=1) == owners) & (mated.max(axis=1) >= threshold)
    return float(1 - found.mean())


if __name__ == "__main__":
    main()
