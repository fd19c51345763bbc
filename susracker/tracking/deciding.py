"""Decides who passes by: a few looks at each passage, instead of one at each face."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from susracker.faces.encoder import Encoder
from susracker.faces.glance import Glance
from susracker.models import Detection
from susracker.tracking.passage import BestFace, Passage, SeenFace
from susracker.tracking.passages import LAST, Claim, Passages
from susracker.tracking.recogniser import Match, Recognition, Sight, best_of_each
from susracker.tracking.turns import Turns
from susracker.watchlist.looks import Look
from susracker.watchlist.scoring import Scores
from susracker.watchlist.watchlist import PREFILTER_MARGIN, WatchList

FAR_AFTER_ONE, FAR_AFTER_MORE = 2.0, 1.5
"""How far below its threshold a first look, and a later one, may be for the passage to be settled
as a stranger's, until more faces come. Of 14,752 passages of enrolled people (LFW's development
photos, one to four a passage, cross-fitted), 2 were missed for that or for `PREFILTER_MARGIN` at a
target of 1%, and 4 at 0.1%. Of strangers, the first look settles 59% and 84%."""


@dataclass(frozen=True, slots=True, eq=False)
class _Due:
    """A look to take.

    Attributes:
        score: the best one by the fast embeddings.
        margin: how far that is above the threshold.
    """

    claim: Claim
    look: Look
    score: float
    margin: float

    @property
    def is_near(self) -> bool:
        """Whether the faces have to be encoded in full."""
        return self.margin >= -PREFILTER_MARGIN or self.claim.is_match


class Decider:
    """Adds faces to passages, and looks at those that are due. Safe to use from any thread.

    Args:
        max_pixels: the largest picture that is decoded.
        turns: one is taken to encode a face in full, and none while searching, so that threads that
            search at the same time can do it together.
    """

    def __init__(
        self,
        encoder: Encoder,
        watchlist: WatchList,
        passages: Passages,
        max_pixels: int,
        turns: Turns,
    ) -> None:
        self._max_pixels = max_pixels
        self._encoder = encoder
        self._watchlist = watchlist
        self._passages = passages
        self._turns = turns

    def skipped(
        self,
        detection: Detection,
        at: datetime,
        received_at: datetime,
        sight: Sight | None = None,
    ) -> Recognition | None:
        """What a detection's face is without a look at it; None if it has to be looked at.

        Args:
            sight: its faces, where they are known all the same.

        Raises:
            PictureError: the picture cannot be read.
            StoreUnavailableError: the store cannot be read.
        """
        glance = Glance(detection.picture, self._max_pixels) if detection.picture else None
        passage = self._passages.skips(
            detection.camera_id, detection.track_id, at, received_at, glance
        )
        if passage is None or (passage.candidates and not passage.announcers):
            return None
        face = sight.faces[0].jpeg() if sight and sight.faces else None
        matches = [Match(passage.candidates, face, passage)] if passage.candidates else []
        if passage.candidates and not self._is_valid(passage, received_at):
            return None
        return Recognition(1, tuple(matches), passage.id, began=0)

    def decide(
        self, detection: Detection, sight: Sight, at: datetime, received_at: datetime
    ) -> Recognition:
        """Recognise the faces of a detection by the passages that they belong to.

        Args:
            at: when they were seen.
            received_at: people who are wanted at this moment are matched.

        Raises:
            EncoderError: the network cannot be loaded.
            StoreUnavailableError: the store cannot be read; the looks will be taken next time.
        """
        skipped = self.skipped(detection, at, received_at, sight)
        return skipped or self.look(detection, sight, at, received_at)

    def look(
        self, detection: Detection, sight: Sight, at: datetime, received_at: datetime
    ) -> Recognition:
        """Do the same for faces that are not to be skipped.

        Raises:
            EncoderError: the network cannot be loaded.
            StoreUnavailableError: the store cannot be read; the looks will be taken next time.
        """
        if detection.track_id is None and len(sight.faces) == 1:
            sight.faces[0].remember()
        claims = self._passages.add(
            detection.camera_id,
            detection.track_id,
            [face.seen for face in sight.faces],
            at,
            received_at,
            self._watchlist.generation,
        )
        if detection.event_id is not None and claims:
            claims[0].passage.events.append(detection.event_id)
        with ExitStack() as undo:
            undo.callback(self._passages.give_back, claims)
            self._look(claims, detection.camera_id, received_at)
            self._keep_best(claims, sight, replace(detection, picture=None), at, received_at)
            matches = best_of_each(
                Match(claim.passage.candidates, face.jpeg(), claim.passage, face.seen.quality)
                for claim, face in zip(claims, sight.faces, strict=True)
                if claim.passage.candidates and self._is_valid(claim.passage, received_at)
            )
            undo.pop_all()
        passages = [match.passage for match in matches] + [claim.passage for claim in claims]
        first = next((passage.id for passage in passages if passage), None)
        began = sum(claim.is_new for claim in claims)
        return Recognition(len(claims), matches, first, began)

    def look_last(self, passage: Passage, best: BestFace, now: datetime) -> Match | None:
        """Decide on a passage that has ended, with what is left of the target; if that fails, this
        may be called again.

        Args:
            best: its best face, which a match shows.

        Raises:
            EncoderError: the network cannot be loaded.
            StoreUnavailableError: the store cannot be read.
        """
        if not passage.settled:
            faces = tuple(probe.face for probe in passage.probes)
            known = passage.is_same and passage.generation == self._watchlist.generation
            claim = Claim(
                passage,
                passage.last_look(),
                LAST,
                passage.vector,
                faces,
                is_new=False,
                generation=passage.generation,
                score=passage.score if known else None,
            )
            self._look([claim], best.detection.camera_id, now)
        if not passage.candidates:
            return None
        return Match(passage.candidates, best.jpeg, passage, best.quality)

    def _keep_best(
        self,
        claims: Sequence[Claim],
        sight: Sight,
        detection: Detection,
        at: datetime,
        received_at: datetime,
    ) -> None:
        """Keep faces that may have to be shown when their passages end."""
        for claim, face in zip(claims, sight.faces, strict=True):
            # To encode a picture takes a while, so not for one that is not kept.
            if self._passages.keeps(claim.passage, face.seen.quality):
                best = BestFace(detection, at, received_at, face.jpeg(), face.seen.quality)
                self._passages.keep(claim.passage, best)

    def _look(self, claims: Sequence[Claim], camera_id: str, now: datetime) -> None:
        due = self._due([(claim, claim.look) for claim in claims if claim.look])
        near = [one for one in due if one.is_near]
        self._encode([face for one in near for face in one.claim.faces], camera_id)
        for one in due:
            if not one.is_near:
                far = FAR_AFTER_ONE if one.claim.number == 1 else FAR_AFTER_MORE
                self._passages.looked(one.claim, (), one.score, settled=one.margin < -far)
        if near:
            probes = np.stack([one.claim.passage.template for one in near])
            found = self._watchlist.identify(probes, now, [one.look for one in near])
            for one, candidates in zip(near, found, strict=True):
                self._passages.looked(one.claim, candidates, one.score, settled=False)

    def _due(self, looks: Sequence[tuple[Claim, Look]]) -> list[_Due]:
        if not looks:
            return []
        scores = self._scores([claim for claim, _ in looks])
        return [
            _Due(claim, look, score, score - self._watchlist.threshold_of(look))
            for (claim, look), score in zip(looks, scores.tolist(), strict=True)
        ]

    def _scores(self, claims: Sequence[Claim]) -> Scores:
        """The best scores by their fast embeddings, of which that of a last look may be known."""
        scores = np.array([claim.score for claim in claims], np.float32)  # NaN for None
        unknown = np.isnan(scores)
        if unknown.any():
            vectors = np.stack([claim.vector for claim in claims])
            scores[unknown] = self._watchlist.best_scores(vectors[unknown])
        return scores

    def _encode(self, faces: Sequence[SeenFace], camera_id: str) -> None:
        """Encode in full the faces that are not yet."""
        chips = [(face, face.chip) for face in faces if face.template is None]
        waiting = [(face, chip) for face, chip in chips if chip is not None]
        if waiting:
            with self._turns.turn(camera_id):
                templates = self._encoder.encode(np.stack([chip for _, chip in waiting]))
            for (face, _), template in zip(waiting, templates, strict=True):
                face.template = template

    def _is_valid(self, passage: Passage, now: datetime) -> bool:
        """Whether a passage's match is still wanted; if not, the passage ends."""
        if self._watchlist.is_wanted(passage.candidates[0].criminal_id, now):
            return True
        self._passages.end(passage)
        return False
