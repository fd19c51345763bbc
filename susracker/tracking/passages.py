"""Passages: which detections of a camera are one person who passes by.

A passage lives in memory only, for as long as its person is seen and `passage_seconds` more. Of
someone who is not wanted nothing else is ever kept. A passage that ends while someone on the
watch-list is near gets one last look.
"""

from __future__ import annotations

import threading
import uuid
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from susracker.faces.glance import Glance
from susracker.models import Candidate, Vectors
from susracker.stores.improvements import is_better
from susracker.tracking.passage import MAX_GLIMPSES, BestFace, Passage, SeenFace
from susracker.watchlist.looks import LOOKS, Look, looks_due

TRACK_ALIKE = 0.85
"""The same for a face that the camera says belongs to a passage: below it, the camera has mixed up
two people. Of those pairs, 99.9% and 20%."""

LEAST_GAP = 0.3
"""Seconds. Where a camera or a glance says which passage a face belongs to, faces nearer than this
to one that was looked at are not looked for: they count for half a probe at most."""

RECHECKED_SECONDS = 1.0
"""How often a face is looked at once its passage is settled or has had all of `LOOKS`: to notice
that the camera has gone over to another person, whatever the camera or a glance says, and to learn
more of this one."""

MAX_GLANCED = 4
"""Passages whose faces are laid over a new picture, 0.15 ms each."""

FEW_MISSES = 8
"""After so many pictures of a camera that showed none of its faces again, only one in so many is
compared, until one does: where people walk by and none stays, a glance costs more than it saves."""

MAX_PASSAGES, MAX_IN_ALL = 32, 1000
"""Passages of one camera, and of all: 300 MB at most. Beyond it, those that were seen last the
longest ago are forgotten."""


LAST = len(LOOKS) + 1
"""The number of the look at a passage that has ended."""


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """What there is to do with one face of a detection.

    Attributes:
        look: the decision to make now; None if it is not time for one.
        number: which of `LOOKS` it is, from 1; `LAST` for the last look, 0 without one.
        vector: the fused fast embedding to look with, shape (dimension,).
        faces: those that may have to be encoded in full first.
        is_new: whether the passage began with this face.
        generation: of the watch-list, that its passage is looked at with.
        is_match: whether the passage was matched before; then the look is for better evidence.
        score: the best one by `vector`, where it is known from a look with the same faces.
    """

    passage: Passage
    look: Look | None
    number: int
    vector: Vectors
    faces: tuple[SeenFace, ...]
    is_new: bool
    generation: int
    is_match: bool = False
    score: float | None = None


