"""Recognises the people on the watch-list in a picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from susracker.faces.boxes import Box
from susracker.faces.detector import Detector
from susracker.faces.encoder import Encoder
from susracker.faces.face import Face
from susracker.faces.finding.finder import (
    MAX_FACES,
    EmbeddedFace,
    Finder,
    LocalFinder,
    chips_of,
)
from susracker.faces.glance import glimpse_of
from susracker.faces.images import LARGE_PIXELS, pixels_of
from susracker.faces.quality import weight_of
from susracker.models import Candidate, Picture, Vectors
from susracker.tracking.passage import Passage, SeenFace
from susracker.watchlist.watchlist import WatchList

FACE_MARGIN = 0.2
"""How much of the picture around a matched face an operator is shown, as a share of its box."""


@dataclass(frozen=True, slots=True)
class Match:
    """A face that was recognised.

    Attributes:
        candidates: the match, then the next best.
        face: the face to show to an operator, as JPEG; None if only its embedding is left.
        passage: the passage that was recognised; None where each face is decided on alone.
        quality: of the face, as that of `SeenFace`.
    """

    candidates: tuple[Candidate, ...]
    face: bytes | None
    passage: Passage | None = None
    quality: float = 0.0


@dataclass(frozen=True, slots=True)
class Recognition:
    """The faces recognised in a picture.

    Attributes:
        faces: how many faces were found.
        matches: those that were recognised, best first. A criminal is in a picture at most once:
            if several faces match them, the best one counts.
        passage: id of the passage of the best match, or else of the largest face; None without
            faces, and where each face is decided on alone.
        began: how many passages began with its faces; None where each face is decided on alone.
    """

    faces: int
    matches: tuple[Match, ...]
    passage: str | None = None
    began: int | None = None

    @property
    def searches(self) -> int:
        """How many searches it counts for: its passages that began, or else its faces."""
        return self.faces if self.began is None else self.began


@dataclass(frozen=True, slots=True, eq=False)
class SightFace:
    """A face in a picture, before anyone was recognised.

    Attributes:
        picture: where it was found; None if only its embedding is left.
    """

    seen: SeenFace
    picture: Face | None = None

    def jpeg(self) -> bytes | None:
        """The face to show to an operator."""
        return None if self.picture is None else self.picture.jpeg(FACE_MARGIN)

    def remember(self) -> None:
        """Keep what later pictures are compared with at a glance."""
        if self.picture is not None:
            self.seen.glimpse = glimpse_of(self.picture)


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """The faces of a picture, largest first."""

    faces: tuple[SightFace, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """A face that was searched for on the watch-list.

    Attributes:
        box: where the face is, in pixels of the upright picture.
        candidates: the people whom it resembles most, best first, whether or not they match.
        is_match: whether the first one does.
    """

    box: Box
    candidates: tuple[Candidate, ...]
    is_match: bool


class Recogniser:
    """Finds faces and identifies them. Stores nothing; safe to use from any thread.

    Attributes:
        finder: finds the faces in pictures that are not large; may be replaced before the first
            one comes.
    """

    def __init__(
        self, detector: Detector, encoder: Encoder, watchlist: WatchList, max_pixels: int
    ) -> None:
        self._detector = detector
        self._encoder = encoder
        self._watchlist = watchlist
        self._max_pixels = max_pixels
        self._local = LocalFinder(detector, encoder, max_pixels)
        self.finder: Finder = self._local

    def load(self) -> None:
        """Load the networks, so that the first picture need not wait for them.

        Raises:
            EncoderError: the weights are missing or wrong.
        """
        self._local.load()
        size = self._encoder.chip_size
        self._encoder.encode(np.zeros((1, size, size, 3), np.uint8))

    def is_large(self, data: bytes | None) -> bool:
        """Whether a picture takes so long that ordinary ones should not wait for it.

        Raises:
            PictureError: it cannot be read by its header, or is too large.
        """
        return data is not None and pixels_of(data, self._max_pixels) > LARGE_PIXELS

    def recognise(
        self, data: bytes | None, now: datetime, *, is_large: bool = False
    ) -> Recognition | None:
        """Find the faces in an encoded picture and identify them.

        Args:
            data: None for an activity, in which nobody is recognised.
            now: people who are wanted at this moment are matched.
            is_large: what `is_large` says of it.

        Returns:
            None if `data` is None.

        Raises:
            EncoderError: the network cannot be loaded.
            OverloadedError: no faces can be found at present.
            PictureError: the picture cannot be read.
            StoreUnavailableError: the store cannot be read.
        """
        if data is None:
            return None
        faces = self._find(data, is_large)
        if not faces:
            return Recognition(0, ())
        return Recognition(
            len(faces),
            best_of_each(
                Match(candidates, face.jpeg(FACE_MARGIN))
                for candidates, face in self._identify(faces, now)
            ),
        )

    def search_picture(self, picture: Picture, now: datetime) -> list[Search]:
        """Say whom the faces in a picture resemble, the largest face first. Unlike `recognise`,
        this encodes every face in full, and names people below the threshold, too.

        Raises:
            EncoderError: the network cannot be loaded.
            StoreUnavailableError: the store cannot be read.
        """
        faces = self._detector.find(picture)[:MAX_FACES]
        if not faces:
            return []
        probes = self._encoder.encode(chips_of(faces, self._encoder))
        threshold = self._watchlist.threshold
        return [
            Search(face.box, near, bool(near) and near[0].score >= threshold)
            for face, near in zip(faces, self._watchlist.nearest(probes, now), strict=True)
        ]

    def see(self, data: bytes, *, is_large: bool = False) -> Sight:
        """Find the faces in an encoded picture, and embed them quickly. Remembers nothing.

        Args:
            is_large: what `is_large` says of it.

        Raises:
            EncoderError: the network cannot be loaded.
            OverloadedError: no faces can be found at present.
            PictureError: the picture cannot be read.
        """
        return Sight(
            tuple(
                SightFace(SeenFace(one.vector, weight_of(one.quality), one.chip), one.face)
                for one in self._find(data, is_large)
            )
        )

    def see_probes(self, probes: Vectors) -> Sight:
        """Faces of which only the embeddings are left, shape (n, dimension), unit length."""
        return Sight(tuple(SightFace(SeenFace(one, template=one)) for one in probes))

    def recognise_probes(self, probes: Vectors, now: datetime) -> Recognition:
        """Identify faces of which only the embeddings are left.

        Args:
            probes: shape (n, dimension), unit length, made by the same encoder.

        Raises:
            StoreUnavailableError: the store cannot be read.
        """
        found = self._watchlist.identify(probes, now)
        matches = best_of_each(Match(candidates, None) for candidates in found if candidates)
        return Recognition(len(probes), matches)

    def _find(self, data: bytes, is_large: bool) -> Sequence[EmbeddedFace]:
        finder = self._local if is_large else self.finder
        return finder.find(data)

    def _identify(
        self, faces: Sequence[EmbeddedFace], now: datetime
    ) -> Iterator[tuple[tuple[Candidate, ...], Face]]:
        """The faces of people on the watch-list, each with its candidates.

        Almost everyone whom cameras see is not on the watch-list. A fast embedding, without the
        mirror image, rejects most of them in a quarter of the time; the others are encoded in full.
        """
        may_match = self._watchlist.prefilter(np.stack([one.vector for one in faces]))
        near = [face for face, may in zip(faces, may_match, strict=True) if may]
        if not near:
            return
        probes = self._encoder.encode(np.stack([one.chip for one in near]))
        for one, candidates in zip(near, self._watchlist.identify(probes, now), strict=True):
            if candidates:
                yield candidates, one.face


def best_of_each(matches: Iterable[Match]) -> tuple[Match, ...]:
    """The best match of each criminal, best first."""
    best: dict[str, Match] = {}
    for match in sorted(matches, key=lambda one: -one.candidates[0].score):
        best.setdefault(match.candidates[0].criminal_id, match)
    return tuple(best.values())
