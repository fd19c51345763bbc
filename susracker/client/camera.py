"""A camera that loses no events."""

from __future__ import annotations

import base64
import json
import logging
import ssl
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from susracker.client.delivery import (
    FAULTS_PER_EVENT,
    Delivered,
    Delivery,
    Faults,
    Refused,
    Waits,
    check_server,
)
from susracker.client.spool import Spool, Waiting
from susracker.errors import ConfigError, SpoolError
from susracker.runtime.closing import Closing

log = logging.getLogger(__name__)

FACE = "face"

MEMORY_MB = 64
"""What may wait in memory if there is no spool: a few thousand faces."""

SPOOL_MB = 1000
"""What may wait in a spool, unless another limit is given."""

CLOSE_SECONDS = 5.0
"""How long closing may take, sending what is left."""

DROPPED_LOGGED_EACH = 60.0
"""Seconds between two messages about dropped events, each of which says how many."""

OnAnswer = Callable[[str, dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of a camera's events.

    Attributes:
        sent: the server took them.
        refused: the server will never take them, or failed on each of them again and again.
        dropped: given up because the spool was full, or was in memory when the camera was closed.
        waiting: still to be sent.
    """

    sent: int = 0
    refused: int = 0
    dropped: int = 0
    waiting: int = 0


class Camera(Closing):
    """Sends a camera's events to a server, in order, on a thread of its own.

    An event is kept until the server has answered it: on disk if there is a `spool`, so that it
    also survives a restart of the camera. Each event has an id, and the server answers a repeat as
    it did the first time; so an event whose answer was lost is sent again, and counts once. Events
    that had to wait are sent with their original time. An event that the server refuses, or fails
    on 8 times (status 500), is given up, counted as refused, and named in the log: it would hold up
    all others, and nobody's face should stay on a camera because of it. `send_*` may be called from
    any thread.

    Args:
        key: sent as `Authorization: Bearer KEY`.
        ca: a file of certificates, as PEM, of the authority that signed the server's; by default
            those that browsers trust.
        spool: a folder, with a file for each camera. Faces wait there until they are sent,
            strangers' included. By default events wait in memory.
        spool_mb: how many megabytes may wait; beyond that the oldest events are dropped, counted
            and logged.
        on_answer: called with an event's id and the server's answer, on the sending thread; it
            must not raise.

    Raises:
        ConfigError: the URL, the camera's name or the file of certificates is wrong.
        SpoolError: the spool cannot be used.
    """

    def __init__(
        self,
        url: str,
        camera_id: str,
        location: str,
        *,
        key: str | None = None,
        ca: str | Path | None = None,
        spool: str | Path | None = None,
        spool_mb: float | None = None,
        on_answer: OnAnswer = lambda event_id, answer: None,
    ) -> None:
        check_server(url)
        if not camera_id:
            raise ConfigError("a camera needs an id, such as gate-1")
        if ca:
            _check_authorities(ca)
        self._fields = {"camera_id": camera_id, "camera_location": location}
        file = Path(spool) / f"{quote(camera_id, safe='')}.db" if spool else None
        default_mb = SPOOL_MB if spool else MEMORY_MB
        self._is_kept = file is not None
        self._spool = Spool(file, int((spool_mb or default_mb) * 1e6))
        self._delivery = Delivery(url, key, ca)
        self._on_answer = on_answer
        self._counts = Counts()
        self._dropped_unsaid, self._dropped_at = 0, -DROPPED_LOGGED_EACH
        self._changed = threading.Condition()
        self._problem = ""
        self._closing = self._settling = False
        self._thread = threading.Thread(target=self._run, name=f"camera {camera_id}", daemon=True)
        self._thread.start()

    @property
    def counts(self) -> Counts:
        """What has become of the events so far."""
        with self._changed:
            return replace(self._counts, waiting=len(self._spool))

    def send_face(self, picture: bytes, at: datetime, track_id: str | None = None) -> str:
        """Send a face crop, or a frame, as an encoded picture. Returns the event's id.

        Args:
            at: when it was seen; local time if it has no timezone.
            track_id: the camera's own id of the person's pass through its picture, if it follows
                faces from frame to frame.

        Raises:
            SpoolError: the event cannot be kept, and is lost unless you send it again.
        """
        fields = {} if track_id is None else {"track_id": track_id}
        return self.send(FACE, at, image=base64.b64encode(picture).decode(), **fields)

    def send_activity(self, kind: str, at: datetime) -> str:
        """Send an activity, such as "violence". Returns the event's id.

        Raises:
            SpoolError: the event cannot be kept, and is lost unless you send it again.
        """
        return self.send(kind, at)

    def send(self, event_type: str, at: datetime, **fields: Any) -> str:
        """Send an event with fields of `POST /api/detections`. Returns its id.

        Raises:
            SpoolError: the event cannot be kept, and is lost unless you send it again.
        """
        event_id = uuid.uuid4().hex
        moment = at.astimezone().isoformat()
        known = {"event_type": event_type, "timestamp": moment, "event_id": event_id}
        body = json.dumps(self._fields | known | fields).encode()
        with self._changed:
            dropped = self._spool.put(event_id, body)
            if dropped:
                self._make_known(dropped)
            self._changed.notify_all()
        return event_id

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until everything is sent and counted, and `on_answer` was called for all of it.
        Returns whether that happened within `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(self._is_settled, timeout)

    def close(self, timeout: float = CLOSE_SECONDS) -> None:
        """Send what is left, and return within `timeout` seconds, whatever the server does.

        Events that are still in a spool are sent the next time that the camera is opened. Events
        that are only in memory are lost, and counted as dropped.
        """
        if self._closing:
            return
        deadline = time.monotonic() + timeout
        self.flush(timeout)
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        # A thread that still waits for an answer is left behind: without the spool it does nothing.
        self._thread.join(max(0.0, deadline - time.monotonic()))
        if not self._is_kept:
            self._give_up()
        self._spool.close()

    def _run(self) -> None:
        waits, faults = Waits(), Faults()
        with closing(self._delivery):
            while not self._closing:
                try:
                    self._send_all(waits, faults)
                except SpoolError as error:
                    self._spool_failed(error, waits)

    def _spool_failed(self, error: SpoolError, waits: Waits) -> None:
        if not self._closing:
            log.error("%s", error)
            self._wait(waits.next(0))

    def _send_all(self, waits: Waits, faults: Faults) -> None:
        while waiting := self._next():
            result = self._delivery.post(waiting.body)
            if isinstance(result, (Delivered, Refused)):
                self._arrived(waits)
                self._settle(waiting, result)
            elif faults.give_up(waiting.number, result):
                # The waits stay long: perhaps the server fails on everything.
                self._settle(waiting, Refused(f"{result.reason}, {FAULTS_PER_EVENT} times"))
            else:
                self._failed(result.reason)
                self._wait(waits.next(result.retry_after))

    def _arrived(self, waits: Waits) -> None:
        waits.succeeded()
        if self._problem:
            log.warning("the server answers again; events waiting: %d", len(self._spool))
        self._problem = ""

    def _failed(self, reason: str) -> None:
        """Log a problem when it begins, not on every attempt."""
        if reason != self._problem:
            log.warning("%s; trying again until the server has taken the events", reason)
        self._problem = reason

    def _next(self) -> Waiting | None:
        """Wait for the next event. Returns None once the camera is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing or len(self._spool))
            return None if self._closing else self._spool.first()

    def _wait(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closing, seconds)

    def _is_settled(self) -> bool:
        return not self._settling and not len(self._spool)

    def _settle(self, waiting: Waiting, result: Delivered | Refused) -> None:
        refused = isinstance(result, Refused)
        with self._changed:
            was_waiting = self._spool.done(waiting)
            self._settling = True
            self._counts = replace(
                self._counts,
                sent=self._counts.sent + (not refused),
                refused=self._counts.refused + refused,
                # It may have been dropped while it was being sent.
                dropped=self._counts.dropped - (not was_waiting),
            )
        if isinstance(result, Delivered):
            self._on_answer(waiting.event_id, result.answer)
        else:
            log.error(
                "gave up event %s, which the server refused: %s", waiting.event_id, result.reason
            )
        with self._changed:
            self._settling = False
            self._changed.notify_all()

    def _give_up(self) -> None:
        dropped = 0
        while waiting := self._spool.first():
            dropped += self._spool.done(waiting)
        if dropped:
            with self._changed:
                self._counts = replace(self._counts, dropped=self._counts.dropped + dropped)
            log.error(
                "events dropped because the camera was closed before they were sent: %d", dropped
            )

    def _make_known(self, dropped: int) -> None:
        self._counts = replace(self._counts, dropped=self._counts.dropped + dropped)
        self._dropped_unsaid += dropped
        if time.monotonic() - self._dropped_at >= DROPPED_LOGGED_EACH:
            log.error(
                "events dropped because the server is unavailable and the spool is full: %d",
                self._dropped_unsaid,
            )
            self._dropped_unsaid, self._dropped_at = 0, time.monotonic()


def _check_authorities(file: str | Path) -> None:
    try:
        ssl.create_default_context(cafile=file)
    except OSError as error:
        raise ConfigError(f"{file} is not a file of PEM certificates: {error}") from error
