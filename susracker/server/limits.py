"""How often one client may ask."""

from __future__ import annotations

import logging
import math
import time
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol, cast
from urllib.parse import parse_qs

from flask import Flask, g, request
from limits import RateLimitItem, parse
from limits.errors import ConfigurationError
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from susracker.config import Settings
from susracker.errors import ConfigError, OverloadedError, RateLimitError
from susracker.passwords import told_without_password
from susracker.server.pools import BoundedPool
from susracker.server.problems import refusal

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

MEMORY = "memory://"

TIMEOUT_SECONDS = 0.5
"""A request waits no longer than this for Redis."""

RETRY_SECONDS = 1.0
"""How long until an unavailable Redis is tried again."""

THREADS, MAX_WAITING = 4, 1000


class _Counts(Protocol):
    problem: str | None

    def hit(self, who: str) -> bool:
        """Count a request. Returns whether it is still within the limit."""

    def close(self) -> None:
        """Count no more."""


class RateLimit:
    """Limits the requests of a key, or of an address without one, in fixed windows of time.

    Only greenlets of one event loop may use it.

    Raises:
        ConfigError: `rate_limit` or `limits` is wrong.
    """

    def __init__(self, settings: Settings) -> None:
        self._rate = _parse(settings.rate_limit)
        here = _InMemory(self._rate)
        shared = settings.limits != MEMORY
        self._counts: _Counts = _Shared(settings.limits, self._rate, here) if shared else here

    @property
    def problem(self) -> str | None:
        """Why requests are not counted for all servers together, or None."""
        return self._counts.problem

    def close(self) -> None:
        """Count no more."""
        self._counts.close()

    def check(self, who: str) -> None:
        """Count a request.

        Raises:
            RateLimitError: it is beyond the limit.
        """
        if not self._counts.hit(who):
            raise RateLimitError(
                f"too many requests: the limit is {self._rate}; it is the setting rate_limit",
                max(1, math.ceil(_seconds_left(self._rate))),
            )


class LimitedOpenings:
    """WSGI middleware that limits how often an address opens a connection for Socket.IO, which
    Flask does not see."""

    def __init__(self, app: WSGIApplication, limit: RateLimit) -> None:
        self._app = app
        self._limit = limit

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        opens = "sid" not in parse_qs(environ.get("QUERY_STRING", ""))
        if opens and environ["PATH_INFO"].startswith("/socket.io"):
            try:
                self._limit.check(f"address {environ.get('REMOTE_ADDR', '')}")
            except RateLimitError as error:
                return _too_often(error, environ, start_response)
        return self._app(environ, start_response)


def _too_often(
    error: RateLimitError, environ: WSGIEnvironment, start_response: StartResponse
) -> list[bytes]:
    body, media = refusal(environ["PATH_INFO"], 429, str(error))
    headers = [
        ("Content-Type", media),
        ("Content-Length", str(len(body))),
        ("Retry-After", str(error.retry_after)),
    ]
    start_response("429 Too Many Requests", headers)
    return [body]


def limit_requests(app: Flask, limit: RateLimit) -> None:
    """Limit the requests of each client; call this after the check of keys."""

    @app.before_request
    def check() -> None:
        limit.check(_who())


def _who() -> str:
    identity = g.get("identity")
    if identity is not None and identity.key is not None:
        return f"key {identity.key.id}"
    return f"address {request.remote_addr}"


class _InMemory:
    """Counts in this process. The storage of `limits` would start a thread for many requests,
    which takes longer than all the rest of the check."""

    problem: str | None = None

    def __init__(self, rate: RateLimitItem) -> None:
        self._amount, self._seconds = rate.amount, rate.get_expiry()
        self._window = 0
        self._counts: Counter[str] = Counter()

    def hit(self, who: str) -> bool:
        window = int(time.time() // self._seconds)
        if window != self._window:
            self._window = window
            self._counts.clear()
        self._counts[who] += 1
        return self._counts[who] <= self._amount

    def close(self) -> None:
        self._counts.clear()


class _Shared:
    """Counts in a storage that servers share; by itself while the storage is unavailable."""

    def __init__(self, url: str, rate: RateLimitItem, here: _InMemory) -> None:
        self.problem: str | None = None
        self._rate = rate
        self._here = here
        storage = _open(url)
        self._errors: tuple[type[Exception], ...] = (
            *_as_tuple(storage.base_exceptions),
            OverloadedError,
        )
        self._limiter = FixedWindowRateLimiter(storage)
        self._threads = BoundedPool(THREADS, MAX_WAITING)
        self._ask_again_at = 0.0

    def hit(self, who: str) -> bool:
        if time.monotonic() >= self._ask_again_at:
            try:
                within = self._threads.call(self._limiter.hit, self._rate, "susracker", who)
            except self._errors as error:
                self._unavailable(error)
            else:
                self._available()
                return within
        return self._here.hit(who)

    def close(self) -> None:
        self._threads.close()

    def _unavailable(self, error: Exception) -> None:
        problem = f"what counts requests is unavailable, so each server counts by itself: {error}"
        if self.problem is None:
            log.error("%s", problem)
        self.problem = problem
        self._ask_again_at = time.monotonic() + RETRY_SECONDS

    def _available(self) -> None:
        if self.problem is not None:
            log.warning("requests are counted for all servers together again")
        self.problem = None


def _parse(rate: str) -> RateLimitItem:
    try:
        return parse(rate)
    except ValueError as error:
        raise ConfigError(
            f"rate_limit: {rate!r} is no rate such as '1000 per second' or '600/minute'"
        ) from error


def _open(url: str) -> Storage:
    try:
        storage = storage_from_string(
            url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
        )
    except (ConfigurationError, ValueError) as error:
        told = told_without_password(error, url)
        raise ConfigError(
            f"limits: must be memory:// or like redis://host:6379/0: {told}"
        ) from error
    return cast(Storage, storage)


def _seconds_left(rate: RateLimitItem) -> float:
    return rate.get_expiry() - time.time() % rate.get_expiry()


def _as_tuple(errors: type[Exception] | tuple[type[Exception], ...]) -> tuple[type[Exception], ...]:
    return errors if isinstance(errors, tuple) else (errors,)
