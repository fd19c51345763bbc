"""A tracker without networks: a picture says by itself who is in it.

Such a tracker is there in milliseconds, and does all that follows from recognition for real.
"""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

from susracker.cooldowns.base import Cooldown
from susracker.errors import StoreUnavailableError
from susracker.loading import make_settings
from susracker.models import Candidate, Criminal, Detection
from susracker.plugins import open_cooldown, open_encoder, open_matcher, open_store
from susracker.tracking.recogniser import Match, Recognition
from susracker.tracking.tracker import Tracker

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)


class Clock:
    """A clock that moves only when told to."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


class TellingRecogniser:
    """Recognises the wanted people whose ids a picture lists, such as `b"ann,bob"`."""

    def __init__(self, store) -> None:
        self._store = store

    def load(self) -> None:
        """Nothing to load."""

    def is_large(self, data: bytes | None) -> bool:
        return False

    def recognise(
        self, data: bytes | None, now: datetime, *, is_large: bool = False
    ) -> Recognition | None:
        if data is None:
            return None
        ids = data.decode().split(",")
        found = [one for one in self._store.criminals(ids) if one.is_wanted(now)]
        return Recognition(len(ids), tuple(Match((candidate(one),), b"jpeg") for one in found))


def candidate(criminal: Criminal) -> Candidate:
    return Candidate(criminal.id, criminal.name, distance=0.5, score=4.0, fpir=0.001)


def open_light(url: str, cooldown: str | Cooldown = "memory", clock=None, **settings) -> Tracker:
    """A tracker on the store at `url`, whose watch-list has Ann and Bob."""
    encoder = open_encoder("dlib")
    settings = make_settings({"store": url, "follow_seconds": 60, "passage_seconds": 0} | settings)
    if isinstance(cooldown, str):
        cooldown = open_cooldown(cooldown, settings.cooldown_seconds)
    tracker = Tracker(
        store=open_store(url),
        encoder=encoder,
        matcher=open_matcher("exact", encoder.dimension),
        cooldown=cooldown,
        settings=settings,
        clock=clock or Clock(),
    )
    tracker.recogniser = TellingRecogniser(tracker.store)
    known = {one.id for one in tracker.store.criminals()}
    for name in {"ann", "bob"} - known:
        tracker.store.add_criminal(Criminal(id=name, name=name.title()))
    return tracker


def activity(seconds: float = 0, event_id: str | None = None, camera: str = "gate") -> Detection:
    moment = NOON + timedelta(seconds=seconds)
    return Detection(camera, "Main gate", "violence", moment, event_id=event_id)


def face(
    seconds: float = 0, event_id: str | None = None, camera: str = "gate", who: bytes = b"ann"
) -> Detection:
    moment = NOON + timedelta(seconds=seconds)
    return Detection(camera, "Main gate", "face", moment, who, event_id)


class Gate:
    """Stands in for a method: the first call waits until the gate is opened, others pass.

    Attributes:
        failing: numbers of the calls that fail, from 1.
        reached: set when the first call has come.
    """

    def __init__(self, method) -> None:
        self._method = method
        self._numbers = itertools.count(1)
        self._open = threading.Event()
        self.failing: set[int] = set()
        self.reached = threading.Event()

    def __call__(self, *args, **named):
        number = next(self._numbers)
        if number == 1:
            self.reached.set()
            assert self._open.wait(60)
        if number in self.failing:
            raise StoreUnavailableError("the disk is full")
        return self._method(*args, **named)

    def open(self) -> None:
        self._open.set()

    @contextmanager
    def holding(self, call, *args):
        """Run `call` in a thread; it waits at the gate for the `with` block to end.

        Yields:
            what will come of it.
        """
        with ThreadPoolExecutor(1) as pool:
            result = pool.submit(call, *args)
            try:
                assert self.reached.wait(60)
                yield result
            finally:
                self.open()
