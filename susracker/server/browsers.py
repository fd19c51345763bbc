"""Refuses what a browser sends on behalf of a foreign page, before anything else looks at it.

The checks are WSGI middleware because Socket.IO answers before Flask does.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Flask, request
from flask.typing import ResponseReturnValue
from flask_cors import CORS

from susracker.server.hosts import Hosts, host_name
from susracker.server.origins import Origins, normal
from susracker.server.problems import refusal

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

CORS_HEADERS = [
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "X-API-Key",
    "X-Reason",
]
"""What pages of listed origins may send; browsers allow a few harmless others in any case."""

PREFLIGHT_SECONDS = 600
"""How long a browser may remember what it was allowed."""

LOGGED_AT_MOST = 1000
"""How many hosts and origins are logged: anyone can make up more."""


class BrowserChecks:
    """WSGI middleware that checks the headers Host and Origin."""

    def __init__(self, app: WSGIApplication, hosts: Hosts, origins: Origins) -> None:
        self._app = app
        self._hosts = hosts
        self._origins = origins
        self._logged: set[str] = set()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        why = self._wrong_host(environ) or self._wrong_origin(environ)
        if why is None:
            return self._app(environ, start_response)
        self._log_once(why, environ.get("REMOTE_ADDR", ""))
        return _forbidden(why, environ, start_response)

    def _wrong_host(self, environ: WSGIEnvironment) -> str | None:
        host = environ.get("HTTP_HOST")
        if host is None:
            return "a browser must send a Host header" if "HTTP_ORIGIN" in environ else None
        if self._hosts.accepts(host):
            return None
        name = host_name(host)
        return (
            f"{name!r} is not a name of this server: if it is, add it to the setting "
            f"allowed_hosts, such as --allowed-hosts {_shown(name, 'NAME')}"
        )

    def _wrong_origin(self, environ: WSGIEnvironment) -> str | None:
        origin = environ.get("HTTP_ORIGIN")
        if origin is None:
            return None if self._origins.all else _wrong_site(environ)
        own = own_origin(environ)
        if self._origins.lists(origin) or normal(origin) == own:
            return None
        if normal(origin) is None:
            return (
                f"a page of the origin {origin!r} may not use this server: open it from a web "
                "server, and list its origin in the setting allowed_origins"
            )
        return (
            f"a page of the origin {origin!r} may not use this server: if it is yours, add it to "
            f"the setting allowed_origins, such as --allowed-origins {_shown(origin, 'ORIGIN')}"
            + _proxy_hint(origin, own)
        )

    def _log_once(self, why: str, address: str) -> None:
        if why not in self._logged and len(self._logged) < LOGGED_AT_MOST:
            self._logged.add(why)
            log.warning("refused a request from %s: %s", address, self._for_log(why))

    def _for_log(self, why: str) -> str:
        """A refusal whose flag keeps the origins that are listed already: strangers who are refused
        need not know them."""
        listed = "".join(f"{one}," for one in self._origins.listed)
        return why.replace("--allowed-origins ", f"--allowed-origins {listed}")


def own_origin(environ: WSGIEnvironment) -> str | None:
    """The origin of the server's own pages, as its client sees it."""
    return normal(f"{environ['wsgi.url_scheme']}://{environ.get('HTTP_HOST', '')}")


def allow_listed_origins(app: Flask, origins: Origins) -> None:
    """Let pages of listed origins read answers (CORS); call this before the check of keys.

    A browser asks whether it may send a request, with a preflight that carries no key. From an
    origin that is not listed, `BrowserChecks` refused it.
    """
    if not (origins.all or origins.listed):
        return

    @app.before_request
    def answer_preflight() -> ResponseReturnValue | None:
        is_preflight = "Access-Control-Request-Method" in request.headers
        if request.method == "OPTIONS" and is_preflight and "Origin" in request.headers:
            return app.make_default_options_response()
        return None

    # As patterns, for flask-cors would take the brackets of an IPv6 address for one.
    listed = [re.compile(rf"{re.escape(one)}\Z") for one in origins.listed]
    CORS(
        app,
        resources=r"/api/.*",
        origins="*" if origins.all else listed,
        supports_credentials=not origins.all,
        allow_headers=CORS_HEADERS,
        expose_headers=["ETag", "Retry-After"],
        max_age=PREFLIGHT_SECONDS,
    )


def _wrong_site(environ: WSGIEnvironment) -> str | None:
    """Browsers send Origin with every request that changes something; this is the second line."""
    if environ["REQUEST_METHOD"] in SAFE_METHODS:
        return None
    if environ.get("HTTP_SEC_FETCH_SITE") not in ("cross-site", "same-site"):
        return None
    return (
        "a page of another origin may not use this server: if it is yours, add its origin to the "
        "setting allowed_origins, such as --allowed-origins http://localhost:3000"
    )


def _proxy_hint(origin: str, own: str | None) -> str:
    """TLS may end at a proxy that the server does not know of."""
    if own and own.startswith("http://") and normal(origin) == own.replace("http", "https", 1):
        return "; or, where a proxy ends TLS, name its network with --behind-proxy"
    return ""


def _shown(text: str, instead: str) -> str:
    """A text as part of a command that someone may paste into a shell."""
    return text if re.fullmatch(r"[\w.:/\[\]-]+", text, re.ASCII) else instead


def _forbidden(
    message: str, environ: WSGIEnvironment, start_response: StartResponse
) -> list[bytes]:
    status = HTTPStatus.FORBIDDEN
    body, media = refusal(environ["PATH_INFO"], status, message)
    headers = [("Content-Type", media), ("Content-Length", str(len(body)))]
    start_response(f"{status.value} {status.phrase}", headers)
    return [body]
