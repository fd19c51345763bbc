"""What a proxy says of its client is believed only if the proxy is listed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from werkzeug.middleware.proxy_fix import ProxyFix

from susracker.server.addresses import is_in, networks

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


HEADERS = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST")


class Proxies:
    """WSGI middleware: the client's address, scheme and host are those that a listed proxy gives.

    Only the last value of X-Forwarded-For, -Proto and -Host counts: it is what the listed proxy
    wrote, and what is before it came from its client.

    Args:
        listed: networks in CIDR notation, separated by commas.
    """

    def __init__(self, app: WSGIApplication, listed: str) -> None:
        self._app = app
        self._behind = ProxyFix(app, x_for=1, x_proto=1, x_host=1)
        self._networks = networks(listed)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not is_in(environ.get("REMOTE_ADDR", ""), self._networks):
            return self._app(environ, start_response)
        for name in HEADERS:
            if name in environ:
                # Within quotes a comma would separate nothing, and a client may open a quote.
                environ[name] = environ[name].replace('"', "")
        return self._behind(environ, start_response)
