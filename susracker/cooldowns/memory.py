"""A cooldown in this process's memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from typing_extensions import Self

from susracker.cooldowns.base import HISTORY, Cooldown

MAX_KEYS = 100_000
"""Keys that are remembered, in 45 to 100 MB. Camera ids come from outside, so there must be an end;
beyond it, the key that was taken the longest ago is forgotten, and the store is asked about it."""


@dataclass(slots=True, eq=False)
class Hold:
    """One detection's hold of a key.

    Attributes:
        takers: how many took it and have not given it back.
    """

    at: datetime
    token: str
    takers: int = 1


class MemoryCooldown(Cooldown):
    """Remembers the holds of each key."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self._span = timedelta(seconds=seconds)
        self._holds: OrderedDict[str, list[Hold]] = OrderedDict()
        self._lock = threading.Lock()

    @classmethod
    def from_url(cls, url: str, seconds: float) -> Self:
        return cls(seconds)

    def try_acquire(self, key: str, at: datetime, token: str) -> bool:
        with self._lock:
            if hold := self._find(key, token):
                hold.takers += 1
                return True
            holds = self._holds.get(key, [])
            if holds and abs(at - holds[-1].at) < self._span:
                return False
            self._holds[key] = [*holds, Hold(at, token)][-HISTORY:]
            self._holds.move_to_end(key)
            if len(self._holds) > MAX_KEYS:
                self._holds.popitem(last=False)
            return True

    def release(self, key: str, token: str) -> None:
        with self._lock:
            if hold := self._find(key, token):
                hold.takers -= 1
                self._holds[key] = [one for one in self._holds[key] if one.takers]
                if not self._holds[key]:
                    del self._holds[key]

    def close(self) -> None:
        """Nothing to close."""

    def _find(self, key: str, token: str) -> Hold | None:
        return next((one for one in self._holds.get(key, []) if one.token == token), None)
