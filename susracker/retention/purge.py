"""Forgets what has been kept for long enough."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from susracker.access.audit import SYSTEM, Act, AuditLog
from susracker.config import Settings
from susracker.errors import HeldError, NotFoundError
from susracker.oversight import RecordKind
from susracker.retention.holds import held_about
from susracker.runtime.clock import Clock, utc_now
from susracker.stores.base import Store

log = logging.getLogger(__name__)

BATCH = 200
"""Records that are forgotten in one write: detections wait for it."""

PAUSE = 0.02
"""Seconds between two batches, in which detections are stored."""

SLICE = 5.0
"""Seconds that a server purges at once; the rest follows with the next call."""

EVERY = timedelta(hours=1)
"""How often a server purges."""

EXPIRED, AUDIT = "expired people", "audit"

SETTINGS: Mapping[str, str] = {
    "alerts": "keep_alerts_days",
    "faces": "keep_faces_days",
    "sightings": "keep_sightings_days",
    "judgements": "keep_judgements_days",
    EXPIRED: "keep_expired_days",
    AUDIT: "keep_audit_days",
}
"""What is kept for a limited time, and the setting that says how long: 0 is no limit."""

KINDS: tuple[RecordKind, ...] = ("alerts", "faces", "sightings", "judgements")


@dataclass(frozen=True, slots=True)
class Due:
    """Something that is kept for a limited time.

    Attributes:
        kind: a key of `SETTINGS`.
        before: what is older is to go.
    """

    kind: str
    days: float
    before: datetime


def due(settings: Settings, now: datetime) -> list[Due]:
    """What is kept for a limited time, by the settings."""
    kept = {kind: float(getattr(settings, name)) for kind, name in SETTINGS.items()}
    return [Due(kind, days, now - timedelta(days=days)) for kind, days in kept.items() if days]


def unlimited(settings: Settings) -> list[str]:
    """The settings of what is kept without a limit."""
    return [name for name in SETTINGS.values() if not getattr(settings, name)]


class Purge:
    """Forgets in small batches what is older than the settings allow.

    Args:
        audit: the audit log of the store; the removal of each person is noted in it.
        pause: called between two batches.
        who: who is noted: `actor`, `role` and `address` as in `AuditEntry`.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        audit: AuditLog,
        pause: Callable[[float], None] = time.sleep,
        who: Mapping[str, str] = SYSTEM,
    ) -> None:
        self._who = who
        self._store = store
        self._audit = audit
        self._settings = settings
        self._pause = pause

    def count(self, now: datetime) -> dict[str, int]:
        """How much of each kind is to go now."""
        return {one.kind: self._count(one) for one in due(self._settings, now)}

    def batches(self, now: datetime) -> Iterator[tuple[str, int]]:
        """Forget all of it: the kind and size of each batch, once it is gone.

        Raises:
            StoreUnavailableError: what is left goes the next time.
        """
        for one in due(self._settings, now):
            for size in self._forget(one):
                yield one.kind, size
                self._pause(PAUSE)

    def note(
        self,
        action: str,
        subject: str = "",
        reason: str = "",
        detail: Mapping[str, object] | None = None,
    ) -> None:
        """Note something in the audit log.

        Raises:
            StoreUnavailableError: nothing was noted.
        """
        self._audit.note(
            Act(**self._who, action=action, subject=subject, reason=reason, detail=detail)
        )

    def _count(self, one: Due) -> int:
        if one.kind == EXPIRED:
            return len(self._removable(one))
        if one.kind == AUDIT:
            return self._count_audit(one)
        return self._store.count_older(_record_kind(one), one.before)

    def _forget(self, one: Due) -> Iterator[int]:
        if one.kind == EXPIRED:
            yield from self._remove_expired(one)
        elif one.kind == AUDIT:
            if removed := self._audit.cut(one.before):
                yield removed
        else:
            while forgotten := self._store.forget(_record_kind(one), one.before, BATCH):
                yield forgotten

    def _count_audit(self, one: Due) -> int:
        """The entries before the first that is young enough; the last one always stays."""
        head = self._store.audit_head()
        if head is None:
            return 0
        after = head.first - 1
        while page := self._store.audit(after):
            for entry in page:
                if entry.at >= one.before or entry.seq == head.seq:
                    return entry.seq - head.first
            after = page[-1].seq
        return 0

    def _removable(self, one: Due) -> list[str]:
        """Who expired long enough ago, and is in no held alert."""
        expired = self._store.expired(one.before)
        return [criminal_id for criminal_id in expired if not held_about(self._store, criminal_id)]

    def _remove_expired(self, one: Due) -> Iterator[int]:
        for criminal_id in self._removable(one):
            self.note("criminal.remove", criminal_id, reason=f"expired over {one.days:g} days ago")
            try:
                self._store.remove_criminal(criminal_id)
            except (NotFoundError, HeldError):
                continue  # meanwhile someone else removed them, or held an alert that names them
            log.info("removed %s, who expired more than %g days ago", criminal_id, one.days)
            yield 1


def _record_kind(one: Due) -> RecordKind:
    return next(kind for kind in KINDS if kind == one.kind)


class HourlyPurge:
    """Purges once an hour, a slice of time at each call, so that the server can stop in between.

    If a purge fails, or is not done at the end of its slice, the next call goes on with it.
    """

    def __init__(self, purge: Purge, clock: Clock = utc_now) -> None:
        self._purge = purge
        self._clock = clock
        self._due = datetime.min.replace(tzinfo=timezone.utc)
        self._forgotten: Counter[str] = Counter()  # what is not noted yet

    def __call__(self) -> None:
        """Purge, if it is time to.

        Raises:
            StoreUnavailableError: the next call tries again.
        """
        now = self._clock()
        if now < self._due:
            return
        end = time.monotonic() + SLICE
        for kind, size in self._purge.batches(now):
            self._forgotten[kind] += size
            if time.monotonic() > end:
                self._tell()
                return
        self._tell()
        self._due = now + EVERY

    def _tell(self) -> None:
        """Say what was forgotten, in the server's log and in the audit log."""
        # Where the audit log alone was cut, its head says so: an entry for it would have to be cut
        # in its turn, and so on.
        if self._forgotten.keys() - {AUDIT}:
            self._purge.note("purge", detail=self._forgotten)
        if self._forgotten:
            told = ", ".join(f"{size} {kind}" for kind, size in self._forgotten.items())
            log.info("forgot what was kept for long enough: %s", told)
        self._forgotten = Counter()
