"""Refuses what cameras post beyond what may wait, before anything else is done with it.

The checks and the parsing around a route cost two to three times what the rest of a refusal does.
Under a heavy overload they would take the time in which faces are to be recognised.
"""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from werkzeug.exceptions import RequestTimeout

from susracker.server.body import LARGE
from susracker.server.fair_pool import FULL, FairPool
from susracker.server.measures import Measures
from susracker.server.pools import RETRY_AFTER
from susracker.server.post_log import PostLog
from susracker.server.problems import CAMERA_PATHS, refusal

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

IN_JSON = re.compile(rb'"camera_id"\s{0,9}:\s{0,9}(?:"([^"\\]{1,200})"|([0-9]{1,20})[\s,}])')
IN_FORM = re.compile(rb'name="?camera_id"?\r\n(?:[^\r\n]{1,200}\r\n){0,4}\r\n([^\r\n]{1,200})\r\n')


class Shedding:
    """WSGI middleware for when detections wait.

    It looks for the camera's id without parsing the body. If it finds none, the route parses the
    body, and refuses.

    Args:
        pool: where detections wait.
    """

    def __init__(
        self, app: WSGIApplication, pool: FairPool, measures: Measures, posts: PostLog
    ) -> None:
        self._app = app
        self._pool = pool
        self._measures = measures
        self._posts = posts

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self._pool.is_crowded and _is_simple_post(environ):
            began = time.perf_counter()
            camera = camera_in(_peek(environ))
            if camera is not None and self._pool.is_full_for(camera):
                return self._refuse(camera, began, environ, start_response)
        return self._app(environ, start_response)

    def _refuse(
        self, camera: str, began: float, environ: WSGIEnvironment, start_response: StartResponse
    ) -> list[bytes]:
        path = environ["PATH_INFO"]
        body, media = refusal(path, 503, FULL)
        headers = [
            ("Content-Type", media),
            ("Content-Length", str(len(body))),
            ("Retry-After", str(RETRY_AFTER)),
        ]
        start_response("503 Service Unavailable", headers)
        self._posts.refused(path, camera, environ.get("REMOTE_ADDR"), 503, FULL)
        self._measures.request("POST", path, 503, time.perf_counter() - began)
        return [body]


def camera_in(body: bytes) -> str | None:
    """The first thing in a body that looks like the camera's id, or None."""
    found = IN_JSON.search(body) or IN_FORM.search(body)
    return found[found.lastindex or 0].decode(errors="replace").strip() if found else None


def _is_simple_post(environ: WSGIEnvironment) -> bool:
    """Whether a request is a camera's post of a usual size. One of a web page is not: its browser
    needs more headers in the answer."""
    length = environ.get("CONTENT_LENGTH") or ""
    return (
        environ["PATH_INFO"] in CAMERA_PATHS
        and environ["REQUEST_METHOD"] == "POST"
        and "HTTP_ORIGIN" not in environ
        and length.isdecimal()
        and int(length) < LARGE
    )


def _peek(environ: WSGIEnvironment) -> bytes:
    """The body of a request, which can be read once more; nothing if it does not arrive in time."""
    try:
        body: bytes = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    except RequestTimeout:  # the route reads again, and is told the same
        return b""
    environ["wsgi.input"] = io.BytesIO(body)
    return body
