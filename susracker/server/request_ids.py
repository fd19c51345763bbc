"""Gives each request an id, by which its lines in the log, and those of a proxy, are found."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.wsgi import ClosingIterator

from susracker.access.keys import PREFIX
from susracker.runtime.logs import request_id

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HEADER = "X-Request-ID"

USUAL = re.compile(r"[A-Za-z0-9._:+/=@-]{1,128}")
"""What a proxy or a client may call a request: UUIDs, ULIDs, and the ids of traces."""


class RequestIds:
    """WSGI middleware that takes the id that a request has, or makes one, and answers with it."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        made = _id_of(environ.get("HTTP_X_REQUEST_ID", ""))
        request_id.set(made)

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Callable[..., object]:
            return start_response(status, [*headers, (HEADER, made)], *rest)

        return ClosingIterator(self._app(environ, start), _forget)


def _forget() -> None:
    request_id.set("")


def _id_of(given: str) -> str:
    """The id that a request came with, if it is one; a key in its place must not be logged."""
    is_usual = USUAL.fullmatch(given) and f"{PREFIX}_" not in given
    return given if is_usual else uuid.uuid4().hex
