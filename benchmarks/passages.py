"""What passages change: errors per person who passes by, and CPU per stranger.

    python benchmarks/passages.py rates ../shared/data/lfw-dev
    python benchmarks/passages.py cpu ../shared/data/lfw-dev --people 40

The argument is a folder with one folder of photos for each person. `rates` sends passages of one,
two, three and all photos through the program's own rule, with the scoring fitted to half of the
people and tested on the others. Someone who is not wanted is left out of the watch-list. The photos
of one person are of different days, so frames of a real passage gain less. `cpu` makes ten frames
of each stranger's photo, five a second, and handles them in turn without passages, with them, and
with a camera that sends track ids.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import cv2
import galleries
import numpy as np

from susracker.benchmark.cache import EmbeddingCache
from susracker.benchmark.datasets import Dataset, read_dataset
from susracker.benchmark.embedding import Embedded, Embedder, meant_face
from susracker.benchmark.metrics import proportion_interval
from susracker.config import DEFAULT_DETECTOR, default_workers
from susracker.faces.images import decode, encode_jpeg
from susracker.loading import make_settings
from susracker.matchers.exact import ExactMatcher
from susracker.models import Candidate, Detection
from susracker.plugins import open_cooldown, open_detector, open_encoder, open_matcher, open_store
from susracker.runtime.threads import one_core_a_thread
from susracker.tracking.deciding import Decider
from susracker.tracking.passage import SeenFace
from susracker.tracking.passages import Passages
from susracker.tracking.recogniser import Sight, SightFace
from susracker.tracking.tracker import Tracker
from susracker.tracking.turns import Turns
from susracker.watchlist.fitting import fit_scoring
from susracker.watchlist.fusion import FusedTemplates
from susracker.watchlist.gallery import ScoredGallery
from susracker.watchlist.looks import Look
from susracker.watchlist.scoring import Scoring

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
PARTS = 10
"""People are left out of the watch-list, to be strangers, in so many parts."""

FRAMES, FPS = 10, 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["rates", "cpu"])
    parser.add_argument("faces", type=Path)
    parser.add_argument(
        "--target", type=float, action="append", help="target FPIR; may be repeated"
    )
    parser.add_argument("--apart", type=float, default=1.0, help="seconds between frames (rates)")
    parser.add_argument("--people", type=int, default=40, help="strangers who pass by (cpu)")
    parser.add_argument("--enrolled", type=int, default=800, help="(cpu)")
    options = parser.parse_args()
    one_core_a_thread()
    dataset = read_dataset(options.faces)
    if options.what == "rates":
        rates(dataset, options.target or [0.01, 0.001], options.apart)
    else:
        cpu(dataset, options.people, options.enrolled)


# -- errors --------------------------------------------------------------------------------------


class GalleryOnly:
    """What a decider needs of a watch-list, without a store."""

    generation = 0

    def __init__(self, gallery: ScoredGallery, target: float) -> None:
        self._gallery, self._target = gallery, target

    def threshold_of(self, look: Look) -> float:
        return self._gallery.threshold_for(look.share * self._target, look.probes)

    def best_scores(self, probes: np.ndarray) -> np.ndarray:
        return self._gallery.best_scores(probes)

    def identify(
        self, probes: np.ndarray, now: datetime, looks: Sequence[Look]
    ) -> list[tuple[Candidate, ...]]:
        found = zip(self._gallery.search(probes), looks, strict=True)
        return [
            (Candidate(scored[0].criminal_id, "", 0, scored[0].score, 0),)
            if scored[0].score >= self.threshold_of(look)
            else ()
            for scored, look in found
        ]

    def is_wanted(self, criminal_id: str, now: datetime) -> bool:
        return True


@dataclass(frozen=True)
class Person:
    """Templates and views of one person's photos, unit length, shape (photos, 128) each."""

    templates: np.ndarray
    views: np.ndarray


def rates(dataset: Dataset, targets: Sequence[float], apart: float) -> None:
    people = list(embedded_people(dataset))
    singles = [one for one in people if len(one.templates) == 1]
    several = [one for one in people if len(one.templates) > 1]
    faces = np.stack([one.templates[0] for one in singles])
    halvings = list(fitted(faces, several))
    for target in targets:
        print(f"target {target:g} per passage, {len(several)} enrolled with one photo:")
        report("1 photo, not enrolled", strangers_alone(halvings, singles, several, target, apart))
        for name, count in (("2 photos", 2), ("3 photos", 3), ("all photos", None)):
            report(f"{name}, left out", left_out(halvings, several, target, count, apart))
        for name, count in (("1 photo", 1), ("2 photos", 2), ("3 photos", 3), ("4 photos", 4)):
            report(f"{name}, enrolled", enrolled(halvings, several, target, count, apart), True)


