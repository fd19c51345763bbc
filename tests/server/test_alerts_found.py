"""`GET /api/alerts`: which alerts are listed, and in which order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from susracker.testing.records import NOON, activity, criminal, face_alert
from susracker.tracking.tracker import Tracker
from tests.server.apps import running_app, site_tracker


@pytest.fixture
def tracker(tmp_path: Path) -> Iterator[Tracker]:
    with site_tracker(tmp_path) as opened:
        opened.store.put_criminal(criminal("c1"))
        opened.store.record([], [face_alert("c1", camera_id="gate")])
        opened.store.record([], [activity(camera_id="hall", occurred_at=NOON + timedelta(hours=1))])
        opened.store.record([], [face_alert("c1", camera_id="hall", status="dismissed")])
        opened.store.record([], [activity(camera_id="gate & hall")])
        yield opened


@pytest.fixture
def client(tracker: Tracker) -> Iterator[Any]:
    with running_app(tracker) as app:
        yield app.test_client()


def found(client: Any, **query: Any) -> list[int]:
    answer = client.get("/api/alerts", query_string=query)
    assert answer.status_code == 200, answer.get_json()
    return [one["seq"] for one in answer.get_json()["alerts"]]


def test_alerts_are_read_backwards(client: Any) -> None:
    assert found(client) == [1, 2, 3, 4]
    assert found(client, before=2**53) == [4, 3, 2, 1]
    assert found(client, before=4, limit=2) == [3, 2]
    assert found(client, before=2, limit=2) == [1]
    assert found(client, before=1) == []
    assert found(client, before=4, after=1) == [3, 2]


@pytest.mark.parametrize(
    ("query", "seqs"),
    [
        ({"kind": "face"}, [1, 3]),
        ({"kind": "activity", "before": 4}, [2]),
        ({"camera_id": "hall"}, [2, 3]),
        ({"camera_id": "gate & hall"}, [4]),
        ({"camera_id": "nowhere"}, []),
        ({"criminal_id": "c1", "status": "dismissed"}, [3]),
        ({"since": "2026-05-04T13:00:00Z"}, [2]),
        ({"since": "2026-05-04T14:00:00+02:00", "until": "2026-05-04T12:59:00Z"}, [1, 3, 4]),
    ],
)
def test_alerts_are_filtered(client: Any, query: dict[str, Any], seqs: list[int]) -> None:
    assert found(client, **query) == seqs


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"before": -1}, "before: "),
        ({"before": 2**63}, "before: "),
        ({"kind": "faces"}, "kind: "),
        ({"camera_id": ""}, "camera_id: "),
        ({"since": "yesterday"}, "since: must be ISO 8601"),
        ({"until": "2026-05-04"}, "until: must be ISO 8601"),
    ],
)
def test_a_wrong_filter_is_named(client: Any, query: dict[str, Any], told: str) -> None:
    answer = client.get("/api/alerts", query_string=query)
    assert answer.status_code == 400
    assert answer.get_json()["error"].startswith(told)


def test_the_audit_log_says_what_was_looked_for(client: Any, tracker: Tracker) -> None:
    found(client, camera_id="hall", before=4)
    (entry,) = tracker.store.audit()
    assert json.loads(entry.detail) == {"after": 0, "before": 4, "camera_id": "hall", "shown": 2}
