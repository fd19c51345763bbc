"""Looking up alerts: what every journal must find, in which order, and how much of it."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest

from susracker.models import Alert
from susracker.stores.base import Gallery, Journal
from susracker.stores.journal import EVERY_ALERT, AlertFilter
from susracker.testing.records import MICROSECOND, MINUTE, NOON, activity, criminal, face_alert

FILTERS = (
    EVERY_ALERT,
    AlertFilter(kind="face"),
    AlertFilter(kind="activity"),
    AlertFilter(camera_id="gate"),
    AlertFilter(camera_id="nowhere"),
    AlertFilter(criminal_id="c1"),
    AlertFilter(criminal_id="c1", camera_id="hall"),
    AlertFilter(since=NOON + MINUTE),
    AlertFilter(until=NOON + MINUTE),
    AlertFilter(since=NOON + MINUTE, until=NOON + 2 * MINUTE),
    AlertFilter(since=NOON + MINUTE + MICROSECOND, camera_id="gate", kind="face"),
    AlertFilter(status="confirmed", until=NOON + 3 * MINUTE - MICROSECOND, criminal_id="c2"),
    AlertFilter(status="new", kind="activity", camera_id="hall", since=NOON, until=NOON),
)


@pytest.fixture
def stored(journal: Journal) -> list[Alert]:
    """Of each kind and person, on each camera; several of a detection; not in order of time."""
    if isinstance(journal, Gallery):
        for one in ("c1", "c2"):
            journal.put_criminal(criminal(one))
    found: list[Alert] = []
    for minutes, camera in product((2, 0, 3, 1), ("gate", "hall")):
        fields = {"camera_id": camera, "occurred_at": NOON + timedelta(minutes=minutes)}
        status = "confirmed" if minutes == 2 else "new"
        found += journal.record(
            [],
            [
                face_alert("c1", "c2", status=status, **fields),
                face_alert("c2", "c1", status=status, **fields),
            ],
        )
        found += journal.record([], [activity(**fields)])
    return found


@pytest.mark.parametrize("wanted", FILTERS, ids=str)
@pytest.mark.parametrize("newest_first", [False, True])
def test_alerts_that_are_wanted_are_found_in_pages(
    journal: Journal, stored: list[Alert], wanted: AlertFilter, newest_first: bool
) -> None:
    matching = [one for one in stored if wanted.matches(one)]
    expected = matching[::-1] if newest_first else matching
    assert journal.alerts(newest_first=newest_first, wanted=wanted) == expected
    found: list[Alert] = []
    while page := _next_page(journal, found, wanted, newest_first):
        assert len(page) == min(3, len(expected) - len(found))
        found += page
    assert found == expected


def _next_page(
    journal: Journal, found: list[Alert], wanted: AlertFilter, newest_first: bool
) -> list[Alert]:
    last = found[-1].seq if found else None
    if newest_first:
        return journal.alerts(limit=3, before=last, newest_first=True, wanted=wanted)
    return journal.alerts(last or 0, limit=3, wanted=wanted)


def test_bounds_are_not_included(journal: Journal, stored: list[Alert]) -> None:
    first, last = stored[4].seq, stored[9].seq
    assert journal.alerts(first, before=last) == stored[5:9]
    assert journal.alerts(first, 3, before=last, newest_first=True) == stored[8:5:-1]
    assert journal.alerts(first, before=first + 1) == []
    assert journal.alerts(before=0) == []
    assert journal.alerts(before=0, newest_first=True) == []
    assert journal.alerts(newest_first=True, limit=0) == []
    assert journal.alerts(before=2**63 - 1, newest_first=True) == stored[::-1]


def test_alerts_that_are_wanted_may_be_read_without_their_faces(
    journal: Journal, stored: list[Alert]
) -> None:
    wanted = AlertFilter(criminal_id="c1", camera_id="gate")
    found = journal.alerts(wanted=wanted, with_faces=False)
    assert [(one.seq, one.face) for one in found] == [
        (one.seq, None) for one in stored if wanted.matches(one)
    ]
