"""One passage: the faces of one person who passes by one camera."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from susracker.faces.glance import Glimpse
from susracker.models import Candidate, Detection, Picture, Vectors
from susracker.watchlist.looks import LOOKS, Look, share_left

ALIKE = 0.92
"""Cosine of two faces' fast embeddings from which they are taken for one person. Of pairs of LFW's
development photos, 96.5% of those of one person reach it, and 0.24% of those of two."""

POOR, POOR_ALIKE = 0.5, 0.96
"""The same for faces of less than this quality, which resemble each other: two people whose faces
were 30 pixels wide had 0.94, and frames of one of them a tenth of a second apart 0.98."""

IDENTICAL = 0.999
"""The same for two faces of one moment, which are two people unless a picture was sent twice."""

NOVELTY_SECONDS = 0.4
"""A probe counts for `1 - exp(-gap / NOVELTY_SECONDS)` of one, where `gap` is the time to the
nearest other probe of its passage: frames that follow each other at once share their errors. A
fifth of a second makes 0.39, and a second 0.92."""

MAX_PROBES = 24
"""Probes of a passage that are fused; further ones change nothing."""

MAX_CHIPS = 4
"""Aligned faces that a passage keeps to encode them in full, 68 kB each: those with the highest
weights."""


MAX_GLIMPSES = 2
"""The newest faces of a passage that a new picture is compared with at a glance, 4 kB each."""


@dataclass(slots=True, eq=False)
class SeenFace:
    """A face as recognition needs it.

    Attributes:
        vector: an embedding of unit length, shape (dimension,), that it is compared with others by.
        quality: weight among the probes of its passage, above 0 and at most 1.
        chip: the aligned face, to be encoded in full; None if `vector` is all there is.
        template: the full embedding of unit length, once it is known.
        glimpse: what later pictures are compared with at a glance; None where there is no telling.
    """

    vector: Vectors
    quality: float = 1.0
    chip: Picture | None = None
    template: Vectors | None = None
    glimpse: Glimpse | None = None


@dataclass(slots=True, eq=False)
class Probe:
    """A face of a passage, when it was seen, and what part of a probe it counts for."""

    face: SeenFace
    at: datetime
    novelty: float

    @property
    def weight(self) -> float:
        """Its weight in the fused probe."""
        return self.novelty * self.face.quality


@dataclass(frozen=True, slots=True)
class Shown:
    """What operators are shown of a passage: its alert.

    Attributes:
        candidates: the evidence that is stored with it.
        quality: of the face that is shown, as that of `SeenFace`.
    """

    alert_id: str
    candidates: tuple[Candidate, ...]
    quality: float


@dataclass(frozen=True, slots=True, eq=False)
class BestFace:
    """The best face of a passage that may still be matched when it ends.

    Attributes:
        detection: that it came in, without its picture.
        at: when it was seen.
        received_at: when it arrived.
        jpeg: what operators would be shown; None if only its embedding is left.
        quality: as that of `SeenFace`.
    """

    detection: Detection
    at: datetime
    received_at: datetime
    jpeg: bytes | None
    quality: float


@dataclass(slots=True, eq=False)
class Passage:
    """One person's pass by one camera.

    Attributes:
        id: random; it says nothing about the person.
        track_id: the camera's own id, if it sends one.
        first_at, last_at: when the person was seen.
        received_at: when the newest of their faces arrived.
        checked_at: when the newest face was seen that was looked at.
        generation: of the watch-list, when it was looked at.
        looks: how many of `LOOKS` were taken.
        looked_count: what its faces counted for at the newest look; 0 after none.
        score: the best one by their fast embeddings at the newest look; None until that is noted.
        settled: whether it is matched, or its newest look found it far from everybody.
        best: kept only while it is not settled.
        has_ended: whether it was seen for the last time so long ago that no face joins it any more.
        candidates: the match and the next best, once there is one; later looks may improve them.
        shown: its alert, if it raised one.
        glimpses: of the newest faces that were looked at, the newest first.
        events: the newest events that their faces came in, by the camera's ids.
        announcers: how often each detection announced it and did not take that back.
    """

    id: str
    track_id: str | None
    first_at: datetime
    last_at: datetime
    received_at: datetime
    checked_at: datetime
    generation: int
    probes: list[Probe] = field(default_factory=list)
    looks: int = 0
    looked_count: float = 0.0
    score: float | None = None
    settled: bool = False
    best: BestFace | None = None
    has_ended: bool = False
    candidates: tuple[Candidate, ...] = ()
    shown: Shown | None = None
    glimpses: tuple[Glimpse, ...] = ()
    events: deque[str] = field(default_factory=lambda: deque(maxlen=MAX_PROBES))
    announcers: Counter[str] = field(default_factory=Counter)
    _vector: Vectors | None = None

    @property
    def count(self) -> float:
        """How many probes its faces count for."""
        return sum(probe.novelty for probe in self.probes)

    @property
    def vector(self) -> Vectors:
        """The fused fast embeddings, unit length, shape (dimension,)."""
        if self._vector is None:  # every new face of its camera is compared with it
            self._vector = fused([(probe.face.vector, probe.weight) for probe in self.probes])
        return self._vector

    @property
    def template(self) -> Vectors:
        """The fused full embeddings, and fast ones of faces that are not encoded in full."""
        return fused(
            [
                (one.face.vector if one.face.template is None else one.face.template, one.weight)
                for one in self.probes
            ]
        )

    @property
    def may_need_chips(self) -> bool:
        """Whether faces that come between looks may have to be encoded in full: for a match, to
        improve the evidence; otherwise while somebody is near."""
        return self.looks < len(LOOKS) if self.candidates else not self.settled

    @property
    def is_same(self) -> bool:
        """Whether no faces have come since its newest look."""
        return self.looked_count == self.count

    def last_look(self) -> Look:
        """The decision to make when it has ended."""
        share = share_left(self.looks, is_same=self.is_same)
        return Look(max(1.0, self.independent()), share)

    def novelty(self, at: datetime) -> float:
        """What part of a probe one more face counts for."""
        if not self.probes:
            return 1.0
        gap = min(abs((at - probe.at).total_seconds()) for probe in self.probes)
        return 1 - math.exp(-gap / NOVELTY_SECONDS)

    def alike(self, face: SeenFace, at: datetime) -> float:
        """How like its fused embedding a face must be to be this person's; infinity for another
        face of the same picture."""
        # A clock of whole seconds says nothing of which faces are of one picture.
        same = [probe.face for probe in self.probes if probe.at == at and at.microsecond]
        if same and all(one.vector @ face.vector < IDENTICAL for one in same):
            return math.inf
        best = max(probe.face.quality for probe in self.probes)
        return ALIKE if min(best, face.quality) >= POOR else POOR_ALIKE

    def add(self, face: SeenFace, at: datetime) -> None:
        """Add a probe."""
        if len(self.probes) >= MAX_PROBES:
            return
        self.probes.append(Probe(face, at, self.novelty(at)))
        self._vector = None
        kept = [probe for probe in self.probes if probe.face.chip is not None]
        if len(kept) > MAX_CHIPS:
            min(kept, key=lambda probe: probe.weight).face.chip = None

    def independent(self) -> float:
        """How many independent probes its fused probe is worth at most (Kish, 1965): the variance
        of a weighted mean, if they were independent."""
        weights = np.array([probe.weight for probe in self.probes])
        return float(weights.sum() ** 2 / (weights**2).sum())


def fused(weighted: Sequence[tuple[Vectors, float]]) -> Vectors:
    """The mean direction of weighted embeddings, as a unit vector, shape (dimension,)."""
    vectors = np.stack([vector for vector, _ in weighted])
    total = np.array([weight for _, weight in weighted], np.float32) @ vectors
    return np.asarray(total / np.linalg.norm(total), np.float32)
