"""Every look and every change is in the audit log before it is answered."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from flask import Flask

from susracker.access.audit import Act, AuditLog
from susracker.access.export import all_entries
from susracker.access.issuing import issue
from susracker.access.signing import PublicKey, public_path
from susracker.access.verification import verify
from susracker.errors import ConfigError, OverloadedError, StoreUnavailableError
from susracker.server.app import create_app
from susracker.server.audited import declared_audit
from susracker.server.auditing import Auditing
from susracker.server.service import EXTENSION
from susracker.stores.sqlite.access import SqliteAccess
from susracker.stores.sqlite.gallery import SqliteGallery
from susracker.testing.records import activity
from susracker.tracking.tracker import Tracker
from tests.pictures import HOPPER
from tests.server.apps import running_app, site_tracker

BODY = {"camera_id": "gate", "camera_location": "Main gate", "event_type": "violence"}
PHOTO = base64.b64encode(HOPPER.read_bytes()).decode()


@pytest.fixture
def tracker(tmp_path: Path) -> Iterator[Tracker]:
    with site_tracker(tmp_path, cooldown_seconds=0) as opened:
        yield opened


@pytest.fixture
def app(tracker: Tracker) -> Iterator[Flask]:
    with running_app(tracker) as made:
        yield made


@pytest.fixture
def client(app: Any) -> Any:
    return app.test_client()


def actions(tracker: Tracker) -> list[tuple[str, str]]:
    return [(one.action, one.subject) for one in tracker.store.audit()]


def unwritable() -> Any:
    """The audit log cannot be written for a while."""
    error = StoreUnavailableError("the disk is full")
    return patch.object(SqliteAccess, "append_audit", side_effect=error)


def test_every_route_says_what_it_notes_or_why_not(app: Any) -> None:
    silent = [
        str(rule)
        for rule in app.url_map.iter_rules()
        if declared_audit(app.view_functions[rule.endpoint]) is None
    ]
    assert silent == []


def test_looks_and_changes_are_noted(client: Any, tracker: Tracker) -> None:
    made = client.post("/api/criminals", json={"name": "Grace", "image": PHOTO}).get_json()["id"]
    where = f"/api/criminals/{made}"
    client.get("/api/criminals?query=grace")
    client.get(where)
    client.get(f"{where}/track")
    client.put(where, json={"threat": "high"}, headers={"X-Reason": "new evidence"})
    (alert,) = tracker.store.record([], [activity()])
    client.get("/api/alerts")
    client.get(f"/api/alerts/{alert.id}")
    client.delete(f"{where}?reason=acquitted")
    assert actions(tracker) == [
        ("criminal.add", made),
        ("criminal.list", ""),
        ("criminal.show", made),
        ("criminal.track", made),
        ("criminal.edit", made),
        ("alert.list", ""),
        ("alert.show", alert.id),
        ("criminal.remove", made),
    ]
    entries = tracker.store.audit()
    assert [one.reason for one in entries if one.reason] == ["new evidence", "acquitted"]
    assert json.loads(entries[1].detail) == {"searched": True, "shown": 1, "first": [made]}
    assert json.loads(entries[4].detail) == {"fields": ["threat"], "photos": 0}
    assert {(one.actor, one.role, one.address) for one in entries} == {
        ("local", "local", "127.0.0.1")
    }


def test_a_refused_review_is_noted_as_the_look_that_it_is(client: Any, tracker: Tracker) -> None:
    (alert,) = tracker.store.record([], [activity()])
    review = {"verdict": "confirmed", "reason": "seen"}
    answers = [client.post(f"/api/alerts/{alert.id}/review", json=review) for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 409]
    assert actions(tracker) == [("alert.review", alert.id), ("alert.show", alert.id)]


def test_no_entry_holds_a_name_or_a_picture(client: Any, tracker: Tracker) -> None:
    client.post("/api/criminals", json={"name": "Grace", "image": PHOTO})
    client.get("/api/criminals?query=Grace")
    text = "".join(map(repr, tracker.store.audit()))
    assert "Grace" not in text
    assert PHOTO[:40] not in text


def test_what_is_refused_is_not_noted(client: Any, tracker: Tracker) -> None:
    assert client.get("/api/criminals/unknown").status_code == 404
    assert client.post("/api/criminals", json={"name": ""}).status_code == 400
    assert client.get("/api/alerts?limit=0").status_code == 400
    assert actions(tracker) == []


def test_a_detection_is_not_noted(client: Any, tracker: Tracker) -> None:
    assert client.post("/activity_alert", json=BODY).status_code == 200
    assert client.get("/readyz").status_code == 200
    assert actions(tracker) == []


def test_an_entry_says_whose_key_it_was(client: Any, tracker: Tracker) -> None:
    now = datetime.now(timezone.utc)
    key, text = issue(tracker.store, "admin", "Jo", None, None, now)
    client.get("/api/criminals", headers={"Authorization": f"Bearer {text}"})
    client.post("/api/session", json={"key": str(text)})
    entries = tracker.store.audit()
    assert [(one.action, one.actor, one.role) for one in entries] == [
        ("criminal.list", f"Jo ({key.id})", "admin"),
        ("session.open", f"Jo ({key.id})", "admin"),
    ]


def test_an_auditor_reads_the_log(client: Any, tracker: Tracker) -> None:
    client.get("/api/criminals")
    now = datetime.now(timezone.utc)
    _, text = issue(tracker.store, "auditor", "Ada", None, None, now)
    header = {"Authorization": f"Bearer {text}"}
    body = client.get("/api/audit?limit=1", headers=header).get_json()
    assert [one["action"] for one in body["entries"]] == ["criminal.list"]
    assert body["head"]["seq"] == 1
    assert actions(tracker)[-1] == ("audit.list", "")


def test_a_look_that_cannot_be_noted_is_not_answered(client: Any, tracker: Tracker) -> None:
    with unwritable():
        answer = client.get("/api/criminals")
    assert answer.status_code == 503
    assert "criminals" not in answer.get_json()


def test_the_same_look_at_a_person_is_noted_once_in_ten_minutes(
    client: Any, tracker: Tracker
) -> None:
    made = client.post("/api/criminals", json={"name": "Grace", "image": PHOTO}).get_json()
    where = f"/api/criminals/{made['id']}"
    before = len(actions(tracker))
    for path in (where, where, f"{where}/track", f"{where}?reason=visit", f"{where}?reason=visit"):
        assert client.get(path).status_code == 200
    for _ in range(2):
        client.get("/api/criminals")
    found = [action for action, _ in actions(tracker)[before:]]
    show, track, listed = "criminal.show", "criminal.track", "criminal.list"
    assert found == [show, track, show, show, listed, listed]


def test_a_look_is_noted_again_later_and_is_no_repeat_if_it_could_not_be_noted(
    tracker: Tracker,
) -> None:
    now = [0.0]
    log = AuditLog.open(tracker.store, tracker.settings.audit_key)
    auditing = Auditing(log, lambda: now[0])
    look = Act("Ada", "viewer", "127.0.0.1", "criminal.show", "7")
    with unwritable(), pytest.raises(StoreUnavailableError):
        auditing.note_look_once(look)
    for now[0] in (1.0, 600.0, 602.0):
        auditing.note_look_once(look)
    assert len(actions(tracker)) == 2
    auditing.note_look_once(replace(look, address="127.0.0.2"))
    assert len(actions(tracker)) == 3


def test_a_change_that_cannot_be_noted_is_noted_later(client: Any, tracker: Tracker) -> None:
    with unwritable():
        made = client.post("/api/criminals", json={"name": "Grace", "image": PHOTO})
        assert made.status_code == 201
        assert "not in the audit log" in client.get("/readyz").get_json()["warning"]
    client.get("/api/criminals")
    assert [action for action, _ in actions(tracker)] == ["criminal.add", "criminal.list"]
    assert client.get("/readyz").get_json()["warning"] is None


def test_someone_who_was_stored_is_answered_although_the_store_fails_then(
    client: Any, tracker: Tracker
) -> None:
    error = StoreUnavailableError("gone")
    with patch.object(SqliteGallery, "photo_ids_of", side_effect=error):
        made = client.post("/api/criminals", json={"name": "Grace", "image": PHOTO})
        assert made.status_code == 201
        where = f"/api/criminals/{made.get_json()['id']}"
        assert client.put(where, json={"threat": "high"}).status_code == 200
    person = client.get(where).get_json()
    assert (person["name"], person["threat"], len(person["photos"])) == ("Grace", "high", 1)


def test_a_change_is_noted_though_the_threads_are_too_busy(
    app: Any, client: Any, tracker: Tracker
) -> None:
    made = client.post("/api/criminals", json={"name": "Grace"})
    assert made.status_code == 201
    reads = app.extensions[EXTENSION].reads
    with patch.object(reads, "call", side_effect=OverloadedError("too busy", 1)):
        assert client.post("/api/criminals", json={"name": "Joan"}).status_code == 201
        assert "not in the audit log" in app.extensions[EXTENSION].audit.problem
    client.get("/api/criminals")
    assert [action for action, _ in actions(tracker)] == [
        "criminal.add",
        "criminal.add",
        "criminal.list",
    ]


@pytest.mark.parametrize("change", ["add", "edit"])
def test_a_change_is_noted_though_its_answer_fails(
    client: Any, tracker: Tracker, change: str
) -> None:
    made = client.post("/api/criminals", json={"name": "Grace"}).get_json()["id"]
    with patch.object(SqliteGallery, "template_counts", side_effect=StoreUnavailableError("gone")):
        answer = (
            client.post("/api/criminals", json={"name": "Joan"})
            if change == "add"
            else client.put(f"/api/criminals/{made}", json={"threat": "high"})
        )
    assert answer.status_code in (200, 201)
    assert [action for action, _ in actions(tracker)] == ["criminal.add", f"criminal.{change}"]
    assert tracker.store.audit()[-1].subject in {one.id for one in tracker.store.criminals()}


def test_the_log_of_a_server_is_whole(client: Any, tracker: Tracker, tmp_path: Path) -> None:
    for _ in range(5):
        client.get("/api/criminals")
    key = PublicKey.load(public_path(tmp_path / "audit-key.pem"))
    found = verify(all_entries(tracker.store), tracker.store.audit_head(), key)
    assert (found.problems, found.entries) == ([], 5)


def test_a_log_of_another_key_is_told_at_the_start(client: Any, tracker: Tracker) -> None:
    client.get("/api/criminals")
    head = tracker.store.audit_head()
    assert head is not None
    Path(tracker.settings.audit_key).unlink()
    with pytest.raises(ConfigError, match=head.key_id):
        create_app(tracker)
