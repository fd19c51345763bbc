"""A cooldown in this process's memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime, timedelta

from typing_extensions import Self

from susracker.cooldowns.base import Cooldown

MAX_KEYS = 100_000
"""Keys that are remembered, in about 30 MB. Camera ids come from outside, so there must be an end;
beyond it the key that was taken the longest ago is forgotten, which may repeat an alert, never
lose one."""


class MemoryCooldown(Cooldown):
    """Remembers when each key was last taken."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self._span = timedelta(seconds=seconds)
        self._taken: OrderedDict[str, datetime] = OrderedDict()
        self._lock = threading.Lock()

    @classmethod
    def from_url(cls, url: str, seconds: float) -> Self:
        return cls(seconds)

    def try_acquire(self, key: str, at: datetime) -> bool:
        with self._lock:
            last = self._taken.get(key)
            if last is not None and abs(at - last) < self._span:
                return False
            self._taken[key] = at
            self._taken.move_to_end(key)
            if len(self._taken) > MAX_KEYS:
                self._taken.popitem(last=False)
            return True

    def release(self, key: str, at: datetime) -> None:
        with self._lock:
            if self._taken.get(key) == at:
                del self._taken[key]

    def close(self) -> None:
        """Nothing to let go of."""
