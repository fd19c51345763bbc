"""What a client shows to be let in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import request, session

from susracker.errors import KeyRequiredError
from susracker.server.addresses import is_loopback
from susracker.server.identity import Session


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client shows.

    Attributes:
        key: the text that was sent as a key, even if it is empty or wrong; None if none was.
        session: of the cookie. It counts only if no key was sent.
        address: the client's IP address.
        is_local: whether the request comes from a program of this machine, not through a proxy from
            elsewhere.
    """

    key: str | None
    session: Session | None
    address: str
    is_local: bool


def credentials(in_body: Any = None) -> Credentials:
    """What the current request shows.

    Args:
        in_body: a JSON object that may have a `key`: the body of a request, or Socket.IO's `auth`.

    Raises:
        KeyRequiredError: there are two different keys.
    """
    found = {*_keys_in_headers(), *_keys_in(in_body)}
    if len(found) > 1:
        raise KeyRequiredError("the request has two different keys: send one")
    address = request.remote_addr or ""
    return Credentials(
        key=found.pop() if found else None,
        session=Session(**session["session"]) if "session" in session else None,
        address=address,
        is_local=all(is_loopback(one) for one in (address, *_forwarded_for())),
    )


def _forwarded_for() -> Iterator[str]:
    """For whom a proxy, listed or not, says that it sends the request."""
    for name in ("X-Forwarded-For", "X-Real-IP"):
        if name in request.headers:
            yield from request.headers[name].split(",")
    # These name proxies, too, and are rare enough not to be taken apart.
    yield from (request.headers[name] for name in ("Forwarded", "Via") if name in request.headers)


def _keys_in_headers() -> Iterator[str]:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    # A proxy may ask for a password of its own, which is no key.
    if scheme.lower() == "bearer":
        yield text.strip()
    if "X-API-Key" in request.headers:
        yield request.headers["X-API-Key"].strip()


def _keys_in(body: Any) -> Iterator[str]:
    if isinstance(body, dict) and body.get("key") is not None:
        yield str(body["key"])