Halving = tuple[Scoring, np.ndarray, np.ndarray]
"""A scoring, and the indices of the single people and of the others that it was not fitted to."""


def fitted(faces: np.ndarray, several: Sequence[Person]) -> Iterator[Halving]:
    random = np.random.default_rng(0)
    halves = np.array_split(random.permutation(len(faces)), 2)
    others = np.array_split(random.permutation(len(several)), 2)
    enrolled = [one.templates[:1] for one in several]
    for fit in (0, 1):
        known = {int(index): several[index].templates for index in others[fit]}
        yield fit_scoring(faces[halves[fit]], enrolled, known), halves[1 - fit], others[1 - fit]


def strangers_alone(
    halvings: Sequence[Halving],
    singles: Sequence[Person],
    several: Sequence[Person],
    target: float,
    apart: float,
) -> list[bool]:
    """Whether each raises an alert: first once, then with the same photo ten times."""
    alerted = []
    for scoring, unknown, _ in halvings:
        watchlist = listed(scoring, several, range(len(several)), target)
        for index in unknown:
            once, often = singles[index], repeated(singles[index], FRAMES)
            alerted.append(passes(watchlist, once, apart) is not None)
            if (passes(watchlist, often, apart) is not None) > alerted[-1]:
                print("  the same photo ten times alerts, and once does not")
    return alerted


def left_out(
    halvings: Sequence[Halving],
    several: Sequence[Person],
    target: float,
    count: int | None,
    apart: float,
) -> list[bool]:
    """Whether each raises an alert while they are not on the watch-list."""
    alerted = []
    for scoring, _, unknown in halvings:
        for part in np.array_split(unknown, PARTS):
            others = np.setdiff1d(np.arange(len(several)), part)
            watchlist = listed(scoring, several, others, target)
            for index in part:
                if count is None or len(several[index].templates) >= count:
                    shown = first(several[index], 0, count)
                    alerted.append(passes(watchlist, shown, apart) is not None)
    return alerted


def enrolled(
    halvings: Sequence[Halving],
    several: Sequence[Person],
    target: float,
    count: int,
    apart: float,
) -> list[bool]:
    """Whether each is missed who is enrolled with the first photo and passes with the others."""
    missed = []
    for scoring, _, _ in halvings:
        watchlist = listed(scoring, several, range(len(several)), target)
        for index, person in enumerate(several):
            for start in range(1, len(person.templates) - count + 1, count):
                shown = first(person, start, count)
                missed.append(passes(watchlist, shown, apart) != str(index))
    return missed


def listed(
    scoring: Scoring, several: Sequence[Person], chosen: Sequence[int], target: float
) -> GalleryOnly:
    gallery = ScoredGallery(ExactMatcher(128), scoring, target)
    vectors = np.stack([several[index].templates[0] for index in chosen])
    ids = [str(index) for index in chosen]
    gallery.update(FusedTemplates(ids, vectors, [1] * len(ids)))
    gallery.prepare(len(ids))
    return GalleryOnly(gallery, target)


def passes(watchlist: GalleryOnly, person: Person, apart: float) -> str | None:
    """Who is matched as a person passes by, one photo after the other, or at the end."""
    open_passages = Passages(1e6)
    decider = Decider(Known(), watchlist, open_passages, 0, Turns(1))
    for number, (template, view) in enumerate(zip(person.templates, person.views, strict=True)):
        at = NOON + timedelta(seconds=number * apart)
        detection = Detection("gate", "", "face", at, track_id="one")
        seen = SeenFace(view, chip=template)
        found = decider.decide(detection, Sight((SightFace(seen),)), at, at)
        if found.matches:
            return found.matches[0].candidates[0].criminal_id
    for passage in open_passages.take_ended(None):
        if passage.best and (match := decider.look_last(passage, passage.best, NOON)):
            return match.candidates[0].criminal_id
    return None


class Known:
    """An encoder of faces whose templates are known: they stand in for the chips."""

    def encode(self, chips: np.ndarray) -> np.ndarray:
        return chips


def first(person: Person, start: int, count: int | None) -> Person:
    rows = slice(start, None if count is None else start + count)
    return Person(person.templates[rows], person.views[rows])


def repeated(person: Person, times: int) -> Person:
    return Person(np.repeat(person.templates, times, 0), np.repeat(person.views, times, 0))


