"""Cameras and operators at work, and a ledger of what the server answered them."""

from __future__ import annotations

import base64
import itertools
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import requests
import socketio

RETRY_SECONDS = 0.1
"""Before an event that was not taken is sent again."""


@dataclass
class Ledger:
    """What was answered to cameras. Lists only grow, and each is appended to by many threads.

    Attributes:
        answered: pairs of an event's id and the answer to it, of everything that was taken.
        latencies: seconds that answers with 200 took.
        refused: seconds that answers with 503 took.
        other: everything else that happened, as words.
    """

    answered: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    def alert_ids(self) -> list[str]:
        """Ids of the alerts that cameras were told of."""
        bodies = (body for _, body in self.answered)
        return [body["match"]["id"] for body in bodies if "match" in body]


class Camera(threading.Thread):
    """Posts pictures in turn to `/api/detections` until it is stopped.

    An event is sent again, with the same id, until it is answered with 200, as `susracker camera`
    does. Events occur `apart` seconds from one another on the camera's own clock, so that a
    cooldown shorter than that holds none of them back.

    Args:
        per_second: at most so many events; 0 is as fast as it can.
        repeats: whether an event that was not taken is sent again.
    """

    def __init__(
        self,
        url: str,
        name: str,
        pictures: Sequence[bytes],
        ledger: Ledger,
        *,
        per_second: float = 0,
        repeats: bool = True,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._url = f"{url}/api/detections"
        self._bodies = itertools.cycle([base64.b64encode(one).decode() for one in pictures])
        self._ledger = ledger
        self._pause = 1 / per_second if per_second else 0.0
        self._repeats = repeats
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Finish what is being sent, and end."""
        self._stopping.set()

    def run(self) -> None:
        with requests.Session() as session:
            for number in itertools.count():
                if self._stopping.is_set():
                    return
                self._send(session, self._event(number))
                self._stopping.wait(self._pause)

    def _event(self, number: int) -> dict[str, Any]:
        return {
            "camera_id": self.name,
            "camera_location": "Main gate",
            "event_type": "face",
            "event_id": f"{self.name}-{number}",
            "timestamp": datetime.now(timezone.utc).isoformat(),
            "image": next(self._bodies),
        }

    def _send(self, session: requests.Session, event: dict[str, Any]) -> None:
        while not self._try(session, event) and self._repeats:
            if self._stopping.wait(RETRY_SECONDS):
                return

    def _try(self, session: requests.Session, event: dict[str, Any]) -> bool:
        began = time.monotonic()
        try:
            answer = session.post(self._url, json=event, timeout=60)
        except requests.RequestException as error:
            self._ledger.other.append(type(error).__name__)
            return False
        took = time.monotonic() - began
        if answer.status_code == 200:
            self._ledger.latencies.append(took)
            self._ledger.answered.append((event["event_id"], answer.json()))
            return True
        if answer.status_code == 503:
            self._ledger.refused.append(took)
        else:
            self._ledger.other.append(f"{answer.status_code}: {answer.text[:200]}")
        return False


class Operator:
    """A Socket.IO client that connects again by itself, and asks for what it missed.

    Attributes:
        heard: the alerts of `new_alert`, in the order in which they came.
    """

    def __init__(self, url: str) -> None:
        self.heard: list[dict[str, Any]] = []
        self._url = url
        self._client = socketio.Client(reconnection_delay=0.1, reconnection_delay_max=0.5)
        self._client.on("new_alert", self.heard.append)

    def start(self) -> None:
        """Connect; the server must be there."""
        self._client.connect(self._url, auth=self._auth)

    def stop(self) -> None:
        """Disconnect."""
        with suppress(socketio.exceptions.SocketIOError):
            self._client.disconnect()

    def ids(self) -> list[str]:
        """Ids of what it heard, in order."""
        return [alert["id"] for alert in list(self.heard)]

    def _auth(self) -> dict[str, Any]:
        return {"last_seq": self.heard[-1]["seq"] if self.heard else 0}
