"""Posts detections to a running server, as their cameras did."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from susracker.client import Camera
from susracker.errors import InputError
from susracker.models import Detection
from susracker.recording.format import Recorded
from susracker.replay.results import Recognised, Result
from susracker.replay.run import Pace
from susracker.replay.sources import Source

WAITING = 8
"""The most detections of one camera that wait to be sent; the rest is not read yet."""

OUTCOMES = {
    "Match found": "alert",
    "Match found but in cooldown": "cooldown",
    "No match found": "no match",
    "No face detected": "no face",
    "Alert sent": "alert",
    "Alert in cooldown": "cooldown",
}
"""By the message of the server's answer."""


@dataclass(frozen=True, slots=True)
class _Posted:
    number: int
    detection: Detection


class Poster:
    """Cameras that post what a source has, each in its own order.

    Args:
        stopped: asked again and again while the server is waited for; once it returns true, the run
            ends, and what was not sent is dropped.

    Attributes:
        refused: how many detections the server would not take.
    """

    def __init__(self, url: str, key: str | None, stopped: Callable[[], bool]) -> None:
        self._url, self._key, self._stopped = url, key, stopped
        self._posted: dict[str, _Posted] = {}
        self._answers: queue.SimpleQueue[tuple[str, dict[str, Any]]] = queue.SimpleQueue()
        self._cameras: dict[tuple[str, str], Camera] = {}
        self.refused = 0

    def run(self, source: Source, pace: Pace) -> Iterator[Result]:
        """Post everything, and yield what the server answers, as it comes.

        Raises:
            InputError: a recording without pictures.
        """
        with ExitStack() as stack:
            for number, recorded in enumerate(source, 1):
                pace.wait(recorded.received_at)
                self._post(number, recorded, stack)
                yield from self._answered()
                if self._stopped():
                    break
            for camera in self._cameras.values():
                while not camera.flush(0.1) and not self._stopped():
                    yield from self._answered()
            yield from self._answered()
            if self._stopped():
                for camera in self._cameras.values():
                    camera.close(0)
            self.refused = sum(camera.counts.refused for camera in self._cameras.values())

    def _post(self, number: int, recorded: Recorded, stack: ExitStack) -> None:
        detection = recorded.detection
        if recorded.embeddings is not None:
            raise InputError("a recording without pictures cannot be posted to a server")
        camera = self._camera(detection, stack)
        while camera.counts.waiting >= WAITING and not self._stopped():
            camera.flush(0.01)
        # Events get new ids: with the old ones the server would answer as it did that night.
        if detection.picture is None:
            event_id = camera.send_activity(detection.event_type, detection.occurred_at)
        else:
            event_id = camera.send_face(detection.picture, detection.occurred_at)
        self._posted[event_id] = _Posted(number, detection)

    def _camera(self, detection: Detection, stack: ExitStack) -> Camera:
        key = detection.camera_id, detection.camera_location
        if key not in self._cameras:
            self._cameras[key] = stack.enter_context(
                Camera(
                    self._url, *key, key=self._key, on_answer=lambda *pair: self._answers.put(pair)
                )
            )
        return self._cameras[key]

    def _answered(self) -> Iterator[Result]:
        while not self._answers.empty():
            event_id, answer = self._answers.get()
            posted = self._posted.pop(event_id)
            yield _result(posted.number, posted.detection, answer)


def _result(number: int, detection: Detection, answer: dict[str, Any]) -> Result:
    message = str(answer.get("message"))
    return Result(
        number=number,
        camera_id=detection.camera_id,
        camera_location=detection.camera_location,
        event_type=detection.event_type,
        occurred_at=detection.occurred_at.isoformat(),
        outcome=OUTCOMES.get(message, message),
        matches=tuple(_match(one) for one in answer.get("matches", ())),
    )


def _match(fields: dict[str, Any]) -> Recognised:
    return Recognised(
        criminal_id=fields["criminal_id"],
        name=fields["name"],
        score=fields["score"],
        distance=fields["distance"],
        fpir=fields["fpir"],
        suppressed=False,
        candidates=tuple(one["criminal_id"] for one in fields["candidates"]),
    )
