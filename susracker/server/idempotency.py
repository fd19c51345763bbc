"""`Idempotency-Key`: a POST that is sent again does nothing again.

The id of what a POST stores is made of the key and of what was sent. So all servers of a store know
a repeat, also after a restart, for as long as what it stored is there.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import request
from werkzeug.exceptions import UnprocessableEntity

from susracker.errors import InputError
from susracker.server.identity import identity

HEADER = "Idempotency-Key"

HALF = 16
"""Hexadecimal digits of an id that stand for the key, and as many for what was sent."""


@dataclass(frozen=True, slots=True)
class Once:
    """What a POST with a key is to store at most once.

    Attributes:
        start: what the ids of all that was sent with this key begin with.
        id: the id of what is stored.
    """

    start: str
    id: str

    def is_among(self, ids: Iterable[str]) -> bool:
        """Whether it was stored before.

        Raises:
            UnprocessableEntity: something else was, with the same key.
        """
        theirs = [one for one in ids if one.startswith(self.start)]
        if theirs and self.id not in theirs:
            raise UnprocessableEntity(f"this {HEADER} was sent before, with something else")
        return bool(theirs)


def idempotency_key() -> str | None:
    """The key of the current request, or None.

    Raises:
        InputError: it is empty, too long or not printable.
    """
    key = request.headers.get(HEADER)
    if key is not None and not re.fullmatch(r"[\x21-\x7e]{1,200}", key):
        raise InputError(f"{HEADER} must be 1 to 200 printable ASCII characters, without spaces")
    return key


def once(sent: Mapping[str, object], files: Iterable[bytes] = ()) -> Once | None:
    """What the current request is to store at most once; None if it has no key.

    Keys of two clients are different, and so are those for two routes.
    """
    key = idempotency_key()
    if key is None:
        return None
    start = _digest([identity().actor, request.path, key])
    digests = [hashlib.sha256(one).hexdigest() for one in files]
    return Once(start, start + _digest([sent, digests]))


def _digest(values: Any) -> str:
    text = json.dumps(values, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:HALF]
