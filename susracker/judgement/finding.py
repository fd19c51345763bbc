"""Finds alerts by what they are about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from susracker.errors import InputError, NotFoundError
from susracker.models import Alert, AlertStatus
from susracker.stores.base import Journal
from susracker.stores.refusals import no_alert

PAGE = 1000

SHOWN = 5
"""How many ids an error lists."""


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts are wanted; what is None does not matter.

    Attributes:
        criminal: id of the person whom the alert is about.
        since: earliest `occurred_at`.
        until: latest `occurred_at`.
    """

    status: AlertStatus | None = None
    camera: str | None = None
    criminal: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def matches(self, alert: Alert) -> bool:
        """Whether an alert is wanted."""
        return (
            self.status in (None, alert.status)
            and self.camera in (None, alert.camera_id)
            and self.criminal in (None, alert.criminal_id)
            and (self.since is None or alert.occurred_at >= self.since)
            and (self.until is None or alert.occurred_at <= self.until)
        )


def find_alerts(
    journal: Journal, wanted: AlertFilter, *, with_faces: bool = False
) -> Iterator[Alert]:
    """The alerts that are wanted, in order of `seq`."""
    for page in alert_pages(journal, with_faces=with_faces, status=wanted.status):
        yield from (alert for alert in page if wanted.matches(alert))


def alert_pages(
    journal: Journal, *, with_faces: bool = False, status: str | None = None
) -> Iterator[list[Alert]]:
    """All alerts in order of `seq`, a few at a time; without their faces more at a time."""
    after, limit = 0, PAGE // 10 if with_faces else PAGE
    while page := journal.alerts(after, limit, with_faces=with_faces, status=status):
        yield page
        after = page[-1].seq


def find_alert(journal: Journal, id_or_prefix: str) -> Alert:
    """The alert with this id, or the only one whose id begins with it.

    Raises:
        NotFoundError: there is no such alert.
        InputError: several ids begin with it.
    """
    try:
        return journal.alert(id_or_prefix)
    except NotFoundError:
        everything = find_alerts(journal, AlertFilter())
        found = [one.id for one in everything if one.id.startswith(id_or_prefix)]
    if not found or not id_or_prefix:
        raise no_alert(id_or_prefix)
    if len(found) > 1:
        some = ", ".join(found[:SHOWN])
        raise InputError(f"{len(found)} ids begin with {id_or_prefix!r}, such as {some}")
    return journal.alert(found[0])
