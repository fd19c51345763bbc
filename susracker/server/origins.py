"""Web origins whose pages may use the server: its own, and those of `allowed_origins`.

A browser lets any page send forms and open WebSockets to any server ("cross-site request forgery"),
and says in the header Origin where the page is from.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from susracker.config import split
from susracker.errors import ConfigError

ALL = "*"

DEFAULT_PORTS = {"http": 80, "https": 443}

_HAS_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


class Origins:
    """The listed origins.

    Attributes:
        all: whether `*` is listed.
        listed: the others, as browsers write them.

    Raises:
        ConfigError: one is not written as an origin.
    """

    def __init__(self, setting: str) -> None:
        parts = split(setting)
        self.all = ALL in parts
        self.listed = tuple(_checked(part) for part in parts if part != ALL)

    def lists(self, origin: str) -> bool:
        """Whether an origin is listed."""
        return self.all or normal(origin) in self.listed


def normal(origin: str) -> str | None:
    """An origin as browsers write it: in lower case, without the port that its scheme implies.

    Returns:
        None for what is no origin, such as `null`.
    """
    try:
        url = urlsplit(origin.strip().lower())
        port = url.port
    except ValueError:
        return None
    if not (url.scheme and url.hostname) or _extras(url):
        return None
    host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    shown = "" if port in (None, DEFAULT_PORTS.get(url.scheme)) else f":{port}"
    return f"{url.scheme}://{host}{shown}"


def origin_of(url: str) -> str | None:
    """The origin of a page's URL; None if it has none."""
    scheme, separator, rest = url.partition("://")
    return normal(f"{scheme}{separator}{re.split('[/?#]', rest)[0]}")


def _checked(origin: str) -> str:
    found = normal(origin)
    if found:
        return found
    url = origin if _HAS_SCHEME.match(origin) else f"http://{origin}"
    meant = origin_of(url)
    hint = f": write {meant}" if meant else ", such as http://localhost:3000"
    raise ConfigError(f"allowed_origins: {origin!r} is not a web origin{hint}")


def _extras(url: SplitResult) -> bool:
    return bool(url.path or url.query or url.fragment or "@" in url.netloc)
