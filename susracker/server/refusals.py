"""What the routes answer when something is wrong: a status, and one line as JSON."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from susracker.errors import (
    ConfigError,
    ConflictError,
    DuplicateError,
    InputError,
    KeyRequiredError,
    NotAllowedError,
    NotFoundError,
    OverloadedError,
    RateLimitError,
    StoreFormatError,
    StoreUnavailableError,
    SusrackerError,
)
from susracker.server.pools import RETRY_AFTER
from susracker.server.problems import refusal

log = logging.getLogger(__name__)

DAMAGED_RETRY_AFTER = 30
"""Seconds that clients are asked to wait while the store is damaged: somebody has to repair it."""

_STATUS: Mapping[type[SusrackerError], int] = {
    InputError: 400,
    NotAllowedError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    DuplicateError: 409,
}


def register_errors(app: Flask) -> None:
    """Answer each error of the tree that a route may raise, and those of HTTP."""
    for kind, status in _STATUS.items():
        app.register_error_handler(kind, lambda error, status=status: _answer(status, str(error)))
    app.register_error_handler(KeyRequiredError, _key_required)
    app.register_error_handler(OverloadedError, _overloaded)
    app.register_error_handler(RateLimitError, _too_often)
    app.register_error_handler(StoreUnavailableError, _unavailable)
    app.register_error_handler(StoreFormatError, _damaged)
    app.register_error_handler(ConfigError, _wrong_setting)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(NotFound, _no_such_path)
    app.register_error_handler(MethodNotAllowed, _wrong_method)


def _answer(
    status: int, message: str, headers: Mapping[str, str] | None = None
) -> ResponseReturnValue:
    body, media = refusal(request.path, status, message)
    return Response(body, status, dict(headers or {}), content_type=media)


def _later(status: int, message: str, seconds: float) -> ResponseReturnValue:
    return _answer(status, message, {"Retry-After": str(seconds)})


def _key_required(error: KeyRequiredError) -> ResponseReturnValue:
    return _answer(401, str(error), {"WWW-Authenticate": "Bearer"})


def _overloaded(error: OverloadedError) -> ResponseReturnValue:
    return _later(503, str(error), error.retry_after)


def _too_often(error: RateLimitError) -> ResponseReturnValue:
    return _later(429, str(error), error.retry_after)


def _unavailable(error: StoreUnavailableError) -> ResponseReturnValue:
    log.error("the store is unavailable: %s", error)
    return _later(503, "the store is unavailable and nothing was stored: try again", RETRY_AFTER)


def _damaged(error: StoreFormatError) -> ResponseReturnValue:
    log.error("the store is damaged or of another version: %s", error)
    message = "the store is damaged or of another version: see the server's log"
    return _later(503, message, DAMAGED_RETRY_AFTER)


def _wrong_setting(error: ConfigError) -> ResponseReturnValue:
    log.error("a setting is wrong: %s", error)
    return _later(503, str(error), RETRY_AFTER)


def _no_such_path(error: NotFound) -> ResponseReturnValue:
    return _answer(404, "there is nothing at this path: docs/api.md lists every route")


def _wrong_method(error: MethodNotAllowed) -> ResponseReturnValue:
    allowed = ", ".join(sorted(set(error.valid_methods or ()) - {"HEAD", "OPTIONS"}))
    message = f"this path does not take {request.method}: use {allowed}"
    return _answer(405, message, {"Allow": ", ".join(sorted(error.valid_methods or ()))})


def _http_error(error: HTTPException) -> ResponseReturnValue:
    return _answer(error.code or 500, error.description or error.name)
