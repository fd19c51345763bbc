"""Cameras and operators at work, and a ledger of what the server answered them."""

from __future__ import annotations

import base64
import itertools
import json
import threading
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import requests
import websocket

RETRY_SECONDS = 0.1
"""Before an event that was not taken is sent again, and before an operator connects again."""

HEARD_SECONDS = 1.0
"""How long an operator reads before it looks whether it is to stop."""

NEW_ALERT = '42["new_alert",'
"""What a message of Socket.IO begins with that brings an alert."""


@dataclass
class Ledger:
    """What was answered to cameras. Lists only grow, and each is appended to by many threads.

    Attributes:
        answered: pairs of an event's id and the answer to it without its pictures, of everything
            that was taken.
        latencies: seconds that answers with 200 took.
        refused: seconds that answers with 503 and `Retry-After` took.
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
            self._ledger.answered.append((event["event_id"], _without_pictures(answer.json())))
            return True
        if answer.status_code == 503 and "Retry-After" in answer.headers:
            self._ledger.refused.append(took)
        else:
            self._ledger.other.append(f"{answer.status_code}: {answer.text[:200]}")
        return False


def _without_pictures(body: dict[str, Any]) -> dict[str, Any]:
    """An answer as it is kept: with its pictures, those of an hour would not fit into memory."""
    kept = {"message": body["message"]}
    if "match" in body:
        kept["match"] = {name: body["match"][name] for name in ("id", "seq")}
    return kept


class Operator(threading.Thread):
    """A Socket.IO client that connects again by itself, and asks for what it missed.

    python-socketio's client handles each event on a thread of its own, and so cannot tell in which
    order events came. This one speaks Socket.IO over a WebSocket itself, and reads one message
    after the other.

    Attributes:
        heard: `id` and `seq` of each `new_alert`, in the order in which they came.
    """

    def __init__(self, url: str) -> None:
        super().__init__(name="operator", daemon=True)
        self.heard: list[dict[str, Any]] = []
        self._url = url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Disconnect, once the message that is being read is there."""
        self._stopping.set()
        self.join(2 * HEARD_SECONDS)

    def ids(self) -> list[str]:
        """Ids of what it heard, in order."""
        return [alert["id"] for alert in list(self.heard)]

    def run(self) -> None:
        while not self._stopping.is_set():
            with suppress(OSError, websocket.WebSocketException):
                self._listen()
            self._stopping.wait(RETRY_SECONDS)

    def _listen(self) -> None:
        with closing(
            websocket.create_connection(self._url, timeout=HEARD_SECONDS, skip_utf8_validation=True)
        ) as connection:
            connection.recv()
            last_seq = self.heard[-1]["seq"] if self.heard else 0
            connection.send("40" + json.dumps({"last_seq": last_seq}))
            while not self._stopping.is_set():
                with suppress(websocket.WebSocketTimeoutException):
                    self._take(connection, str(connection.recv()))

    def _take(self, connection: websocket.WebSocket, message: str) -> None:
        if message == "2":  # a ping
            connection.send("3")
        elif message.startswith(NEW_ALERT):
            _, alert = json.loads(message[2:])
            self.heard.append({"id": alert["id"], "seq": alert["seq"]})
