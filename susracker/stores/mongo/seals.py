"""Which data key a database is encrypted with."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from pymongo import errors
from pymongo.collection import Collection as MongoCollection

from susracker.stores.sealing import Sealer
from susracker.stores.seals import Seals, admitted, another_key_meanwhile

NAME = "data key"
TRUSTED_SECONDS = 1.0
"""How long what was read is believed. A rotation waits longer than that once it has begun, so that
nothing more is written with the key before."""

Meta = MongoCollection[dict[str, Any]]


def read_seals(meta: Meta) -> Seals:
    """What a database says about its data key."""
    found = meta.find_one({"_id": NAME})
    if found is None:
        return Seals()
    before = found["before"]
    return Seals(bytes(found["present"]), None if before is None else bytes(before))


def put_seals(meta: Meta, seals: Seals) -> None:
    """Replace that."""
    values = {"present": seals.present, "before": seals.before}
    meta.update_one({"_id": NAME}, {"$set": values}, upsert=True)


def admit(meta: Meta, holds_content: Callable[[], bool], sealer: Sealer) -> Seals:
    """What an opened database says about its data key; an empty one is encrypted from now on.

    Args:
        holds_content: whether there is anything in it that would be encrypted.

    Raises:
        ConfigError: the data key is missing or wrong.
    """
    while not admitted(seals := read_seals(meta), holds_content, sealer):
        first = {"present": sealer.check(), "before": None}
        if not meta.update_one({"_id": NAME, "present": b""}, {"$set": first}).matched_count:
            with suppress(errors.DuplicateKeyError):  # another process was faster
                meta.insert_one({"_id": NAME} | first)
    return seals


class SealGuard:
    """Notices that another process has replaced the data key. For any thread.

    Args:
        expected: what the database said when it was opened.
    """

    def __init__(self, meta: Meta, expected: Seals) -> None:
        self._meta = meta
        self._expected = expected
        self._read_at = time.monotonic()

    def check(self) -> None:
        """Call this before content is written.

        Raises:
            StoreUnavailableError: the data key was replaced.
        """
        now = time.monotonic()
        if now - self._read_at < TRUSTED_SECONDS:
            return
        if read_seals(self._meta) != self._expected:
            raise another_key_meanwhile()
        self._read_at = now
