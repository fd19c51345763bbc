"""Keys, the verification of the audit log, and what is kept, over HTTP."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from susracker.access.keys import PREFIX
from susracker.server.service import EXTENSION
from tests.server.apps import running_app, site_tracker


@pytest.fixture
def tracker(tmp_path: Path) -> Any:
    with site_tracker(tmp_path, keep_faces_days=31) as opened:
        yield opened


@pytest.fixture
def app(tracker: Any) -> Any:
    with running_app(tracker) as made:
        yield made


class Client:
    """Sends requests with a key, and lets the server know of new keys at once."""

    def __init__(self, app: Any, key: str | None = None) -> None:
        self._app = app
        self._headers = {"X-API-Key": key} if key else {}

    def __call__(self, route: str, **kwargs: Any) -> Any:
        self._app.extensions[EXTENSION].admission._read()
        method, path = route.split()
        client = self._app.test_client(use_cookies=False)
        return client.open(path, method=method, headers=self._headers, **kwargs)


def make(client: Client, role: str = "admin", **fields: Any) -> dict[str, Any]:
    answer = client("POST /api/keys", json={"role": role, "name": role} | fields)
    assert answer.status_code == 201
    return answer.get_json()


def test_the_first_key_is_an_admins_and_lets_in(app):
    local = Client(app)
    refused = local("POST /api/keys", json={"role": "viewer", "name": "Jo"})
    assert refused.status_code == 409
    assert "admin's key first" in refused.get_json()["error"]
    admin = Client(app, make(local)["key"])
    assert local("GET /api/keys").status_code == 401
    viewer = make(admin, "viewer", expires="2999-12-31")
    assert Client(app, viewer["key"])("GET /api/alerts").status_code == 200
    shown = admin("GET /api/keys").get_json()["keys"]
    assert [(one["name"], one["role"], one["state"]) for one in shown] == [
        ("admin", "admin", "valid"),
        ("viewer", "viewer", "valid"),
    ]
    assert shown[1]["expires_at"].startswith("2999-12-31")
    assert all("digest" not in one and "key" not in one for one in shown)


def test_a_rotated_key_has_another_secret_and_a_revoked_one_lets_nobody_in(app):
    admin = Client(app, make(Client(app))["key"])
    viewer = make(admin, "viewer")
    again = admin(f"POST /api/keys/{viewer['id']}/rotate").get_json()
    assert again["id"] == viewer["id"]
    assert Client(app, viewer["key"])("GET /api/alerts").status_code == 401
    assert Client(app, again["key"])("GET /api/alerts").status_code == 200
    assert admin(f"DELETE /api/keys/{viewer['id']}").status_code == 204
    assert Client(app, again["key"])("GET /api/alerts").status_code == 401
    assert admin(f"POST /api/keys/{viewer['id']}/rotate").status_code == 409
    assert admin("DELETE /api/keys/nobody").status_code == 404


def test_the_last_admins_key_stays(app):
    made = make(Client(app))
    admin = Client(app, made["key"])
    refused = admin(f"DELETE /api/keys/{made['id']}")
    assert refused.status_code == 409
    assert "last admin" in refused.get_json()["error"]
    make(admin, name="another")
    assert admin(f"DELETE /api/keys/{made['id']}").status_code == 204


@pytest.mark.parametrize(
    "fields",
    [
        {"role": "king", "name": "Jo"},
        {"role": "admin"},
        {"role": "admin", "name": ""},
        {"role": "admin", "name": "Jo", "expires": "yesterday"},
        {"role": "admin", "name": "Jo", "cameras": "gate-*"},
        {"role": "admin", "name": "Jo", "digest": "0"},
    ],
)
def test_wrong_fields_are_refused(app, tracker, fields):
    assert Client(app)("POST /api/keys", json=fields).status_code == 400
    assert tracker.store.keys() == []


def test_changes_of_keys_are_noted_without_the_key(app, tracker):
    made = make(Client(app))
    admin = Client(app, made["key"])
    viewer = make(admin, "viewer")
    admin(f"POST /api/keys/{viewer['id']}/rotate")
    admin(f"DELETE /api/keys/{viewer['id']}")
    entries = [one for one in tracker.store.audit() if one.action.startswith("key.")]
    assert [(one.action, one.subject) for one in entries] == [
        ("key.create", made["id"]),
        ("key.create", viewer["id"]),
        ("key.rotate", viewer["id"]),
        ("key.revoke", viewer["id"]),
    ]
    secret = made["key"].removeprefix(f"{PREFIX}_{made['id']}_")
    assert secret not in str(entries)


def test_the_log_is_verified(app, tracker):
    client = Client(app)
    client("GET /api/criminals")
    whole = client("GET /api/audit/verification").get_json()
    assert (whole["is_whole"], whole["problems"], whole["entries"]) == (True, [], 1)
    with tracker.store._db.writing() as connection:
        connection.execute("UPDATE audit SET actor = 'somebody else'")
    broken = client("GET /api/audit/verification").get_json()
    assert not broken["is_whole"]
    assert broken["problems"]


def test_what_is_kept_is_told(app):
    told = Client(app)("GET /api/retention").get_json()
    assert told["days"]["keep_faces_days"] == 31
    assert told["days"]["keep_alerts_days"] == 0
    assert (told["records_detections"], told["encrypted"]) == (False, False)


def test_what_cameras_sent_each_day(app):
    client = Client(app)
    client("POST /activity_alert", json={"event_type": "violence", "camera_id": "gate"})
    today = datetime.now(timezone.utc).date().isoformat()
    day = {"camera_id": "gate", "day": today, "detections": 1, "searches": 0, "alerts": 1}
    assert client("GET /api/cameras/days").get_json()["days"] == [day]
    assert client("GET /api/cameras/days?since=2999-01-01").get_json()["days"] == []
    assert client("GET /api/cameras/days?since=today").status_code == 400
