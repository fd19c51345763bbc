"""Numbers of alerts, of false ones, and of how soon people answered."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from susracker.benchmark.metrics import proportion_interval
from susracker.judgement.judging import Judging
from susracker.judgement.rates import FalseAlertRate
from susracker.judgement.stats import alert_stats, stats_record, week_of
from susracker.replay.journal import ReplayJournal
from susracker.testing.records import NOON, activity, camera_day, face_alert

DAY = timedelta(days=1)
TODAY = NOON.date()


class Site:
    """A journal, and alerts that people reviewed a while after they arrived."""

    def __init__(self) -> None:
        self.journal = ReplayJournal()

    def alert(self, verdict=None, *, seconds=60, camera="gate", who="c1", at=NOON, by=("Jo",)):
        made = face_alert(who, name=f"Name {who}", camera_id=camera, received_at=at)
        (alert,) = self.journal.record([], [made])
        for person in by if verdict else ():
            judging = Judging(self.journal, 2, lambda: at + timedelta(seconds=seconds))
            judging.review(alert.id, verdict=verdict, reason="seen", made_by=person)
        return alert

    def searched(self, number, camera="gate", day=TODAY):
        self.journal.count_cameras([], [camera_day(camera, searches=number, day=day)])

    def stats(self, promised=0.01, **period):
        return alert_stats(self.journal, promised, **period)


@pytest.fixture
def site():
    return Site()


def counts(group) -> dict[str, int]:
    return dict(+group.by_status)


def test_alerts_are_counted_by_what_people_said(site):
    site.searched(1000)
    for verdict in ("dismissed", "dismissed", "unsure", None):
        site.alert(verdict)
    site.alert("confirmed", by=("Jo", "Alex"))
    site.alert("confirmed", by=("Jo",))
    record = stats_record(site.stats())["all"]
    assert {name: record[name] for name in list(record)[1:9]} == {
        "alerts": 6,
        "reviewed": 5,
        "unreviewed": 1,
        "confirmed": 1,
        "dismissed": 2,
        "unsure": 1,
        "to_be_confirmed": 1,
        "searches": 1000,
    }
    # What is undecided may be false or not.
    assert record["false_alert_rate"] == 2 / 1000
    assert record["interval"] == proportion_interval(2 / 1000, 1000)
    assert record["highest_rate"] == 5 / 1000
    assert record["highest_interval"] == proportion_interval(5 / 1000, 1000)


def test_alerts_are_counted_by_camera_person_and_week(site):
    monday = NOON.replace(day=11)
    site.searched(100)
    site.searched(50, "hall")
    site.searched(7, "gate", monday.date())
    site.alert("dismissed")
    site.alert("confirmed", camera="hall", by=("Jo", "Alex"))
    site.alert("dismissed", at=monday, who="c2")
    stats = site.stats()
    assert {name: (one.searches, counts(one)) for name, one in stats.cameras.items()} == {
        "gate": (107, {"dismissed": 2}),
        "hall": (50, {"confirmed": 1}),
    }
    assert {name: (one.searches, counts(one)) for name, one in stats.weeks.items()} == {
        "2026-W19": (150, {"dismissed": 1, "confirmed": 1}),
        "2026-W20": (7, {"dismissed": 1}),
    }
    assert {one.name: (one.searches, counts(one)) for one in stats.people.values()} == {
        "Name c1": (157, {"dismissed": 1, "confirmed": 1}),
        "Name c2": (157, {"dismissed": 1}),
    }


def test_a_camera_and_a_week_without_an_alert_are_there_too(site):
    site.searched(5000)
    stats = site.stats()
    assert (stats.cameras["gate"].alerts, stats.cameras["gate"].searches) == (0, 5000)
    assert stats.weeks["2026-W19"].rate.rate == 0


def test_without_searches_there_is_no_rate(site):
    site.alert("dismissed")
    record = stats_record(site.stats())
    assert record["all"]["false_alert_rate"] is None
    assert record["all"]["searches"] is None
    assert record["warnings"] == []


def test_alerts_of_days_without_counted_searches_are_not_in_the_rate(site):
    site.alert("dismissed", at=NOON - DAY)
    site.searched(100)
    site.alert("dismissed")
    total = site.stats().total
    assert total.by_status["dismissed"] == 2
    assert total.rate == FalseAlertRate(searches=100, dismissed=1, undecided=0)


def test_activities_are_counted_apart(site):
    site.searched(100)
    site.journal.record([], [activity()])
    stats = site.stats()
    assert stats.total.alerts == 0
    assert stats.activities["violence"].alerts == 1
    assert stats.total.rate.highest == 0


def test_only_the_days_that_are_asked_for_count(site):
    for days in range(4):
        site.searched(10, day=(NOON + days * DAY).date())
        site.alert("dismissed", at=NOON + days * DAY)
    period = {"since": (NOON + DAY).date(), "until": (NOON + 2 * DAY).date()}
    assert site.stats(**period).total.rate == FalseAlertRate(20, 2, 0)


def test_alerts_long_before_the_days_are_not_read(site, monkeypatch):
    monkeypatch.setattr("susracker.judgement.stats.PAGE", 5)
    for days in range(40, 0, -1):
        site.journal.record([], [activity(id=f"a{days}", received_at=NOON - timedelta(days=days))])
    read = []
    alerts = site.journal.alerts
    monkeypatch.setattr(
        site.journal, "alerts", lambda *a, **k: read.extend(alerts(*a, **k)) or read[-5:]
    )
    found = site.stats(since=(NOON - timedelta(days=3)).date())
    assert counts(found.activities["violence"]) == {"new": 3}
    assert len(read) == 10


def test_response_times_are_to_the_first_review(site):
    for seconds in (10, 20, 30, 40, 1000):
        site.alert("confirmed", seconds=seconds, by=("Jo", "Alex"))
    site.alert()
    response = stats_record(site.stats())["all"]["response_seconds"]
    assert response == {"median": 30, "90%": pytest.approx(616)}
    assert stats_record(Site().stats())["all"]["response_seconds"] == {"median": None, "90%": None}


def test_a_week_belongs_to_the_year_of_its_thursday():
    assert week_of(date(2027, 1, 3)) == "2026-W53"
    assert week_of(date(2026, 1, 1)) == "2026-W01"


# -- the promise ---------------------------------------------------------------------------------


def test_more_false_alerts_than_promised_are_a_warning():
    warning = FalseAlertRate(searches=10_000, dismissed=200, undecided=0).warning(0.01)
    assert warning is not None
    assert "2% false alerts (1.7% to 2.3%)" in warning
    assert "more than the promised 1%" in warning


@pytest.mark.parametrize("dismissed", [84, 100, 119])
def test_a_promise_within_the_interval_is_no_warning(dismissed):
    assert FalseAlertRate(10_000, dismissed, 0).warning(0.01) is None


def test_fewer_false_alerts_than_promised_are_a_warning_once_all_is_decided():
    assert FalseAlertRate(10_000, 20, 100).warning(0.01) is None
    warning = FalseAlertRate(10_000, 20, 0).warning(0.01)
    assert warning is not None
    assert "fewer than the promised 1%" in warning


def test_warnings_say_where(site):
    site.searched(100)
    site.searched(100, "hall")
    for _ in range(30):
        site.alert("dismissed", camera="hall")
    warnings = list(site.stats().warnings())
    assert [one.split(":")[0] for one in warnings] == ["all", "camera hall", "week 2026-W19"]
