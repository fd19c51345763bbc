"""The keys of a store, held in memory so that no request has to ask the store."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from datetime import datetime

from susracker.access.keys import parse_key
from susracker.oversight import Key
from susracker.stores.access import Access


class KeyRing:
    """All keys of a store, as they were last read.

    Only `refresh` reads the store. The others are quick, and may be called from any thread and from
    the event loop.
    """

    def __init__(self, store: Access, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._keys: Mapping[str, Key] = {}
        self._read_at = -math.inf

    def refresh(self) -> None:
        """Read the keys again. If that fails, they stay as they were.

        Raises:
            StoreUnavailableError: the store cannot be read.
        """
        began = self._clock()
        found = self._store.keys()
        self._keys = {key.id: key for key in found}
        self._read_at = began

    @property
    def age(self) -> float:
        """Seconds since the keys were read; infinite before the first time."""
        return self._clock() - self._read_at

    @property
    def is_empty(self) -> bool:
        """Whether it is known that no key was ever made: revoked keys count."""
        return self._read_at > -math.inf and not self._keys

    def authenticate(self, text: str, now: datetime) -> Key | None:
        """The valid key that a text is, or None."""
        parsed = parse_key(text)
        key = self._keys.get(parsed.id) if parsed else None
        if parsed is None or key is None or not parsed.has_digest(key.digest):
            return None
        return key if key.is_valid(now) else None

    def valid(self, key_id: str, now: datetime) -> Key | None:
        """The key with an id if it is valid, or None."""
        key = self._keys.get(key_id)
        return key if key and key.is_valid(now) else None
