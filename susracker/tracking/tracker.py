"""The tracker: from a detection to sightings and alerts. No HTTP, no sockets."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from types import TracebackType
from typing import Any

from typing_extensions import Self

from susracker.config import Settings, make_settings
from susracker.cooldowns.base import Cooldown
from susracker.errors import DuplicateError, InputError, NotFoundError
from susracker.faces.detector import Detector
from susracker.faces.encoder import Encoder
from susracker.matchers.base import Matcher
from susracker.models import (
    Alert,
    Camera,
    Detection,
    Event,
    Outcome,
    OutcomeKind,
    Sighting,
)
from susracker.plugins import open_cooldown, open_encoder, open_matcher, open_store
from susracker.runtime.periodic import Periodic
from susracker.stores.base import Store
from susracker.tracking.camera_counts import CameraCounts
from susracker.tracking.recogniser import Match, Recogniser, Recognition
from susracker.watchlist.scoring import load_scoring
from susracker.watchlist.watchlist import WatchList

log = logging.getLogger(__name__)

FACE = "face"
"""The event type of a detection whose faces are to be recognised; all others are activities."""

FUTURE_TOLERANCE = timedelta(seconds=60)
"""How far a camera's clock may run ahead before the time of arrival is used in its place: a time
in the future would hold alerts back until it has passed."""

PREPARED_AT_ONCE = 4096
"""Criminals whose statistics are computed at start, and then every time that the store is followed:
half a second of one core. A search computes what it lacks itself."""

EVENT_MEMORY = timedelta(days=7)
"""How long a repeated event is known as one: longer than a camera is expected to be cut off."""

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(timezone.utc)


class Tracker:
    """Recognises faces in detections, and stores sightings and alerts.

    `handle` may be called from any thread, and from many at once. The tracker owns the parts that
    it is given, and closes them. As a context manager it starts on entry and closes on exit.
    """

    def __init__(
        self,
        *,
        store: Store,
        encoder: Encoder,
        matcher: Matcher,
        cooldown: Cooldown,
        settings: Settings,
        clock: Clock = utc_now,
    ) -> None:
        self.settings = settings
        self.store = store
        self.encoder = encoder
        self.detector = Detector()
        self.watchlist = WatchList(
            store,
            encoder.id,
            matcher,
            load_scoring(encoder.id),
            settings.target_fpir,
            settings.threshold_shift,
        )
        self.recogniser = Recogniser(self.detector, encoder, self.watchlist, self.max_pixels)
        self._matcher = matcher
        self._cooldown = cooldown
        self._clock = clock
        self._counts = CameraCounts(store)
        self._housekeeping: Periodic | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Open the parts that the settings name.

        Raises:
            ConfigError: a part is unknown or needs an extra.
            StoreError: the store cannot be opened.
        """
        encoder = open_encoder(settings.encoder)
        matcher = open_matcher(settings.matcher, encoder.dimension)
        cooldown = open_cooldown(settings.cooldown, settings.cooldown_seconds)
        return cls(
            store=open_store(settings.store),
            encoder=encoder,
            matcher=matcher,
            cooldown=cooldown,
            settings=settings,
        )

    def start(self) -> None:
        """Load network, watch-list and recent alerts, and follow the store from now on.

        Raises:
            EncoderError: the weights are missing or wrong.
            StoreUnavailableError: the store cannot be read.
        """
        self.recogniser.load()
        now = self._clock()
        self.watchlist.refresh(now)
        self.watchlist.prepare(PREPARED_AT_ONCE)
        held_back = timedelta(seconds=self.settings.cooldown_seconds)
        for alert in self.store.alerts_since(now - held_back):
            self._cooldown.try_acquire(_cooldown_key(alert), alert.occurred_at)
        self.store.forget_events(now - EVENT_MEMORY)
        self._housekeeping = Periodic(
            "following the store", self.settings.follow_seconds, self._keep_house
        )

    def close(self) -> None:
        """Write what was counted, and close all parts."""
        with ExitStack() as stack:
            stack.callback(self.store.close)
            stack.callback(self._cooldown.close)
            stack.callback(self._matcher.close)
            if self._housekeeping:
                self._housekeeping.close()
            self._counts.flush()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def problem(self) -> str | None:
        """What keeps the tracker from following the store, or None."""
        return self._housekeeping.problem if self._housekeeping else "not started"

    @property
    def warning(self) -> str | None:
        """What the tracker does without for now, or None."""
        return self._cooldown.problem

    @property
    def max_pixels(self) -> int:
        """The largest picture that is decoded."""
        return int(self.settings.max_megapixels * 1e6)

    def refresh(self) -> None:
        """Take over enrolments, edits and removals at once."""
        self.watchlist.refresh(self._clock())

    def cameras(self) -> list[Camera]:
        """What is known of every camera, up to this moment, by id."""
        self._counts.flush()
        return self.store.cameras()

    def handle(self, detection: Detection) -> Outcome:
        """Recognise a detection's faces, and store what follows from it.

        When this returns, sightings and alerts are durable. A detection whose `event_id` was
        handled before changes nothing, and gets the outcome it had the first time.

        Raises:
            InputError: a face detection without a picture.
            PictureError: the picture cannot be read.
            StoreUnavailableError: nothing was stored, and nothing held back: send it again.
        """
        if earlier := self._earlier_outcome(detection):
            return earlier
        received_at = self._clock()
        try:
            recognition = self.recogniser.recognise(_picture(detection), received_at)
            outcome = self.conclude(detection, recognition, received_at)
        except DuplicateError:
            # The same event came twice at once, and the other one was first.
            if earlier := self._earlier_outcome(detection):
                return earlier
            raise
        except NotFoundError:
            log.info("someone was removed while being recognised; recognising again")
            return self.handle(detection)
        self._count(detection, received_at, outcome)
        return outcome

    def conclude(
        self, detection: Detection, recognition: Recognition | None, received_at: datetime
    ) -> Outcome:
        """Store what follows from what was recognised in a detection: the cooldown's part.

        An `occurred_at` that lies in the future is replaced by the time of arrival.

        Args:
            recognition: None for an activity.

        Raises:
            DuplicateError: the event was handled before.
            NotFoundError: someone was removed since he was recognised.
            StoreUnavailableError: nothing was stored, and nothing held back.
        """
        if detection.occurred_at > received_at + FUTURE_TOLERANCE:
            detection = replace(detection, occurred_at=received_at)
        if recognition is None:
            return self._to_activity(detection, received_at)
        return self._to_faces(detection, recognition, received_at)

    def _earlier_outcome(self, detection: Detection) -> Outcome | None:
        if detection.event_id is None:
            return None
        return self.store.event_outcome(detection.camera_id, detection.event_id)

    def _to_faces(
        self, detection: Detection, recognition: Recognition, received_at: datetime
    ) -> Outcome:
        sightings, alerts = [], []
        with ExitStack() as undo:
            for match in recognition.matches:
                alert = self._face_alert(detection, match, received_at)
                passed = self._acquire(alert, undo)
                sightings.append(_sighting(alert, suppressed=not passed))
                if passed:
                    alerts.append(alert)
            none: OutcomeKind = "no match" if recognition.faces else "no face"
            kind: OutcomeKind = "alert" if alerts else "cooldown" if sightings else none
            outcome = self._record(detection, kind, sightings, alerts, received_at)
            undo.pop_all()
        return outcome

    def _to_activity(self, detection: Detection, received_at: datetime) -> Outcome:
        with ExitStack() as undo:
            alert = _alert(detection, received_at)
            passed = self._acquire(alert, undo)
            kind: OutcomeKind = "alert" if passed else "cooldown"
            outcome = self._record(detection, kind, [], [alert] if passed else [], received_at)
            undo.pop_all()
        return outcome

    def _acquire(self, alert: Alert, undo: ExitStack) -> bool:
        """Whether the cooldown lets an alert through; `undo` gives back what it took."""
        passed = self._cooldown.try_acquire(_cooldown_key(alert), alert.occurred_at)
        if passed:
            undo.callback(self._cooldown.release, _cooldown_key(alert), alert.occurred_at)
        return passed

    def _face_alert(self, detection: Detection, match: Match, received_at: datetime) -> Alert:
        first = match.candidates[0]
        photo_ids = self.store.photo_ids(first.criminal_id)
        return replace(
            _alert(detection, received_at),
            kind="face",
            criminal_id=first.criminal_id,
            name=first.name,
            distance=first.distance,
            score=first.score,
            candidates=match.candidates,
            face=match.face,
            photo_id=photo_ids[0] if photo_ids else None,
        )

    def _record(
        self,
        detection: Detection,
        kind: OutcomeKind,
        sightings: list[Sighting],
        alerts: list[Alert],
        received_at: datetime,
    ) -> Outcome:
        event = None
        if detection.event_id is not None:
            event = Event(detection.camera_id, detection.event_id, kind, received_at)
        stored = tuple(alerts)
        if sightings or alerts or event:
            stored = self.store.record(sightings, alerts, event)
        return Outcome(kind, stored, tuple(sightings))

    def _count(self, detection: Detection, received_at: datetime, outcome: Outcome) -> None:
        self._counts.add(
            Camera(
                id=detection.camera_id,
                location=detection.camera_location,
                last_heard_at=received_at,
                detections=1,
                alerts=len(outcome.alerts),
            )
        )

    def _keep_house(self) -> None:
        self.refresh()
        self.watchlist.prepare(PREPARED_AT_ONCE)
        self._counts.flush()


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


def _alert(detection: Detection, received_at: datetime) -> Alert:
    """An activity's alert, and what a face's alert has in common with it."""
    return Alert(
        id=uuid.uuid4().hex,
        kind="activity",
        event_type=detection.event_type,
        camera_id=detection.camera_id,
        camera_location=detection.camera_location,
        occurred_at=detection.occurred_at,
        received_at=received_at,
    )


def _sighting(alert: Alert, *, suppressed: bool) -> Sighting:
    match = alert.candidates[0]
    return Sighting(
        id=uuid.uuid4().hex,
        criminal_id=match.criminal_id,
        camera_id=alert.camera_id,
        camera_location=alert.camera_location,
        occurred_at=alert.occurred_at,
        received_at=alert.received_at,
        distance=match.distance,
        score=match.score,
        suppressed=suppressed,
    )


def _cooldown_key(alert: Alert) -> str:
    """One criminal, or one kind of activity, on one camera. Ids hold no control characters."""
    who = alert.criminal_id if alert.kind == "face" else alert.event_type
    return "\x1f".join((alert.kind, who or "", alert.camera_id))
