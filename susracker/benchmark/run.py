"""A benchmark from its options to its results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np

from susracker.benchmark.cache import EmbeddingCache
from susracker.benchmark.calibration import searches_needed
from susracker.benchmark.datasets import Dataset, Pairs
from susracker.benchmark.embedding import UNREADABLE, Crops, Embedded, Embedder
from susracker.benchmark.identification import (
    Identification,
    RuleMaker,
    cross_fitted,
    identify,
)
from susracker.benchmark.metrics import Indices
from susracker.benchmark.protocols import Comparisons, Search, compare, open_set
from susracker.benchmark.rules import AS_NORM, AsNorm, Distance, distance_limit, photos_of
from susracker.benchmark.speed import seconds_per_face, seconds_per_search
from susracker.config import DEFAULT_DETECTOR
from susracker.plugins import open_detector, open_encoder
from susracker.watchlist.scoring import Scoring, development_share, load_scoring

TOO_MANY_KNOWN = 0.01
"""Do not test the scoring on a dataset of which it was fitted to more than this share."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured.

    Attributes:
        crops: how the faces that are searched for are cut out first.
        crops_enrolled: whether those that are enrolled are cut out, too.
        photos_each: with how many photos to enrol people; each number is an experiment.
        enrolled: how many people to enrol, None for as many as possible; each is an experiment.
        frames: of how many photos to fuse each probe; each number is an experiment.
        fpirs: the rates at which FNIR is measured.
        rules: `as-norm`, or `distance-N`.
        cross_fit: instead of the scoring that comes with susracker, fit one to half of the people
            who are not enrolled and test it on the other half.
    """

    matcher: str = "exact"
    photos_each: Sequence[int] = (1,)
    enrolled: Sequence[int | None] = (None,)
    min_photos: int = 2
    frames: Sequence[int] = (1,)
    fpirs: Sequence[float] = (0.1, 0.01, 0.001)
    detector: str = DEFAULT_DETECTOR
    crops: Crops = "none"
    crops_enrolled: bool = False
    rules: Sequence[str] = (AS_NORM,)
    target_fpir: float = 0.01
    threshold_shift: float = 0.0
    seed: int = 0
    cross_fit: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """The results of one encoder.

    Attributes:
        embedded: every photo.
        comparisons: None where there are no pairs.
        seconds: median time of each stage.
        notes: what could not be measured, and why.
    """

    dataset: Dataset
    encoder: str
    embedded: dict[Path, Embedded]
    comparisons: Comparisons | None
    identifications: list[Identification]
    seconds: dict[str, float]
    notes: list[str] = field(default_factory=list)

    @property
    def failure_to_enrol(self) -> float:
        """Share of photos that enrolment refuses."""
        return float(np.mean([bool(one.refusal) for one in self.embedded.values()]))

    @property
    def unreadable(self) -> dict[Path, str]:
        """Files that cannot be read as pictures, and why."""
        return {p: one.refusal for p, one in self.embedded.items() if one.problem == UNREADABLE}

    @property
    def not_found(self) -> list[Path]:
        """Photos in which no face was found, and files that are not pictures."""
        return [photo for photo, one in self.embedded.items() if not one.found]


class Bench:
    """Runs a plan on a dataset.

    Args:
        kept: the cache of embeddings.
        on_step: called with the name of the current step, how much of it is done, and the total.
    """

    def __init__(
        self,
        dataset: Dataset,
        pairs: Pairs | None,
        plan: Plan,
        kept: EmbeddingCache,
        on_step: Callable[[str, int, int], None],
    ) -> None:
        self._dataset = dataset
        self._pairs = pairs
        self._plan = plan
        self._kept = kept
        self._on_step = on_step

    def run(self, encoder_name: str, workers: int) -> Result:
        """Measure an encoder.

        Raises:
            InputError: a rule is unknown, or there are too few people to cross-fit.
            EncoderError: the encoder cannot be loaded.
        """
        encoder = open_encoder(encoder_name)
        photos = self._dataset.photos
        plan = self._plan
        embedder = Embedder(
            encoder,
            plan.detector,
            plan.crops,
            crops_enrolled=plan.crops_enrolled,
            kept=self._kept,
        )
        embedded = embedder.embed_all(
            photos, workers, self._counter(f"embedding with {encoder_name}", len(photos))
        )
        seconds = seconds_per_face(photos, open_detector(plan.detector), encoder)
        identifications = list(self._identifications(embedded, encoder.id))
        if identifications:
            search = identifications[0].search
            make_rule = self._rule(plan.rules[0], 1)
            people = photos_of(search.enrolled, embedded)
            probes = [embedded[photo] for photo in search.mated]
            with closing(make_rule(people, load_scoring(encoder.id))) as rule:
                seconds["search"] = seconds_per_search(rule.search, probes)
        comparisons = self._compare(embedded)
        notes = list(self._notes(comparisons, identifications, encoder.id))
        return Result(
            self._dataset, encoder_name, embedded, comparisons, identifications, seconds, notes
        )

    def _compare(self, embedded: dict[Path, Embedded]) -> Comparisons | None:
        if not self._pairs:
            return None
        comparisons = compare(self._pairs, embedded)
        enough = len(comparisons.folds) > 1 and len(set(comparisons.same.tolist())) == 2
        return comparisons if enough else None

    def _identifications(
        self, embedded: dict[Path, Embedded], encoder_id: str
    ) -> Iterator[Identification]:
        plan = self._plan
        for photos_each, enrolled, frames in product(plan.photos_each, plan.enrolled, plan.frames):
            search = open_set(
                self._dataset,
                embedded,
                photos_each,
                enrolled,
                plan.min_photos,
                plan.seed,
                frames,
            )
            if not search.mated_frames or not search.non_mated_frames:
                continue
            scorings = self._scorings(search, embedded, encoder_id)
            for rule in plan.rules:
                trials = identify(search, embedded, self._rule(rule, frames), scorings)
                yield Identification(
                    rule,
                    photos_each,
                    plan.target_fpir,
                    search,
                    trials,
                    plan.seed,
                    frames,
                    plan.fpirs,
                )

    def _scorings(
        self, search: Search, embedded: dict[Path, Embedded], encoder_id: str
    ) -> list[tuple[Scoring, Indices]]:
        if not self._plan.cross_fit:
            return [(load_scoring(encoder_id), np.arange(len(search.non_mated)))]
        advance = self._counter("fitting to other people", 0)
        scorings = []
        for scoring in cross_fitted(search, embedded, self._plan.seed):
            scorings.append(scoring)
            advance()
        return scorings

    def _rule(self, name: str, frames: int) -> RuleMaker:
        if name == AS_NORM:
            return partial(
                AsNorm,
                matcher=self._plan.matcher,
                target_fpir=self._plan.target_fpir,
                shift=self._plan.threshold_shift,
                frames=frames,
            )
        limit = distance_limit(name)
        return lambda people, scoring: Distance(people, limit)

    def _counter(self, step: str, total: int) -> Callable[[], None]:
        done = 0

        def advance() -> None:
            nonlocal done
            done += 1
            self._on_step(step, done, total)

        self._on_step(step, 0, total)
        return advance

    def _notes(
        self,
        comparisons: Comparisons | None,
        identifications: list[Identification],
        encoder_id: str,
    ) -> Iterator[str]:
        if not self._pairs:
            yield "1:1 was not measured: there is no pairs.txt in the dataset, and no --pairs"
        elif not comparisons:
            yield "1:1 was not measured: too few pairs of photos that the dataset has"
        if self._pairs and self._pairs.missing:
            missing = self._pairs.missing
            yield (
                f"pairs of {len(missing)} photos that the dataset lacks were left out, such as"
                f" {missing[0]}"
            )
        if not identifications:
            yield (
                "1:N was not measured: it needs people with several photos, who are enrolled, and"
                " people with one photo, who are not"
            )
            return
        if not self._plan.cross_fit and (known := known_share(self._dataset, encoder_id)):
            yield f"{known}, so the 1:N rates look better than they are; use --cross-fit"
        target = self._plan.target_fpir
        needed, made = searches_needed(target), len(identifications[0].search.non_mated)
        if made < needed:
            yield (
                f"an FPIR of {target:.2%} is not measured well: it takes {needed:,} people with one"
                f" photo, and this folder has {made:,}"
            )
        for frames in sorted(set(self._plan.frames) - {one.frames for one in identifications}):
            yield f"--frames {frames} was not measured: too few photos of each person"


def known_share(dataset: Dataset, encoder_id: str) -> str:
    """A sentence about photos that susracker's own scoring was fitted to; "" if there are hardly
    any."""
    share = development_share(encoder_id, dataset.photos)
    if share <= TOO_MANY_KNOWN:
        return ""
    return f"the cohort and threshold of susracker were fitted to {share:.0%} of these photos"
