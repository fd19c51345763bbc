"""Keeps the passwords in URLs out of what is shown and logged."""

from __future__ import annotations

import re

ESCAPE_PASSWORD = (  # Advice, not a password.  # nosec B105
    "escape special characters in its password: write %40 for @, and %2F for /"
)

_USER_AND_PASSWORD = re.compile(r"(://[^/?#:@]*):(.*)@", re.DOTALL)
_NO_PORT = re.compile(r"://[^/?#:@]*:(?!\d+\b)([^/?#@]*)(?!.*@)")
_SECRET_FIELD = re.compile(
    r"((?:password|passwd|passphrase|pwd|secret|token|key|authmechanismproperties)=)([^&;#\s]*)",
    re.IGNORECASE,
)


def without_password(url: str) -> str:
    """A URL, or a text that ends in one, as it may be shown: `***` in place of passwords."""
    return _SECRET_FIELD.sub(r"\1***", _USER_AND_PASSWORD.sub(r"\1:***@", url))


def told_without_password(error: Exception, url: str) -> str:
    """What an error says about a wrong URL, or how to put it right if that shows a password."""
    text = str(error)
    secrets = [found[2] for found in _SECRET_FIELD.finditer(url)]
    secrets += [found[2] for found in _USER_AND_PASSWORD.finditer(url)]
    secrets += [found[1] for found in _NO_PORT.finditer(url)]
    # A parser that takes a character of the password for a separator names only a part of it.
    parts = {part for secret in secrets for part in re.split(r"[/?#@:%\[\]]", secret) if part}
    if any(part in text for part in parts):
        return ESCAPE_PASSWORD
    return text
