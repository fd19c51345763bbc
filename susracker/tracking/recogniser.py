"""From an encoded picture to the people on the watch-list who are in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from susracker.faces.detector import Detector
from susracker.faces.encoder import Encoder
from susracker.faces.face import Face
from susracker.models import Candidate, Vectors
from susracker.watchlist.watchlist import WatchList

FACE_MARGIN = 0.2
"""How much is kept around a matched face, as a share of its size, to show it to an operator."""

CHIP_SHAPE = (150, 150, 3)


@dataclass(frozen=True, slots=True)
class Match:
    """A face that was recognised.

    Attributes:
        candidates: the match, then the next best.
        face: what is shown to an operator, as JPEG; None where only an embedding is left of it.
    """

    candidates: tuple[Candidate, ...]
    face: bytes | None


@dataclass(frozen=True, slots=True)
class Recognition:
    """What was recognised in a picture.

    Attributes:
        faces: how many were found.
        matches: those that were recognised, best first. A criminal is in a picture at most once:
            of several faces like theirs, the best is taken.
    """

    faces: int
    matches: tuple[Match, ...]


class Recogniser:
    """Finds faces, and who they are. Stores nothing; safe to use from any thread."""

    def __init__(
        self, detector: Detector, encoder: Encoder, watchlist: WatchList, max_pixels: int
    ) -> None:
        self._detector = detector
        self._encoder = encoder
        self._watchlist = watchlist
        self._max_pixels = max_pixels

    def load(self) -> None:
        """Load the networks, so that the first picture does not wait for them.

        Raises:
            EncoderError: the weights are missing or wrong.
        """
        nobody = np.zeros((1, *CHIP_SHAPE), np.uint8)
        self._detector.find(nobody[0])
        self._encoder.encode(nobody)
        self._encoder.embed_roughly(nobody)

    def recognise(self, data: bytes | None, now: datetime) -> Recognition | None:
        """Find the faces of an encoded picture, and who on the watch-list they are.

        Args:
            data: None for an activity, in which nobody is to be recognised.

        Raises:
            PictureError: the picture cannot be read.
            StoreUnavailableError: the store cannot be read.
        """
        if data is None:
            return None
        faces = self._detector.find_in_bytes(data, self._max_pixels)
        if not faces:
            return Recognition(0, ())
        return Recognition(
            len(faces),
            _best_of_each(
                Match(candidates, face.jpeg(FACE_MARGIN))
                for candidates, face in self._identify(faces, now)
            ),
        )

    def recognise_probes(self, probes: Vectors, now: datetime) -> Recognition:
        """Find who faces are of which only the embeddings are left.

        Args:
            probes: shape (n, dimension), unit length, by this tracker's encoder.

        Raises:
            StoreUnavailableError: the store cannot be read.
        """
        found = self._watchlist.identify(probes, now)
        matches = _best_of_each(Match(candidates, None) for candidates in found if candidates)
        return Recognition(len(probes), matches)

    def _identify(
        self, faces: list[Face], now: datetime
    ) -> Iterator[tuple[tuple[Candidate, ...], Face]]:
        """The faces of people on the watch-list, each with its candidates.

        Almost all that cameras see are strangers. A rough embedding, without the mirror image,
        tells most of them in a quarter of the time; whoever may be someone is encoded in full.
        """
        chips = np.stack([face.chip for face in faces])
        rough = self._encoder.embed_roughly(chips)
        lengths = np.linalg.norm(rough, axis=1, keepdims=True)
        near = np.flatnonzero(self._watchlist.plausible(rough / lengths))
        probes = self._encoder.encode(chips[near])
        for index, candidates in zip(near, self._watchlist.identify(probes, now), strict=True):
            if candidates:
                yield candidates, faces[index]


def _best_of_each(matches: Iterable[Match]) -> tuple[Match, ...]:
    """The best match of each criminal, best first."""
    best: dict[str, Match] = {}
    for match in sorted(matches, key=lambda one: -one.candidates[0].score):
        best.setdefault(match.candidates[0].criminal_id, match)
    return tuple(best.values())