class Passages:
    """The passages of all cameras. Safe to use from any thread.

    A passage that has been decided on takes no look twice, in whatever order its faces come.

    Args:
        seconds: a face that is seen so long after the last one begins another passage.

    Attributes:
        begun: how many passages there have been.
    """

    def __init__(self, seconds: float) -> None:
        self.begun = 0
        self._span = timedelta(seconds=seconds)
        self._cameras: OrderedDict[str, list[Passage]] = OrderedDict()
        self._ended: deque[Passage] = deque(maxlen=MAX_IN_ALL)
        self._misses: Counter[str] = Counter()  # by camera: pictures since it showed a face again
        self._lock = threading.Lock()

    def __len__(self) -> int:
        with self._lock:
            return sum(len(passages) for passages in self._cameras.values())

    def skips(
        self,
        camera_id: str,
        track_id: str | None,
        at: datetime,
        received_at: datetime,
        glance: Glance | None = None,
    ) -> Passage | None:
        """The passage of a face that need not be looked at; None if it has to be.

        Args:
            glance: the picture, which tells whose face it is without a track id.

        Raises:
            PictureError: the picture cannot be read.
        """
        with self._lock:
            idle = self._idle(camera_id, track_id, at, received_at)
        if track_id is None:
            idle = self._shown(camera_id, idle, glance)
        if len(idle) != 1:
            return None
        with self._lock:
            self._touch(idle[0], at, received_at)
        return idle[0]

    def add(
        self,
        camera_id: str,
        track_id: str | None,
        faces: Sequence[SeenFace],
        at: datetime,
        received_at: datetime,
        generation: int,
    ) -> list[Claim]:
        """Add the faces of one detection to passages, and take the looks that are due.

        Each face belongs to another passage. The camera's `track_id` is that of the first.

        Args:
            faces: largest first.
            at: when they were seen.
            generation: of the watch-list; when it changes, passages are looked at anew.
        """
        with self._lock:
            claims: list[Claim] = []
            for number, face in enumerate(faces):
                taken = {claim.passage.id for claim in claims}
                track = track_id if number == 0 else None
                passage = self._find(camera_id, track, face, at, received_at, taken)
                is_new = passage is None
                passage = passage or self._begin(camera_id, track, at, received_at, generation)
                self._touch(passage, at, received_at)
                passage.checked_at = max(passage.checked_at, at)
                claims.append(_claim(passage, face, at, generation, is_new=is_new))
            return claims

    def looked(
        self,
        claim: Claim,
        candidates: tuple[Candidate, ...],
        score: float,
        *,
        settled: bool,
    ) -> None:
        """Note what came of a look.

        Args:
            score: the best one by the claim's vector.
            settled: whether it was far from everybody; a match always settles who it is.
        """
        with self._lock:
            passage = claim.passage
            if not passage.candidates or is_better(candidates, passage.candidates):
                passage.candidates = candidates
            # Not one that a newer look has overtaken, or one at an older list.
            if claim.number >= passage.looks and claim.generation == passage.generation:
                passage.settled, passage.score = settled, score
            passage.settled |= bool(passage.candidates) or claim.number == LAST
            if passage.settled:
                # If more faces bring somebody near, the fast embeddings of these will do.
                passage.best = None
                for probe in passage.probes:
                    probe.face.chip = None

    def give_back(self, claims: Sequence[Claim]) -> None:
        """Take looks again next time, because nothing came of them; but not those that were
        noted, or that a newer look has overtaken: they would spend a share twice."""
        with self._lock:
            for claim in claims:
                passage = claim.passage
                newest = passage.looks, passage.generation, None
                if claim.look and (claim.number, claim.generation, passage.score) == newest:
                    passage.looks, passage.looked_count = claim.number - 1, 0.0

    def keep(self, passage: Passage, best: BestFace) -> None:
        """Keep a face for the last look at a passage, if it is the best so far."""
        with self._lock:
            if not _is_better(passage, best.quality):
                return
            passage.best = best
            # It ended while this face was looked at, which may take long under load.
            if passage.has_ended and passage not in self._ended:
                self._ended.append(passage)

    def keeps(self, passage: Passage, quality: float) -> bool:
        """Whether `keep` would keep a face of that quality."""
        with self._lock:
            return _is_better(passage, quality)

    def end(self, passage: Passage) -> None:
        """Forget a passage now."""
        with self._lock:
            for passages in self._cameras.values():
                passages[:] = [one for one in passages if one is not passage]

    def of_event(self, camera_id: str, event_id: str) -> Passage | None:
        """The passage that the face of an event belongs to, as long as it lasts."""
        with self._lock:
            passages = self._cameras.get(camera_id, ())
            return next((one for one in passages if event_id in one.events), None)

    def announce(self, passage: Passage, token: str) -> bool:
        """Whether a detection may raise the alert of its passage: one may, and its repeats.

        Whoever may not is held back for good; whoever may and fails calls `withdraw`.
        """
        with self._lock:
            if passage.announcers and token not in passage.announcers:
                return False
            passage.announcers[token] += 1
            return True

    def withdraw(self, passage: Passage, token: str) -> None:
        """Undo `announce`, because nothing was stored."""
        with self._lock:
            passage.announcers[token] -= 1
            passage.announcers += Counter()  # drops those at zero

    def take_ended(self, now: datetime | None) -> list[Passage]:
        """Forget the passages that have ended, and return those that are to get a last look, in the
        order in which they ended. Each is returned once.

        Args:
            now: None ends all of them.
        """
        with self._lock:
            for camera_id, passages in list(self._cameras.items()):
                self._end_old(passages, now)
                if not passages:
                    del self._cameras[camera_id], self._misses[camera_id]
            ended = sorted(self._ended, key=lambda one: one.received_at)
            self._ended.clear()
            return ended

    def _shown(
        self, camera_id: str, passages: list[Passage], glance: Glance | None
    ) -> list[Passage]:
        """Those of a camera's passages whose faces a picture shows at a glance."""
        if not passages or glance is None:
            return []
        with self._lock:
            misses = self._misses[camera_id]
            self._misses[camera_id] += 1
        if misses >= FEW_MISSES and misses % FEW_MISSES:
            return []
        # Not with the lock: others need not wait for that.
        shown = [one for one in passages if glance.shows(one.glimpses)]
        if shown:
            with self._lock:
                del self._misses[camera_id]
        return shown

    def _find(
        self,
        camera_id: str,
        track_id: str | None,
        face: SeenFace,
        at: datetime,
        received_at: datetime,
        taken: set[str],
    ) -> Passage | None:
        if track_id is not None:
            tracked = self._tracked(camera_id, track_id, at, received_at)
            for passage in tracked:
                if passage.vector @ face.vector >= TRACK_ALIKE:
                    return passage
            for passage in tracked:
                passage.track_id = None  # from here on it is someone else's
            return None
        near = [
            (float(passage.vector @ face.vector), passage)
            for passage in self._open(camera_id, at, received_at)
            if passage.track_id is None and passage.id not in taken
        ]
        alike = [(how, one) for how, one in near if how >= one.alike(face, at)]
        return max(alike, key=lambda one: one[0])[1] if alike else None

    def _idle(
        self, camera_id: str, track_id: str | None, at: datetime, received_at: datetime
    ) -> list[Passage]:
        """The passages of which no face need be looked at: those of a track, or the newest of
        those that have none."""
        if track_id is None:
            alive = [
                one
                for one in self._open(camera_id, at, received_at)
                if one.track_id is None and one.glimpses
            ][-MAX_GLANCED:]
        else:
            alive = self._tracked(camera_id, track_id, at, received_at)
            alive = alive if len(alive) == 1 else []
        return [one for one in alive if _is_idle(one, at)]

    def _tracked(
        self, camera_id: str, track_id: str, at: datetime, received_at: datetime
    ) -> list[Passage]:
        """The passages that a face of a track may belong to; two if it came out of order."""
        alive = self._open(camera_id, at, received_at)
        return [passage for passage in alive if passage.track_id == track_id]

    def _open(self, camera_id: str, at: datetime, received_at: datetime) -> Iterator[Passage]:
        """The passages of a camera that a face seen at `at` may belong to."""
        for passage in self._cameras.get(camera_id, ()):
            in_time = passage.first_at - self._span <= at <= passage.last_at + self._span
            if in_time and abs(received_at - passage.received_at) <= self._span:
                yield passage

    def _begin(
        self,
        camera_id: str,
        track_id: str | None,
        at: datetime,
        received_at: datetime,
        generation: int,
    ) -> Passage:
        passage = Passage(
            uuid.uuid4().hex, track_id, at, at, received_at, checked_at=at, generation=generation
        )
        passages = self._cameras.setdefault(camera_id, [])
        self._end_old(passages, received_at)
        passages.append(passage)
        self.begun += 1
        self._cameras.move_to_end(camera_id)
        if len(passages) > MAX_PASSAGES:
            passages.remove(min(passages, key=lambda one: one.received_at))
        while sum(map(len, self._cameras.values())) > MAX_IN_ALL:
            forgotten, _ = self._cameras.popitem(last=False)
            del self._misses[forgotten]
        return passage

    def _end_old(self, passages: list[Passage], now: datetime | None) -> None:
        """Take those that have ended out of a camera's passages; without a `now`, all."""
        kept = [one for one in passages if now and now - one.received_at <= self._span]
        for passage in passages:
            passage.has_ended = passage not in kept
        self._ended += [one for one in passages if one.has_ended and one.best]
        passages[:] = kept

    def _touch(self, passage: Passage, at: datetime, received_at: datetime) -> None:
        passage.first_at = min(passage.first_at, at)
        passage.last_at = max(passage.last_at, at)
        passage.received_at = max(passage.received_at, received_at)


