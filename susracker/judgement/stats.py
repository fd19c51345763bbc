"""What became of alerts: by camera, by person and by week."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np

from susracker.judgement.finding import PAGE
from susracker.judgement.judging import Judged, with_judgements
from susracker.judgement.rates import FalseAlertRate
from susracker.models import NEW, Alert, CameraDay
from susracker.stores.base import Journal

DECIDED = ("confirmed", "dismissed")

CLOCKS_APART = timedelta(days=1)
"""How far the clocks of servers may be apart: by more, alerts are not stored out of order."""


@dataclass(slots=True)
class Group:
    """Alerts of one camera, person or week, or all of them.

    Attributes:
        name: to show.
        by_status: how many alerts have each status.
        rated: the same, of alerts for faces on days on which the camera's searches were counted.
        searches: how many passages, or faces, of those cameras were compared with the watch-list on
            those days.
        seconds: from each reviewed alert's arrival to its first review.
    """

    name: str
    by_status: Counter[str] = field(default_factory=Counter)
    rated: Counter[str] = field(default_factory=Counter)
    searches: int = 0
    seconds: list[float] = field(default_factory=list)

    def add(self, judged: Judged, *, is_rated: bool) -> None:
        """Count an alert."""
        self.by_status[judged.alert.status] += 1
        self.rated[judged.alert.status] += is_rated
        if judged.reviews:
            taken = judged.reviews[0].made_at - judged.alert.received_at
            self.seconds.append(taken.total_seconds())

    @property
    def alerts(self) -> int:
        """How many there are."""
        return self.by_status.total()

    @property
    def rate(self) -> FalseAlertRate | None:
        """None where no search was counted."""
        if not self.searches:
            return None
        undecided = sum(count for status, count in self.rated.items() if status not in DECIDED)
        return FalseAlertRate(self.searches, self.rated["dismissed"], undecided)

    def response(self, percentile: float) -> float | None:
        """Seconds within which that share of first reviews came, in percent."""
        return float(np.percentile(self.seconds, percentile)) if self.seconds else None


@dataclass(slots=True)
class Stats:
    """What became of the alerts of some days.

    Attributes:
        promised: the FPIR that the threshold was chosen for.
        total: alerts for faces; the groups are those of faces, too.
        people: by criminal id; "" for people who were removed.
        activities: by event type.
    """

    promised: float
    total: Group
    cameras: dict[str, Group] = field(default_factory=dict)
    people: dict[str, Group] = field(default_factory=dict)
    weeks: dict[str, Group] = field(default_factory=dict)
    activities: dict[str, Group] = field(default_factory=dict)

    def warnings(self) -> Iterator[str]:
        """Where the promise is not kept. It is about the whole list, so people have no warnings."""
        kinds = (("", {"all": self.total}), ("camera ", self.cameras), ("week ", self.weeks))
        for kind, groups in kinds:
            for group in groups.values():
                warning = group.rate and group.rate.warning(self.promised)
                if warning:
                    yield f"{kind}{group.name}: {warning}"


def alert_stats(
    journal: Journal, promised: float, since: date | None = None, until: date | None = None
) -> Stats:
    """Sum up the alerts that arrived on these days, in UTC, and what people said about them.

    Args:
        promised: the FPIR that the threshold was chosen for.
    """
    stats = Stats(promised, Group("all"))
    days = {
        (day.camera_id, day.day): day
        for day in journal.camera_days()
        if _is_within(day.day, since, until)
    }
    for page in _pages_since(journal, since):
        wanted = [one for one in page if _is_within(one.received_at.date(), since, until)]
        for judged in with_judgements(journal, wanted):
            _add(stats, judged, days)
    _add_searches(stats, days.values())
    return stats


def _pages_since(journal: Journal, since: date | None) -> Iterator[list[Alert]]:
    """Alerts without their faces, the newest first, a page at a time; not those before a day."""
    before = None
    while page := journal.alerts(0, PAGE, before=before, newest_first=True, with_faces=False):
        yield page
        if since and all(one.received_at.date() < since - CLOCKS_APART for one in page):
            return
        before = page[-1].seq


def stats_record(stats: Stats) -> dict[str, Any]:
    """The same as JSON. Intervals are of 95%; what is not known is None."""
    return {
        "promised_fpir": stats.promised,
        "all": _record(stats.total, stats.promised),
        "cameras": [_record(one, stats.promised) for one in stats.cameras.values()],
        "people": [
            {"criminal_id": key or None} | _record(one, None) for key, one in stats.people.items()
        ],
        "weeks": [_record(one, stats.promised) for one in stats.weeks.values()],
        "activities": [_record(one, None) for one in stats.activities.values()],
        "warnings": list(stats.warnings()),
    }


def week_of(day: date) -> str:
    """The ISO 8601 week, such as "2026-W07"."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def _is_within(day: date, since: date | None, until: date | None) -> bool:
    return (since is None or day >= since) and (until is None or day <= until)


def _add(stats: Stats, judged: Judged, days: dict[tuple[str, date], CameraDay]) -> None:
    alert = judged.alert
    if alert.kind == "activity":
        _group(stats.activities, alert.event_type).add(judged, is_rated=False)
        return
    is_rated = (alert.camera_id, alert.received_at.date()) in days
    for group in _groups_of(stats, alert):
        group.add(judged, is_rated=is_rated)


def _groups_of(stats: Stats, alert: Alert) -> Iterable[Group]:
    who = alert.criminal_id or ""
    return (
        stats.total,
        _group(stats.cameras, alert.camera_id),
        _group(stats.people, who, alert.name or "(removed)"),
        _group(stats.weeks, week_of(alert.received_at.date())),
    )


def _group(groups: dict[str, Group], key: str, name: str | None = None) -> Group:
    if key not in groups:
        groups[key] = Group(name or key)
    return groups[key]


def _add_searches(stats: Stats, days: Iterable[CameraDay]) -> None:
    for day in days:
        if day.searches:
            _group(stats.cameras, day.camera_id).searches += day.searches
            _group(stats.weeks, week_of(day.day)).searches += day.searches
        stats.total.searches += day.searches
    for person in stats.people.values():
        # Every search is one for everyone.
        person.searches = stats.total.searches
    stats.cameras = dict(sorted(stats.cameras.items()))
    stats.weeks = dict(sorted(stats.weeks.items()))
    stats.activities = dict(sorted(stats.activities.items()))
    most = sorted(stats.people.items(), key=lambda item: (-item[1].alerts, item[1].name))
    stats.people = dict(most)


def _record(group: Group, promised: float | None) -> dict[str, Any]:
    rate = group.rate
    return {
        "name": group.name,
        "alerts": group.alerts,
        "reviewed": group.alerts - group.by_status[NEW],
        "unreviewed": group.by_status[NEW],
        **{name: group.by_status[name] for name in ("confirmed", "dismissed", "unsure")},
        "to_be_confirmed": group.by_status["to be confirmed"],
        "searches": group.searches or None,
        "false_alert_rate": rate and rate.rate,
        "interval": rate and rate.interval,
        "highest_rate": rate and rate.highest,
        "highest_interval": rate and rate.highest_interval,
        "warning": (rate and promised and rate.warning(promised)) or None,
        "response_seconds": {"median": group.response(50), "90%": group.response(90)},
    }
