"""What other shares of the target for the looks at a passage would give.

    python benchmarks/shares.py ../shared/data/lfw-dev --target 0.01

Each person's photos are one passage, a photo a second, and are decided on by their full templates.
The scoring is fitted to half of the people and tested on the others. As the passage ends it is
decided on once more, with what the looks before have left of the target: with shares of 0, then
only.
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
    (0.5, 0.25, 0.125, 0.125),
    (0.4, 0.2, 0.1, 0.1),
    (0.25, 0.15, 0.1, 0.1),
    (0.2, 0.2, 0.2, 0.2),
    (0.1, 0.1, 0.1, 0.1),
    (0.0, 0.0, 0.0, 0.0),
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
    parser.add_argument(
        "--enrol",
        type=int,
        action="append",
        help="which photo of each person to enrol, from 1, beginning anew after the last; may "
        "be repeated: all passages count",
    )
    options = parser.parse_args()
    one_core_a_thread()
    people = list(embedded_people(read_dataset(options.faces)))
    singles = [one for one in people if len(one.templates) == 1]
    several = [one for one in people if len(one.templates) > 1]
    kinds: dict[str, list[Walk]] = {}
    for number in options.enrol or [1]:
        for kind, found in walks(singles, [begun_with(one, number) for one in several]).items():
            kinds.setdefault(kind, []).extend(found)
    for target in options.target or [0.01]:
        print(f"target {target:g}: FNIR with 1, 2, 3, 4 photos; FPIR with 1, 2, 3, all photos;")
        print("  and how many are matched by their first photo, of those with 2")
        for shares in SPLITS:
            report(kinds, shares, target)


def begun_with(person: Person, number: int) -> Person:
    """A person whose photos begin with another one, which is enrolled."""
    turned = np.roll(np.arange(len(person.templates)), 1 - number)
    return Person(person.templates[turned], person.views[turned])


def report(kinds: dict[str, list[Walk]], shares: Sequence[float], target: float) -> None:
    found = []
    for walked in kinds.values():
        wrong = [alerted(one, shares, target)[0] != one.who for one in walked]
        found.append(f"{np.mean(wrong):6.2%}")
    at_once = [alerted(one, shares, target) == (one.who, 1) for one in kinds["wanted, 2"]]
    name = ", ".join(f"{share:.3g}" for share in shares)
    print(f"  {name:24}", *found, f"{np.mean(at_once):6.1%}")


def alerted(walk: Walk, shares: Sequence[float], target: float) -> tuple[str | None, int]:
    """Who is matched at the first look that matches anyone, and after how many photos; one more
    than there are if as the passage ends."""

    def is_match(step: Step, share: float) -> bool:
        return step.score >= walk.gallery.threshold_for(share * target, max(1.0, step.probes))

    looks, looked_at = 0, -1
    for number, step in enumerate(walk.steps):
        if step.due > looks:
            looks, looked_at = step.due, number
            if is_match(step, shares[looks - 1]):
                return step.best, number + 1
    left = 1 - sum(shares[:looks])
    if looked_at == len(walk.steps) - 1:
        # The same probe again: whoever reached the threshold before reaches a lower one, too.
        left += shares[looks - 1]
    last = walk.steps[-1]
    return last.best if is_match(last, left) else None, len(walk.steps) + 1


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
