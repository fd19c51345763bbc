"""The tracker: from a detection to sightings and alerts. No HTTP, no sockets."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from typing_extensions import Self

from susracker.config import SIGHTING, Settings
from susracker.cooldowns.base import Cooldown
from susracker.errors import DuplicateError, InputError, NotFoundError, StoreUnavailableError
from susracker.faces.detector import Detector
from susracker.faces.encoder import Encoder
from susracker.faces.timed import TimedEncoder
from susracker.loading import make_settings
from susracker.matchers.base import Matcher
from susracker.models import Alert, Camera, CameraDay, Detection, Outcome, OutcomeKind
from susracker.plugins import (
    open_cooldown,
    open_detector,
    open_encoder,
    open_matcher,
    open_store_of,
)
from susracker.runtime.clock import Clock, utc_now
from susracker.runtime.closing import Closing
from susracker.runtime.periodic import Periodic
from susracker.stores.base import Journal, Store
from susracker.tracking.alerts import face_alert, new_alert
from susracker.tracking.camera_counts import CameraCounts
from susracker.tracking.clocks import CameraClocks
from susracker.tracking.deciding import Decider
from susracker.tracking.event_memory import EventMemory
from susracker.tracking.evidence import Evidence
from susracker.tracking.last_looks import EVERY_SECONDS, LastLooks
from susracker.tracking.outcomes import OutcomeRecorder
from susracker.tracking.passages import Passages
from susracker.tracking.recogniser import Recogniser, Recognition, Sight
from susracker.tracking.turns import Turns, large_at_once
from susracker.watchlist.scoring import load_scoring
from susracker.watchlist.watchlist import WatchList

log = logging.getLogger(__name__)

FACE = "face"
"""The event type of a detection whose faces are to be recognised; all others are activities."""

PREPARED_AT_ONCE = 4096
"""Each time the store is followed, statistics are computed for at most this many criminals: half a
second of one core. A search computes what it misses, in 4 ms."""

ATTEMPTS = 5
"""How many times a detection is tried: again each time someone in it is removed at that moment."""


class Tracker(Closing):
    """Recognises faces in detections, and stores sightings and alerts.

    `handle` may be called from any thread, and from many at once, of which `workers` recognise at
    the same time, one camera's after another's, while others search or wait for the store. Half as
    many beside them take large pictures. The tracker owns the parts that it is given, and closes
    them. As a context manager it starts on entry and closes on exit.

    Args:
        store: who is enrolled, and, by default, what was seen.
        detector: by default the one that the settings name.
        journal: where sightings and alerts go instead of into the store.
    """

    def __init__(
        self,
        *,
        store: Store,
        encoder: Encoder,
        matcher: Matcher,
        cooldown: Cooldown,
        settings: Settings,
        detector: Detector | None = None,
        journal: Journal | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self.settings = settings
        self.store = store
        self.journal = journal or store
        self.encoder = TimedEncoder(encoder)
        self.detector = detector or open_detector(settings.detector)
        self.watchlist = WatchList(
            store,
            encoder.id,
            matcher,
            load_scoring(encoder.id),
            settings.target_fpir,
            settings.threshold_shift,
        )
        limit = self.max_detection_pixels
        self.recogniser = Recogniser(self.detector, self.encoder, self.watchlist, limit)
        # Threads that wait for the store must not keep others from recognising.
        self._turns = Turns(settings.workers)
        self._large_turns = Turns(large_at_once(settings.workers))
        self._matcher = matcher
        self._cooldown = cooldown
        self.passages = Passages(settings.passage_seconds)
        self._decider = Decider(self.encoder, self.watchlist, self.passages, limit, self._turns)
        self._outcomes = OutcomeRecorder(
            self.journal,
            cooldown,
            self.passages,
            moves_last_seen=settings.last_seen_after == SIGHTING,
        )
        self._evidence = Evidence(self.journal)
        self._clock = clock
        self._clocks = CameraClocks()
        self._counts = CameraCounts(self.journal)
        self.last_looks = LastLooks(
            store, self.passages, self._decider, self._outcomes, self._counts
        )
        self._events = EventMemory(self.journal)
        self._background: tuple[Periodic, ...] = ()

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Open the parts that the settings name.

        Raises:
            ConfigError: a part is unknown or needs an extra.
            StoreError: the store cannot be opened.
        """
        encoder = open_encoder(settings.encoder)
        load_scoring(encoder.id)  # without one, no store is to be created
        matcher = open_matcher(settings.matcher, encoder.dimension)
        cooldown = open_cooldown(settings.cooldown, settings.cooldown_seconds)
        return cls(
            store=open_store_of(settings),
            encoder=encoder,
            matcher=matcher,
            cooldown=cooldown,
            settings=settings,
        )

    def start(self) -> None:
        """Load the networks, the watch-list and recent alerts, and follow the store from now on.

        Raises:
            EncoderError: the weights are missing or wrong.
            StoreUnavailableError: the store cannot be read.
        """
        now = self._clock()
        with ThreadPoolExecutor(1) as pool:
            loading = pool.submit(self.recogniser.load)
            self.watchlist.refresh(now)
            loading.result()
        span = timedelta(seconds=self._cooldown.seconds)
        for alert in self.journal.alerts_since(now - span):
            self._outcomes.remember(alert)
        self._events.forget_old(now)
        often = self.settings.follow_seconds
        # Apart, for a read may wait for the store much longer than a check does.
        self._background = (
            Periodic("checking the store", often / 2, self.store.check),
            Periodic("following the store", often, self.keep_house),
            Periodic("taking last looks", EVERY_SECONDS, self.look_last),
        )

    def close(self) -> None:
        """Look at all open passages one last time, write what was counted, and close all parts."""
        with ExitStack() as stack:
            stack.callback(self.store.close)
            stack.callback(self._cooldown.close)
            stack.callback(self._matcher.close)
            for work in self._background:
                work.close()
            stack.callback(self._counts.flush)
            self.last_looks.take(None)

    def __enter__(self) -> Self:
        self.start()
        return self

    @property
    def problem(self) -> str | None:
        """What keeps the tracker from writing to the store and following it, or None."""
        if not self._background:
            return "not started"
        return next((work.problem for work in self._background if work.problem), None)

    @property
    def warning(self) -> str | None:
        """What the tracker has to do without at present, or None."""
        return self._cooldown.problem

    @property
    def max_pixels(self) -> int:
        """The largest picture that is decoded."""
        return int(self.settings.max_megapixels * 1e6)

    @property
    def max_detection_pixels(self) -> int:
        """The largest picture of a detection that is decoded."""
        return min(self.max_pixels, int(self.settings.max_detection_megapixels * 1e6))

    def is_large(self, detection: Detection) -> bool:
        """Whether a detection's picture takes so long that ordinary ones do not wait for it.

        Raises:
            InputError: a face detection without a picture.
            PictureError: the picture cannot be read by its header, or is too large.
        """
        return self.recogniser.is_large(_picture(detection))

    def refresh(self) -> None:
        """Follow enrolments, edits and removals now, and not only at the next time."""
        self.watchlist.refresh(self._clock())

    def keep_house(self) -> None:
        """Do what is due from time to time: once started, this runs every `follow_seconds`.

        Raises:
            StoreUnavailableError: what is left is done the next time.
        """
        self.refresh()
        self.watchlist.prepare(PREPARED_AT_ONCE)
        self._counts.flush()
        self._events.forget_old(self._clock())

    def look_last(self) -> None:
        """Look at passages that have ended: once started, this runs twice a second.

        Raises:
            StoreUnavailableError: what is left is done the next time.
        """
        self.last_looks.take(self._clock())

    def cameras(self) -> list[Camera]:
        """What is known about each camera at this moment, by id."""
        self._counts.flush()
        return self.journal.cameras()

    def camera_days(self) -> list[CameraDay]:
        """What each camera sent on each day, by camera and then by day."""
        self._counts.flush()
        return self.journal.camera_days()

    def handle(self, detection: Detection) -> Outcome:
        """Recognise a detection's faces, and store what follows from it.

        When this returns, sightings and alerts are durable. A detection whose `event_id` was
        handled before changes nothing, and gets the outcome it had the first time.

        Raises:
            InputError: a face detection without a picture.
            PictureError: the picture cannot be read.
            StoreUnavailableError: nothing was stored, and nothing held back: send it again.
        """
        received_at = self._clock()
        for _ in range(ATTEMPTS):
            if earlier := self._earlier_outcome(detection):
                return earlier
            try:
                return self._attempt(detection, received_at)
            except DuplicateError:
                log.debug("an event came twice at once, and the other one was stored first")
            except NotFoundError:
                log.info("someone was removed while being recognised; recognising again")
        raise StoreUnavailableError(
            f"the store changed during each of {ATTEMPTS} attempts to handle a detection; "
            "nothing was stored: send it again"
        )

    def conclude(
        self, detection: Detection, recognition: Recognition | None, received_at: datetime
    ) -> Outcome:
        """Pass what was recognised in a detection through the cooldown, and store what follows.

        The time of arrival replaces an `occurred_at` of a clock that is wrong (see `CameraClocks`).

        Args:
            recognition: None for an activity.

        Raises:
            DuplicateError: the event was handled before.
            NotFoundError: someone was removed after being recognised.
            StoreUnavailableError: nothing was stored, and nothing held back.
        """
        timed = replace(detection, occurred_at=self._clocks.moment(detection, received_at))
        found = self._found(timed, recognition, received_at)
        none: OutcomeKind = "no match" if recognition and recognition.faces else "no face"
        matches = recognition.matches if recognition else ()
        pairs = list(zip(found, matches, strict=recognition is not None))
        self._evidence.improve(pairs)
        passages = {alert.id: match.passage for alert, match in pairs if match.passage}
        outcome = self._outcomes.record(timed, found, none, received_at, passages)
        self._evidence.note(outcome.alerts, pairs)
        # Not before: a camera that sends a failed event again has no clock that stands still.
        self._clocks.note(detection, received_at)
        return replace(outcome, passage=recognition.passage if recognition else None)

    def decide(self, detection: Detection, sight: Sight, received_at: datetime) -> Recognition:
        """Recognise the faces of a detection by the passages that they belong to.

        Raises:
            StoreUnavailableError: the store cannot be read.
        """
        at = self._clocks.moment(detection, received_at)
        return self._decider.decide(detection, sight, at, received_at)

    @property
    def has_passages(self) -> bool:
        """Whether faces are decided on by passages, and not each alone."""
        return self.settings.passage_seconds > 0

    def _attempt(self, detection: Detection, received_at: datetime) -> Outcome:
        recognition = self._recognise(detection, received_at)
        outcome = self.conclude(detection, recognition, received_at)
        searches = recognition.searches if recognition else 0
        self._count(detection, received_at, outcome, searches)
        return outcome

    def _recognise(self, detection: Detection, received_at: datetime) -> Recognition | None:
        picture = _picture(detection)
        is_large = self.is_large(detection)
        turns = self._large_turns if is_large else self._turns
        with turns.turn(detection.camera_id):
            if picture is None or not self.has_passages:
                return self.recogniser.recognise(picture, received_at, is_large=is_large)
            at = self._clocks.moment(detection, received_at)
            if skipped := self._decider.skipped(detection, at, received_at):
                return skipped
            sight = self.recogniser.see(picture, is_large=is_large)
        return self._decider.look(detection, sight, at, received_at)

    def _earlier_outcome(self, detection: Detection) -> Outcome | None:
        if detection.event_id is None:
            return None
        outcome = self.journal.event_outcome(detection.camera_id, detection.event_id)
        passage = self.passages.of_event(detection.camera_id, detection.event_id)
        return replace(outcome, passage=passage.id) if outcome and passage else outcome

    def _found(
        self, detection: Detection, recognition: Recognition | None, received_at: datetime
    ) -> list[Alert]:
        """The alerts that would go out if there were no cooldown, the best match first."""
        if recognition is None:
            return [new_alert(detection, received_at)]
        return [
            face_alert(detection, match, received_at, self.store) for match in recognition.matches
        ]

    def _count(
        self, detection: Detection, received_at: datetime, outcome: Outcome, searches: int
    ) -> None:
        self._counts.add(
            Camera(
                id=detection.camera_id,
                location=detection.camera_location,
                last_heard_at=received_at,
                detections=1,
                alerts=len(outcome.alerts),
            ),
            searches,
        )


def open_tracker(**settings: Any) -> Tracker:
    """Open a tracker with settings by name, such as `store="sqlite:///people.db"`.

    Settings that are not given have their defaults; neither the environment nor a settings file
    is read.

    Raises:
        ConfigError: a setting is wrong.
        StoreError: the store cannot be opened.
    """
    return Tracker.from_settings(make_settings(settings))


def _picture(detection: Detection) -> bytes | None:
    """What faces are to be found in; None for an activity."""
    if detection.event_type != FACE:
        return None
    if detection.picture is None:
        raise InputError("a face detection needs a picture")
    return detection.picture