def embedded_people(dataset: Dataset) -> Iterator[Person]:
    with closing(EmbeddingCache()) as kept:
        made = Embedder(open_encoder("dlib"), kept=kept)
        embedded = made.embed_all(dataset.photos, default_workers())
    for photos in dataset.people.values():
        found = [embedded[photo] for photo in photos if embedded[photo].found]
        if found:
            yield Person(
                np.stack([one.template for one in found]), np.stack([_view(one) for one in found])
            )


def _view(one: Embedded) -> np.ndarray:
    return one.view / np.linalg.norm(one.view)


def report(name: str, happened: Sequence[bool], missed: bool = False) -> None:
    share = float(np.mean(happened))
    low, high = proportion_interval(share, len(happened))
    rate = "FNIR" if missed else "FPIR"
    print(f"  {name:24} {rate} {share:6.2%} ({low:.2%} to {high:.2%}) of {len(happened):,}")


# -- speed ---------------------------------------------------------------------------------------


def cpu(dataset: Dataset, people: int, enrolled_people: int) -> None:
    strangers = list(passers_by(dataset, people))
    with tempfile.TemporaryDirectory() as folder:
        virtual = galleries.synthetic(1)[0]
        one = galleries.RealFace("nobody", {"tight": b"none"}, virtual, virtual)
        url = galleries.sqlite_gallery(Path(folder), enrolled_people, [one])
        ways = {
            "each face alone": (open_tracker(url, 0), False),
            "passages": (open_tracker(url, 4), False),
            "passages, track ids": (open_tracker(url, 4), True),
        }
        spent: dict[str, list[float]] = {name: [] for name in ways}
        for number, passage in enumerate(strangers):
            for name, (tracker, tracked) in ways.items():
                began = time.thread_time()
                handle(tracker, number, passage, tracked)
                spent[name].append(1000 * (time.thread_time() - began))
        for tracker, _ in ways.values():
            tracker.close()
    usual = statistics.median(spent["each face alone"])
    print(f"{len(strangers)} strangers, {FRAMES} frames each; {enrolled_people} enrolled")
    for name, times in spent.items():
        middle = statistics.median(times)
        print(f"  {name:20} {middle:6.1f} ms of CPU a person, {middle / usual:4.2f}")


def handle(tracker: Tracker, number: int, passage: Sequence[bytes], tracked: bool) -> None:
    for frame, picture in enumerate(passage):
        at = NOON + timedelta(seconds=60 * number + frame / FPS)
        detection = Detection("gate", "", "face", at, picture)
        track_id = str(number) if tracked else None
        tracker._clock = lambda at=at: at
        tracker.handle(replace(detection, track_id=track_id))
    tracker.last_looks.take(None)


def open_tracker(url: str, passage_seconds: float) -> Tracker:
    encoder = open_encoder("dlib")
    settings = make_settings({"store": url, "passage_seconds": passage_seconds})
    tracker = Tracker(
        store=open_store(url),
        encoder=encoder,
        matcher=open_matcher("exact", encoder.dimension),
        cooldown=open_cooldown("memory", settings.cooldown_seconds),
        settings=settings,
    )
    tracker.recogniser.load()
    tracker.watchlist.refresh(NOON)
    tracker.watchlist.prepare(10**6)
    return tracker


def passers_by(dataset: Dataset, count: int) -> Iterator[list[bytes]]:
    """Crops of strangers with a fifth of margin, each as a few frames of one pass."""
    random = np.random.default_rng(0)
    detector = open_detector(DEFAULT_DETECTOR)
    singles = [photos[0] for photos in dataset.people.values() if len(photos) == 1]
    for photo in [singles[index] for index in random.permutation(len(singles))[:count]]:
        picture = decode(photo.read_bytes())
        face = meant_face(detector.find(picture))
        if face:
            yield [encode_jpeg(frame_of(face.crop(0.3), random)) for _ in range(FRAMES)]


def frame_of(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The same face moved, turned, scaled, lit and blurred a little."""
    height, width = picture.shape[:2]
    turned = cv2.getRotationMatrix2D(
        (width / 2, height / 2), random.normal(0, 4), random.normal(1, 0.04)
    )
    turned[:, 2] += random.normal(0, 0.02, 2) * (width, height)
    moved = cv2.warpAffine(picture, turned, (width, height), borderMode=cv2.BORDER_REPLICATE)
    blurred = cv2.GaussianBlur(moved, (0, 0), abs(random.normal(0, 0.6)) + 0.1)
    noisy = blurred * random.normal(1, 0.08) + random.normal(0, 3, picture.shape)
    margin = round(0.07 * width)
    return np.ascontiguousarray(noisy.clip(0, 255).astype(np.uint8)[margin:-margin, margin:-margin])


if __name__ == "__main__":
    main()
