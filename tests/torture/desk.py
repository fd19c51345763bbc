"""What operators and admins do over HTTP: look up, review, enrol, edit, remove."""

from __future__ import annotations

import base64
import io
import itertools
import threading
import time
from collections import Counter
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import requests
from PIL import Image

from tests.server.conftest import COLLINS, HOPPER

LATEST = 20
"""Of so many alerts one is reviewed."""


class Desk(threading.Thread):
    """Does one thing after the other until it is stopped, with pauses.

    One round enrols someone, gives them a photo more, edits them, looks at them and removes them;
    in between it pages through the alerts, reviews one of the newest, and looks at a track. Of
    those enrolled, every fourth is not removed but expires, and is left to the purge.

    Args:
        pause: seconds between two requests.

    Attributes:
        done: numbers of what was done, by name.
        answers: when each request was sent, as a moment of `time.monotonic`, and the seconds that
            its answer took.
        refused: how many answers were 503.
        other: everything that was not as it should be, as words.
    """

    def __init__(self, url: str, pause: float) -> None:
        super().__init__(daemon=True)
        self.done: Counter[str] = Counter()
        self.answers: list[tuple[float, float]] = []
        self.refused = 0
        self.other: list[str] = []
        self._url = url
        self._pause = pause
        self._session = requests.Session()
        self._stopping = threading.Event()
        self._photos = itertools.count()

    def stop(self) -> None:
        """Finish what is being done, and end."""
        self._stopping.set()
        self.join()

    def run(self) -> None:
        with self._session:
            for number in itertools.count():
                self._round(number)
                if self._stopping.is_set():
                    return

    def _round(self, number: int) -> None:
        expires = number % 4 == 3
        criminal_id = self._enrol(number, expires)
        self._look()
        if criminal_id:
            path = f"/api/criminals/{criminal_id}"
            photo = {"images": [self._photo()], "allow_unlike": True}
            self._do("add photo", "PUT", path, json=photo)
            self._do("edit", "PUT", path, json={"crimes": ["forgery"], "threat": "high"})
            self._do("show", "GET", path)
            self._do("track", "GET", f"{path}/track")
            if not expires:
                self._do("remove", "DELETE", path)
        self._review()

    def _enrol(self, number: int, expires: bool) -> str | None:
        fields: dict[str, Any] = {"name": f"Person {number}", "images": [self._photo()]}
        if expires:
            soon = datetime.now(timezone.utc) + timedelta(seconds=5 * self._pause)
            fields["expires_at"] = soon.isoformat()
        body = self._do("enrol", "POST", "/api/criminals", json=fields)
        return body and body["id"]

    def _look(self) -> None:
        """Page through all alerts, and look at the people and the cameras."""
        after = 0
        while body := self._do("page of alerts", "GET", f"/api/alerts?after={after}&limit=500"):
            if not body["alerts"] or self._stopping.is_set():
                break
            after = body["alerts"][-1]["seq"]
        self._do("list", "GET", "/api/criminals?limit=50")
        self._do("cameras", "GET", "/api/cameras")

    def _review(self) -> None:
        last = self._do("page of alerts", "GET", "/api/alerts?after=0&limit=1")
        if not last:
            return
        after = max(0, last["last_seq"] - LATEST)
        newest = self._do("page of alerts", "GET", f"/api/alerts?after={after}&limit={LATEST}")
        new = [one["id"] for one in (newest or {"alerts": []})["alerts"] if one["status"] == "new"]
        if new:
            said = {"verdict": "dismissed", "reason": "much taller"}
            self._do("review", "POST", f"/api/alerts/{new[-1]}/review", json=said)
            self._do("show alert", "GET", f"/api/alerts/{new[-1]}")

    def _do(self, name: str, method: str, path: str, **body: Any) -> dict[str, Any] | None:
        """The answer's body; None if it is not as it should be, or has none."""
        self._stopping.wait(self._pause)
        began = time.monotonic()
        try:
            answer = self._session.request(method, self._url + path, timeout=60, **body)
        except requests.RequestException as error:
            self.other.append(f"{name}: {error!r}")
            return None
        self.answers.append((began, time.monotonic() - began))
        if answer.status_code == 503:
            self.refused += 1
            return None
        if not answer.ok:
            self.other.append(f"{name}: {answer.status_code} {answer.text[:200]}")
            return None
        self.done[name] += 1
        found: dict[str, Any] | None = answer.json() if answer.content else None
        return found

    def _photo(self) -> str:
        """A photo of one of two people that is not enrolled yet, in base64."""
        number = next(self._photos)
        portrait = (HOPPER, COLLINS)[number % 2].portrait
        picture = Image.open(portrait).convert("RGB")
        picture.thumbnail((300, 300))
        pixels = np.asarray(picture).copy()
        pixels[-1, :8] = np.frombuffer((number * 7919).to_bytes(24, "little"), np.uint8).reshape(
            8, 3
        )
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        return base64.b64encode(file.getvalue()).decode()
