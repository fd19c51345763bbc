"""The keys of a store, checked for each request without asking the store each time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from susracker.access.keys import parse_key
from susracker.errors import NotFoundError
from susracker.models import Key
from susracker.stores.access import Access

LARGEST = 10_000
"""Keys that are held in memory; beyond that all are read again as they are used."""


@dataclass(frozen=True, slots=True)
class _Read:
    key: Key
    at: float


class KeyRing:
    """Finds keys, and knows whether there are any.

    A revocation by another process takes effect after `fresh_seconds` at the latest. A new key is
    known at once. Every method may be called from any thread, but not from the event loop, for it
    may read the store.

    Raises (every method):
        StoreUnavailableError: the store cannot be read.
    """

    def __init__(
        self,
        store: Access,
        fresh_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._fresh_seconds = fresh_seconds
        self._clock = clock
        self._read: dict[str, _Read] = {}
        self._has_keys = False
        self._looked_at = -fresh_seconds
        self._lock = threading.Lock()

    @property
    def is_empty(self) -> bool:
        """Whether no key was ever made, so that none is asked for on loopback."""
        if not self._has_keys and self._clock() - self._looked_at >= self._fresh_seconds:
            self._has_keys = bool(self._store.keys())
            self._looked_at = self._clock()
        return not self._has_keys

    def cached(self, key_id: str) -> Key | None:
        """The key with an id, if it was read a moment ago; this may be called from the event
        loop."""
        with self._lock:
            read = self._read.get(key_id)
        fresh = read is not None and self._clock() - read.at < self._fresh_seconds
        return read.key if read and fresh else None

    def find(self, key_id: str) -> Key | None:
        """The key with an id, or None."""
        if key := self.cached(key_id):
            return key
        try:
            key = self._store.key(key_id)
        except NotFoundError:
            return None
        self._keep(key)
        return key

    def authenticate(self, text: str, now: datetime) -> Key | None:
        """The valid key that a text is, or None."""
        parsed = parse_key(text)
        key = self.find(parsed.id) if parsed else None
        if parsed is None or key is None or not parsed.has_digest(key.digest):
            return None
        return key if key.is_valid(now) else None

    def forget(self, key_id: str) -> None:
        """Read a key again the next time, for it was changed."""
        with self._lock:
            self._read.pop(key_id, None)

    def _keep(self, key: Key) -> None:
        with self._lock:
            if len(self._read) >= LARGEST:
                self._read.clear()
            self._read[key.id] = _Read(key, self._clock())
            self._has_keys = True
