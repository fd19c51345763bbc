"""What other shares of the target for the looks at a passage would give.

    python benchmarks/shares.py ../shared/data/lfw-dev --target 0.01

Each person's photos are one passage, a photo a second, and are decided on by their full templates.
The scoring is fitted to half of the people and tested on the others. "and at the end" is one more
decision as the passage ends, with what the looks before have left of the target.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
from passages import NOON, PARTS, Person, embedded_people, first, fitted

from susracker.benchmark.datasets import read_dataset
from susracker.matchers.exact import ExactMatcher
from susracker.runtime.threads import one_core_a_thread
from susracker.tracking.passage import Passage, SeenFace
from susracker.watchlist.fusion import FusedTemplates
from susracker.watchlist.gallery import ScoredGallery
from susracker.watchlist.looks import LOOKS, looks_due
from susracker.watchlist.scoring import Scoring

SPLITS = (
    tuple(look.share for look in LOOKS),
    (3 / 4, 1 / 8, 1 / 16, 1 / 16),
    (2 / 3, 1 / 6, 1 / 12, 1 / 12),
    (0.6, 0.2, 0.1, 0.1),
    (0.4, 0.3, 0.2, 0.1),
)


@dataclass(frozen=True)
class Step:
    """What is known of a passage after one more photo."""

    score: float
    best: str
    probes: float
    due: int


@dataclass(frozen=True)
class Walk:
    """A passage, and who it is if they are enrolled."""

    gallery: ScoredGallery
    steps: Sequence[Step]
    who: str | None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", type=Path)
    parser.add_argument("--target", type=float, action="append")
    options = parser.parse_args()
    one_core_a_thread()
    people = list(embedded_people(read_dataset(options.faces)))
    singles = [one for one in people if len(one.templates) == 1]
    several = [one for one in people if len(one.templates) > 1]
    kinds = walks(singles, several)
    for target in options.target or [0.01]:
        print(f"target {target:g}: FNIR with 1, 2, 3, 4 photos; FPIR with 1, 2, 3, all photos")
        for shares in SPLITS:
            for ends in (False, True):
                report(kinds, shares, target, ends)


def report(
    kinds: dict[str, list[Walk]], shares: Sequence[float], target: float, ends: bool
) -> None:
    found = []
    for walked in kinds.values():
        wrong = [alerted(one, shares, target, ends) != one.who for one in walked]
        found.append(f"{np.mean(wrong):6.2%}")
    name = ", ".join(f"{share:.3g}" for share in shares) + (" and at the end" if ends else "")
    print(f"  {name:40}", *found)


def alerted(walk: Walk, shares: Sequence[float], target: float, ends: bool) -> str | None:
    """Who is matched at the first look that matches anyone."""

    def is_match(step: Step, share: float) -> bool:
        return step.score >= walk.gallery.threshold_for(share * target, max(1.0, step.probes))

    looks, looked_at = 0, -1
    for number, step in enumerate(walk.steps):
        if step.due > looks:
            looks, looked_at = step.due, number
            if is_match(step, shares[looks - 1]):
                return step.best
    left = 1 - sum(shares[:looks])
    if looked_at == len(walk.steps) - 1:
        # The same probe again: whoever reached the threshold before reaches a lower one, too.
        left += shares[looks - 1]
    last = walk.steps[-1]
    return last.best if ends and left > 0 and is_match(last, left) else None


def walks(singles: Sequence[Person], several: Sequence[Person]) -> dict[str, list[Walk]]:
    """All passages, by kind: first of enrolled people, then of strangers."""
    kinds: dict[str, list[Walk]] = {f"wanted, {count}": [] for count in (1, 2, 3, 4)}
    kinds |= {f"stranger, {count}": [] for count in (1, 2, 3, None)}
    for scoring, alone, unknown in fitted(np.stack([one.templates[0] for one in singles]), several):
        everyone = listed(scoring, several, range(len(several)))
        kinds["stranger, 1"] += [walk(everyone, singles[index], None) for index in alone]
        for count in (1, 2, 3, 4):
            kinds[f"wanted, {count}"] += [
                walk(everyone, first(person, start, count), str(index))
                for index, person in enumerate(several)
                for start in range(1, len(person.templates) - count + 1, count)
            ]
        for part in np.array_split(unknown, PARTS):
            shorter = listed(scoring, several, np.setdiff1d(np.arange(len(several)), part))
            for count in (2, 3, None):
                kinds[f"stranger, {count}"] += [
                    walk(shorter, first(several[index], 0, count), None)
                    for index in part
                    if len(several[index].templates) >= (count or 1)
                ]
    return kinds


def listed(scoring: Scoring, several: Sequence[Person], chosen: Sequence[int]) -> ScoredGallery:
    gallery = ScoredGallery(ExactMatcher(128), scoring, 0.01)
    vectors = np.stack([several[index].templates[0] for index in chosen])
    ids = [str(index) for index in chosen]
    gallery.update(FusedTemplates(ids, vectors, [1] * len(ids)))
    gallery.prepare(len(ids))
    return gallery


def walk(gallery: ScoredGallery, person: Person, who: str | None) -> Walk:
    return Walk(gallery, list(steps(gallery, person)), who)


def steps(gallery: ScoredGallery, person: Person) -> Iterator[Step]:
    passage = Passage("", None, NOON, NOON, NOON, checked_at=NOON, generation=0)
    for number, template in enumerate(person.templates):
        passage.add(SeenFace(template), NOON + timedelta(seconds=number))
        best = gallery.search(passage.vector[None])[0][0]
        yield Step(best.score, best.criminal_id, passage.independent(), looks_due(passage.count))


if __name__ == "__main__":
    main()