def _is_better(passage: Passage, quality: float) -> bool:
    """Whether a face is to be kept in place of the one that is."""
    return not passage.settled and (passage.best is None or quality > passage.best.quality)


def _is_idle(passage: Passage, at: datetime) -> bool:
    """Whether a face seen at `at` is too near to one that was looked at to be looked at, too."""
    gap = min(abs((at - one.at).total_seconds()) for one in passage.probes)
    if passage.settled:
        gap = min(gap, abs((at - passage.checked_at).total_seconds()))
    rarely = passage.settled or passage.looks == len(LOOKS)
    return gap < (RECHECKED_SECONDS if rarely else LEAST_GAP)


def _claim(
    passage: Passage, face: SeenFace, at: datetime, generation: int, *, is_new: bool
) -> Claim:
    """Add a face to its passage, and take the look that is due."""
    if generation > passage.generation and not passage.candidates:
        passage.generation, passage.looks, passage.settled = generation, 0, False
    passage.add(face, at)
    if face.glimpse is not None:
        passage.glimpses = (face.glimpse, *passage.glimpses)[:MAX_GLIMPSES]
    due = looks_due(passage.count)
    look = None
    if due > passage.looks:
        passage.looks, passage.looked_count, passage.score = due, passage.count, None
        look = Look(max(1.0, passage.independent()), LOOKS[due - 1].share)
    elif not passage.may_need_chips:
        face.chip = None
    faces = tuple(probe.face for probe in passage.probes) if look else ()
    number, is_match = due if look else 0, bool(passage.candidates)
    return Claim(passage, look, number, passage.vector, faces, is_new, passage.generation, is_match)
