"""One line in the log for each alert and for each refused post of a camera.

A line names the camera, the route and what came of it: never a face, a name or a key.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Hashable, Mapping, Sequence

from flask import Flask, Response, current_app, g, request

from susracker.access.roles import Permission
from susracker.models import Alert
from susracker.server.access import declared
from susracker.server.problems import COMPREFACE

log = logging.getLogger(__name__)

SPAN = 60.0
"""Seconds in which no line is said twice, and at most so many:"""

ALERTS, REFUSALS = 600, 60

SHOWN = 100
"""Characters of what a client made up."""


class Rationed:
    """Says each line once in `SPAN` seconds, and then how many were left out.

    Only greenlets of one event loop may use it.

    Args:
        what: what the lines are about, in the plural.
        most: how many different lines may be said in that time.
    """

    def __init__(
        self, what: str, level: int, most: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._what = what
        self._level = level
        self._most = most
        self._clock = clock
        self._began = clock()
        self._said: set[Hashable] = set()
        self._left_out = 0

    def say(self, line: str) -> None:
        """Log a line, if it is not left out."""
        if self._clock() - self._began >= SPAN:
            self._begin_again()
        if line in self._said or len(self._said) >= self._most:
            self._left_out += 1
            return
        self._said.add(line)
        log.log(self._level, "%s", line)

    def _begin_again(self) -> None:
        if self._left_out:
            log.log(self._level, "%s left out of the log: %d", self._what, self._left_out)
        self._began, self._left_out = self._clock(), 0
        self._said.clear()


class Post:
    """What is known of the current post.

    Attributes:
        camera: the camera's id as it was sent, of whatever type; None before it is known.
        alerts: what it raised.
    """

    def __init__(self) -> None:
        self.camera: object = None
        self.alerts: Sequence[Alert] = ()

    def read(self, fields: object) -> None:
        """Take the camera's id from the fields of a body, which may still prove to be wrong."""
        if isinstance(fields, Mapping):
            self.camera = fields.get("camera_id")


def post() -> Post:
    """The current post: take it on the event loop, and fill it in on any thread."""
    if "post" not in g:
        g.post = Post()
    found: Post = g.post
    return found


class PostLog:
    """Says what becomes of posts."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._alerts = Rationed("alerts", logging.INFO, ALERTS, clock)
        self._refusals = Rationed("refused posts", logging.WARNING, REFUSALS, clock)

    def alert(self, alert: Alert, path: str) -> None:
        """Say that a post raised an alert."""
        what = alert.event_type if alert.kind == "activity" else "face"
        camera = alert.camera_id
        self._alerts.say(f"alert {alert.seq} ({what}) of camera {camera!r} by {path}")

    def refused(
        self, path: str, camera: object, address: str | None, status: int, reason: str
    ) -> None:
        """Say that a post was refused.

        Args:
            path: as it is to be shown.
            camera: the id that was sent, of whatever type; None if it is not known.
        """
        whose = "" if camera is None else f" of camera {str(camera)[:SHOWN]!r}"
        self._refusals.say(f"refused a post to {path}{whose} from {address}: {status}, {reason}")


def log_posts(app: Flask, posts: PostLog) -> None:
    """Log what becomes of posts; call this before other functions may refuse them."""

    @app.after_request
    def say(answer: Response) -> Response:
        if request.method == "POST" and _is_a_cameras():
            for alert in post().alerts:
                posts.alert(alert, request.path)
            if answer.status_code >= 400:
                path = request.path if request.url_rule else repr(request.path[:SHOWN])
                status, address = answer.status_code, request.remote_addr
                posts.refused(path, post().camera, address, status, _reason(answer))
        return answer


def _is_a_cameras() -> bool:
    """Whether a post is one of a camera; one to no route may be, as cameras are set up by hand.
    Paths of programs for CompreFace may hold a name."""
    if request.path.startswith(COMPREFACE):
        return False
    view = current_app.view_functions.get(request.endpoint or "")
    return view is None or declared(view) is Permission.SEND


def _reason(answer: Response) -> str:
    body = json.loads(answer.get_data())
    return ": ".join(filter(None, dict.fromkeys((body.get("error"), body.get("detail")))))
