"""Something that one of several processes does at a time."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

from pymongo import errors
from pymongo.collection import Collection as MongoCollection

LEASE_SECONDS = 5.0
"""After so long without a sign of its holder, a lease is another's to take."""


class Lease:
    """A document that names its holder, who counts on with every call of `take`.

    Whether the holder is alive is judged by whether the count moves, on the clock of whoever waits:
    the clocks of two machines are never compared. For one thread at a time.
    """

    def __init__(
        self,
        leases: MongoCollection[dict[str, Any]],
        name: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._leases = leases
        self._name = name
        self._clock = clock
        self._me = _new_name()
        self._seen: tuple[Any, Any] | None = None
        self._seen_at = 0.0

    def take(self) -> bool:
        """Whether the lease is ours, or has become it; ours lasts while we go on calling."""
        mine = {"_id": self._name, "holder": self._me}
        if self._leases.update_one(mine, {"$inc": {"count": 1}}).matched_count:
            return True
        found = self._leases.find_one({"_id": self._name})
        if found is None:
            return self._make(mine)
        seen = (found.get("holder"), found.get("count"))
        if seen != self._seen:
            self._seen, self._seen_at = seen, self._clock()
        if self._clock() - self._seen_at < LEASE_SECONDS:
            return False
        unchanged = {"_id": self._name, "holder": seen[0], "count": seen[1]}
        ours = {"$set": {"holder": self._me, "count": 0}}
        return bool(self._leases.update_one(unchanged, ours).matched_count)

    def give_back(self) -> None:
        """Let another have it at once; no error where it is not ours."""
        self._leases.delete_one({"_id": self._name, "holder": self._me})
        # Under the same name, the next lease would look as if this one had stood still.
        self._me = _new_name()

    def _make(self, mine: dict[str, Any]) -> bool:
        try:
            self._leases.insert_one(mine | {"count": 0})
        except errors.DuplicateKeyError:
            return False
        return True


def _new_name() -> str:
    return uuid.uuid4().hex
