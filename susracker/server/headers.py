"""Headers that tell a browser what it may do with an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from susracker.server.origins import Origins, origin_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
"""One policy for pages and for the API: an answer in JSON runs nothing under any policy, and a page
that someone adds cannot be forgotten. Pages may load only what the server has; faces come as
`data:` and `blob:` URLs."""

ALWAYS = (
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)

ONE_YEAR = 365 * 86_400

_Headers = list[tuple[str, str]]


class SecurityHeaders:
    """WSGI middleware that adds the headers to every answer, errors and long polling included."""

    def __init__(self, app: WSGIApplication, origins: Origins) -> None:
        self._app = app
        self._origins = origins
        # It would hold for all ports of the host, a listed page's among them.
        self._https_only = not any(one.startswith("http://") for one in origins.listed)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: _Headers, *rest: Any) -> Callable[[bytes], object]:
            return start_response(status, headers + self._missing(environ, headers), *rest)

        return self._app(environ, start)

    def _missing(self, environ: WSGIEnvironment, headers: _Headers) -> _Headers:
        present = {name.lower() for name, _ in headers}
        return [one for one in self._wanted(environ) if one[0].lower() not in present]

    def _wanted(self, environ: WSGIEnvironment) -> _Headers:
        wanted = [*ALWAYS, ("Cross-Origin-Resource-Policy", self._resource_policy(environ))]
        if environ["PATH_INFO"].startswith("/api/"):
            # Pictures of faces must not stay in a browser's cache.
            wanted.append(("Cache-Control", "no-store"))
        if environ["wsgi.url_scheme"] == "https" and self._https_only:
            wanted.append(("Strict-Transport-Security", f"max-age={ONE_YEAR}"))
        return wanted

    def _resource_policy(self, environ: WSGIEnvironment) -> str:
        """A page of a listed origin may show pictures, for which a browser sends no Origin."""
        page = environ.get("HTTP_ORIGIN") or origin_of(environ.get("HTTP_REFERER", ""))
        return "cross-origin" if page and self._origins.lists(page) else "same-origin"
