"""Runs detections through a tracker again, in order, on the recorded clock."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime

from susracker.config import Settings
from susracker.errors import DuplicateError, InputError, PictureError
from susracker.models import Detection, Outcome
from susracker.passwords import without_password
from susracker.plugins import open_cooldown, open_encoder, open_existing_store_of, open_matcher
from susracker.recording.format import Recorded
from susracker.replay.journal import ReplayJournal
from susracker.replay.sources import Source
from susracker.runtime.parallel import map_in_order
from susracker.tracking.recogniser import Recognition, Sight
from susracker.tracking.tracker import FACE, Tracker

WINDOW = 4
"""Detections under way for each worker."""

PREPARED_AT_ONCE = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A detection that was run again. It comes a second time, later and without its picture, if its
    face is the best one of a passage that matched only when it had ended.

    Attributes:
        number: from 1.
        recognition: None for an activity, and where the picture could not be read.
        outcome: None where the picture could not be read, or the event is a repeat.
        problem: why there is no outcome; empty where there is one.
    """

    number: int
    recorded: Recorded
    recognition: Recognition | None
    outcome: Outcome | None
    problem: str = ""


class Pace:
    """Waits so that detections come as fast as they did, or `speed` times as fast.

    A clock that was set back is not waited for, and time goes on from there.

    Args:
        speed: infinite does not wait at all.
    """

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._before: datetime | None = None
        self._due = time.monotonic()

    def wait(self, moment: datetime) -> None:
        """Return when it is time for what was received at `moment`."""
        if self._before is not None:
            self._due += max(0.0, (moment - self._before).total_seconds()) / self._speed
            time.sleep(max(0.0, self._due - time.monotonic()))
        self._before = moment


@contextmanager
def open_replay_tracker(settings: Settings, began: datetime) -> Iterator[Tracker]:
    """A tracker on the present watch-list, that keeps what it sees in memory.

    It is not started: nothing may change while it runs. Everyone's statistics are computed
    here, in an order that does not depend on threads: two runs agree to the last digit.

    Raises:
        InputError: nobody can be recognised.
    """
    encoder = open_encoder(settings.encoder)
    tracker = Tracker(
        store=open_existing_store_of(settings),
        journal=ReplayJournal(),
        encoder=encoder,
        matcher=open_matcher(settings.matcher, encoder.dimension),
        cooldown=open_cooldown("memory", settings.cooldown_seconds),
        settings=settings,
    )
    with closing(tracker):
        tracker.recogniser.load()
        if not tracker.watchlist.refresh(began):
            raise InputError(
                f"nobody on the watch-list of {without_password(settings.store)} has a template of "
                f"the encoder {settings.encoder}: enrol someone, or start `susracker serve` with "
                "it once"
            )
        while tracker.watchlist.prepare(PREPARED_AT_ONCE):
            pass
        yield tracker


def run(tracker: Tracker, source: Source, workers: int, pace: Pace) -> Iterator[Step]:
    """Run a source's detections; faces are recognised on `workers` threads, and what follows is
    concluded in order.

    Raises:
        InputError: embeddings of another encoder.
    """

    def recognise(recorded: Recorded) -> Recognition | Sight | PictureError | None:
        try:
            return _recognise(tracker, recorded)
        except PictureError as error:
            return error

    with ThreadPoolExecutor(workers) as pool:
        found = map_in_order(pool, recognise, source, WINDOW * workers)
        numbers: dict[Key, int] = {}
        for number, (recorded, recognition) in enumerate(found, 1):
            pace.wait(recorded.received_at)
            yield from _late(tracker, numbers, recorded.received_at)
            numbers.setdefault(_key(recorded.detection, recorded.received_at), number)
            if isinstance(recognition, PictureError):
                yield Step(number, recorded, None, None, str(recognition))
            else:
                yield _conclude(tracker, number, recorded, recognition)
        yield from _late(tracker, numbers, None)


Key = tuple[str, str | None, str | None, datetime, datetime]


def _key(detection: Detection, received_at: datetime) -> Key:
    """What a detection is known by once its picture is gone."""
    one = detection
    return one.camera_id, one.track_id, one.event_id, one.occurred_at, received_at


def _late(tracker: Tracker, numbers: Mapping[Key, int], now: datetime | None) -> Iterator[Step]:
    """Who is recognised in passages that have ended by a moment of that night; None ends all."""
    for late in tracker.last_looks.take(now):
        detection, received_at = late.best.detection, late.best.received_at
        yield Step(
            numbers[_key(detection, received_at)],
            Recorded(detection, received_at),
            Recognition(1, (late.match,), late.outcome.passage, began=0),
            late.outcome,
        )


def _recognise(tracker: Tracker, recorded: Recorded) -> Recognition | Sight | None:
    """What can be done in any order: faces are added to passages later, one after another."""
    detection, embeddings = recorded.detection, recorded.embeddings
    if detection.event_type != FACE:
        return None
    if embeddings is None:
        if tracker.has_passages:
            return tracker.recogniser.see(detection.picture or b"")
        return tracker.recogniser.recognise(detection.picture or b"", recorded.received_at)
    if embeddings.encoder_id != tracker.encoder.id:
        raise InputError(
            f"the recording has no pictures, only embeddings of {embeddings.encoder_id}, which the "
            f"encoder {tracker.settings.encoder} cannot use: choose the --encoder that made them"
        )
    if tracker.has_passages:
        return tracker.recogniser.see_probes(embeddings.vectors)
    if not len(embeddings.vectors):
        return Recognition(0, ())
    return tracker.recogniser.recognise_probes(embeddings.vectors, recorded.received_at)


def _conclude(
    tracker: Tracker, number: int, recorded: Recorded, found: Recognition | Sight | None
) -> Step:
    recognition = (
        tracker.decide(recorded.detection, found, recorded.received_at)
        if isinstance(found, Sight)
        else found
    )
    try:
        outcome = tracker.conclude(recorded.detection, recognition, recorded.received_at)
    except DuplicateError:
        return Step(number, recorded, recognition, None, "repeat")
    return Step(number, recorded, recognition, outcome)
