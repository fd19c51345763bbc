"""Keeps the passwords in URLs out of what is shown and logged."""

from __future__ import annotations

import re

ESCAPE_PASSWORD = (  # Advice, not a password.  # nosec B105
    "escape special characters in its password: write %40 for @, and %2F for /"
)

# None of them takes more time than in proportion to the text, however it is made.
_USER = re.compile(r"://[^/?#:@]*:")
_NO_PORT = re.compile(r"://[^/?#:@]*:(?!\d+\b)([^/?#@]*)")
_SECRET_FIELD = re.compile(
    r"((?:password|passwd|passphrase|pwd|secret|token|key|authmechanismproperties)=)([^&;#\s]*)",
    re.IGNORECASE,
)


def without_password(url: str) -> str:
    """A URL, or a text that ends in one, as it may be shown: `***` in place of passwords."""
    if place := _password(url):
        url = f"{url[: place.start]}***{url[place.stop :]}"
    return _SECRET_FIELD.sub(r"\1***", url)


def told_without_password(error: Exception, url: str) -> str:
    """What an error says about a wrong URL, or how to put it right if that shows a password."""
    text = str(error)
    secrets = [found[2] for found in _SECRET_FIELD.finditer(url)]
    if place := _password(url):
        secrets.append(url[place])
    secrets += [found[1] for found in _NO_PORT.finditer(url, url.rfind("@") + 1)]
    # A parser that takes a character of the password for a separator names only a part of it.
    parts = {part for secret in secrets for part in re.split(r"[/?#@:%\[\]]", secret) if part}
    if any(part in text for part in parts):
        return ESCAPE_PASSWORD
    return text


def _password(url: str) -> slice | None:
    """Where the password is: it ends at the last @, for it may hold others."""
    end = url.rfind("@")
    user = _USER.search(url, 0, max(end, 0))
    return slice(user.end(), end) if user else None
