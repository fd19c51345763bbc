"""Wrong keys: counted in memory, and noted in the audit log once a minute."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable

from susracker.access.audit import Act
from susracker.errors import ConfigError, OverloadedError, StoreError

log = logging.getLogger(__name__)

NOTED_EACH = 60.0
"""Seconds between two entries of one address."""

MAX_ADDRESSES = 20
"""Addresses with an entry of their own; what more send in a minute is one entry together. So a
flood of wrong keys costs the store this many entries a minute, from however many addresses."""

OTHERS = ""


class WrongKeys:
    """Counts wrong keys by the address that sent them. The keys themselves are not kept.

    Only greenlets of one event loop may use it.

    Args:
        note: adds to the audit log, on a thread.
    """

    def __init__(
        self, note: Callable[[Act], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._note = note
        self._clock = clock
        self._counts: Counter[str] = Counter()
        self._noted_at = clock()

    def count(self, address: str) -> None:
        """Count one; this waits for nothing."""
        known = address in self._counts or len(self._counts) < MAX_ADDRESSES
        self._counts[address if known else OTHERS] += 1

    def note_if_due(self) -> None:
        """Note what was counted, if the last time is long enough ago."""
        if self._clock() - self._noted_at >= NOTED_EACH:
            self.note()

    def note(self) -> None:
        """Note what was counted; what cannot be noted now is noted with the next."""
        self._noted_at = self._clock()
        counts, self._counts = self._counts, Counter()
        while counts:
            address, count = counts.popitem()
            try:
                self._note(_act(address, count))
            except (StoreError, ConfigError, OverloadedError) as error:
                counts[address] = count
                self._keep(counts)
                log.warning("wrong keys are not in the audit log yet: %s", error)
                return

    def _keep(self, counts: Counter[str]) -> None:
        """Go on counting where `counts` ended."""
        for address, count in self._counts.items():
            known = address in counts or len(counts) < MAX_ADDRESSES
            counts[address if known else OTHERS] += count
        self._counts = counts


def _act(address: str, count: int) -> Act:
    return Act("unknown", "none", address, "session.refused", detail={"count": count})
