"""Sessions: a browser trades a key for a cookie."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from http.cookies import SimpleCookie

import pytest
from flask import Flask

from susracker import open_tracker
from susracker.access.issuing import issue, rotate
from susracker.server.admission import seal
from susracker.server.service import EXTENSION
from tests.server.apps import running_app


def now() -> datetime:
    return datetime.now(timezone.utc)


@pytest.fixture
def store_url(tmp_path):
    return f"sqlite:///{tmp_path / 'site.db'}"


@pytest.fixture
def tracker(store_url):
    with open_tracker(store=store_url) as opened:
        yield opened


@pytest.fixture
def app(tracker):
    with running_app(tracker) as made:
        yield made


@pytest.fixture
def make(tracker):
    def make(role: str, expires: str | None = None):
        return issue(tracker.store, role, role, None, expires, now())

    return make


def sign_in(app, text, **kwargs):
    browser = app.test_client()
    answer = browser.post("/api/session", json={"key": str(text)}, **kwargs)
    assert answer.status_code == 201
    return browser


def follow(app) -> None:
    """Let the server read the keys now, as it does twice within `follow_seconds`."""
    app.extensions[EXTENSION].admission._read()


@pytest.mark.parametrize("role", ["viewer", "operator", "admin", "auditor"])
def test_a_session_may_do_what_its_key_may(app, make, role):
    key, text = make(role)
    browser = sign_in(app, text)
    who = browser.get("/api/session").get_json()
    assert who == {"id": key.id, "name": role, "role": role, "by_cookie": True}
    statuses = {
        "alerts": browser.get("/api/alerts").status_code,
        "remove": browser.delete("/api/criminals/nobody").status_code,
        "post": browser.post("/activity_alert", json=[]).status_code,
    }
    expected = {
        "viewer": {"alerts": 200, "remove": 403, "post": 403},
        "operator": {"alerts": 200, "remove": 403, "post": 403},
        "admin": {"alerts": 200, "remove": 404, "post": 400},
        "auditor": {"alerts": 403, "remove": 403, "post": 403},
    }
    assert statuses == expected[role]


@pytest.mark.parametrize("body", [None, {}, {"key": ""}, {"key": None}, {"key": 5}, [], "text"])
def test_without_a_key_there_is_no_session(app, make, body):
    make("viewer")
    answer = app.test_client().post("/api/session", json=body)
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_surrogate_is_no_key(app, make):
    make("viewer")
    body = '{"key": "sus_123456789abc_\\ud800"}'
    answer = app.test_client().post("/api/session", data=body, content_type="application/json")
    assert answer.status_code == 401


def test_a_camera_has_no_session(app, make):
    _, text = make("camera")
    answer = app.test_client().post("/api/session", json={"key": str(text)})
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


def test_the_key_may_come_in_a_header_but_not_two_keys(app, make):
    (_, viewer), (_, admin) = make("viewer"), make("admin")
    header = {"Authorization": f"Bearer {viewer}"}
    browser = app.test_client()
    assert browser.post("/api/session", headers=header).status_code == 201
    two = browser.post("/api/session", headers=header, json={"key": str(admin)})
    assert two.status_code == 401


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_cookie_is_kept_from_scripts_and_other_sites(app, make, scheme):
    _, text = make("viewer")
    answer = app.test_client().post(
        "/api/session", json={"key": str(text)}, base_url=f"{scheme}://localhost"
    )
    (cookie,) = SimpleCookie(answer.headers["Set-Cookie"]).values()
    assert cookie.key == "susracker_session"
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert bool(cookie["secure"]) == (scheme == "https")
    assert cookie["path"] == "/"
    assert not cookie["domain"]
    expires = datetime.strptime(cookie["expires"], "%a, %d %b %Y %H:%M:%S GMT")
    length = expires.replace(tzinfo=timezone.utc) - now()
    assert timedelta(hours=11, minutes=59) < length <= timedelta(hours=12)
    (_, _, secret) = str(text).split("_", 2)
    assert secret not in answer.headers["Set-Cookie"]


def test_a_session_lasts_twelve_hours_and_use_does_not_prolong_it(app, make, monkeypatch):
    _, text = make("viewer")
    browser = sign_in(app, text)
    assert "Set-Cookie" not in browser.get("/api/session").headers
    began = now().timestamp()
    for hours, status in ((11.9, 200), (12.1, 401)):
        later = began + hours * 3600
        monkeypatch.setattr("time.time", lambda at=later: at)
        # The cookie as a thief sends it, whom no browser tells that it has expired.
        cookie = {"Cookie": f"susracker_session={browser.get_cookie('susracker_session').value}"}
        client = app.test_client(use_cookies=False)
        assert client.get("/api/session", headers=cookie).status_code == status
        monkeypatch.undo()


def test_a_cookie_that_was_changed_or_signed_by_another_server_is_none(app, make, tmp_path):
    _, text = make("viewer")
    value = sign_in(app, text).get_cookie("susracker_session").value
    elsewhere = f"sqlite:///{tmp_path / 'other.db'}"
    with open_tracker(store=elsewhere) as other, running_app(other) as theirs:
        _, foreign = issue(other.store, "admin", "Eve", None, None, now())
        foreign_value = sign_in(theirs, foreign).get_cookie("susracker_session").value
    client = app.test_client(use_cookies=False)
    # Not its last character, of which some bits mean nothing.
    changed = value[:-9] + ("A" if value[-9] != "A" else "B") + value[-8:]
    for wrong in (changed, foreign_value, "", "x" * 9000):
        cookie = {"Cookie": f"susracker_session={wrong}"}
        assert client.get("/api/session", headers=cookie).status_code == 401


def test_who_reads_the_store_cannot_make_a_session(app, make, tracker):
    key, text = make("admin")
    genuine = sign_in(app, text).get_cookie("susracker_session").value
    session = {"id": "1", "key_id": key.id, "seal": seal(key), "until": now().timestamp() + 60}
    for secret, status in ((tracker.store.secret("sessions"), 401), (app.secret_key, 200)):
        forger = Flask("forger")
        forger.secret_key = secret
        signer = forger.session_interface.get_signing_serializer(forger)
        value = signer.dumps({"session": session, "_permanent": True})
        assert value != genuine
        cookie = {"Cookie": f"susracker_session={value}"}
        client = app.test_client(use_cookies=False)
        assert client.get("/api/session", headers=cookie).status_code == status


def test_two_servers_of_a_store_share_sessions(app, make, tracker):
    _, text = make("viewer")
    browser = sign_in(app, text)
    value = browser.get_cookie("susracker_session").value
    with open_tracker(store=tracker.settings.store) as second, running_app(second) as theirs:
        other = theirs.test_client()
        other.set_cookie("susracker_session", value)
        assert other.get("/api/session").status_code == 200


@pytest.mark.parametrize("end", ["revoke", "rotate", "expire"])
def test_a_session_ends_with_its_key(app, make, tracker, end, monkeypatch):
    expires = (now() + timedelta(hours=1)).isoformat() if end == "expire" else None
    key, text = make("viewer", expires)
    browser = sign_in(app, text)
    if end == "revoke":
        tracker.store.revoke_key(key.id, now())
    elif end == "rotate":
        rotate(tracker.store, key)
    else:
        later = now() + timedelta(hours=2)
        monkeypatch.setattr("susracker.server.admission.utc_now", lambda: later)
    follow(app)
    answer = browser.get("/api/session")
    assert answer.status_code == 401
    assert "POST /api/session" in answer.get_json()["error"]


def test_signing_out_ends_the_session_and_no_other(app, make):
    _, text = make("viewer")
    browser, other = sign_in(app, text), sign_in(app, text)
    stolen = browser.get_cookie("susracker_session").value
    assert browser.delete("/api/session").status_code == 204
    assert browser.get_cookie("susracker_session") is None
    assert browser.get("/api/session").status_code == 401
    cookie = {"Cookie": f"susracker_session={stolen}"}
    assert app.test_client(use_cookies=False).get("/api/alerts", headers=cookie).status_code == 401
    assert other.get("/api/session").status_code == 200


def test_a_key_that_is_sent_counts_and_the_cookie_does_not(app, make):
    (_, viewer), (_, admin) = make("viewer"), make("admin")
    browser = sign_in(app, admin)
    header = {"Authorization": f"Bearer {viewer}"}
    who = browser.get("/api/session", headers=header).get_json()
    assert (who["role"], who["by_cookie"]) == ("viewer", False)
    assert browser.delete("/api/criminals/nobody", headers=header).status_code == 403
    wrong = {"Authorization": "Bearer sus_wrong_key"}
    assert browser.get("/api/alerts", headers=wrong).status_code == 401
    assert browser.get("/api/alerts", headers={"X-API-Key": ""}).status_code == 401


def test_without_keys_there_is_nothing_to_trade(app):
    browser = app.test_client()
    assert browser.get("/api/session").get_json()["role"] == "local"
    answer = browser.post("/api/session", json={})
    assert answer.status_code == 401
    assert browser.post("/api/session", json={"key": "sus_any_key"}).status_code == 401


def test_keys_and_sessions_of_a_mongodb_store(mongodb_url):
    with open_tracker(store=mongodb_url) as tracker, running_app(tracker) as app:
        store = tracker.store
        assert app.test_client().get("/api/alerts").status_code == 200
        key, text = issue(store, "viewer", "Jo", None, None, now())
        follow(app)
        assert app.test_client().get("/api/alerts").status_code == 401
        browser = sign_in(app, text)
        assert browser.get("/api/alerts").status_code == 200
        text = rotate(store, key)
        follow(app)
        assert browser.get("/api/alerts").status_code == 401
        browser = sign_in(app, text)
        store.revoke_key(key.id, now())
        follow(app)
        assert browser.get("/api/alerts").status_code == 401
        header = {"X-API-Key": str(text)}
        assert app.test_client().get("/api/alerts", headers=header).status_code == 401
