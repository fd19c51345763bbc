"""Who may do what: every route with every role, against a table."""

from __future__ import annotations

import base64
import io
import re
from datetime import datetime, timedelta, timezone
from typing import get_args

import pytest

from susracker import open_tracker
from susracker.access.issuing import issue, rotate
from susracker.access.roles import ROLES
from susracker.errors import StoreUnavailableError
from susracker.oversight import Role
from susracker.server.access import declared
from susracker.server.identity import KNOWN
from susracker.server.service import EXTENSION
from tests.pictures import HOPPER
from tests.server.apps import running_app

PEOPLE = {"viewer", "operator", "admin"}

ALLOWED = {
    "GET /": None,
    "GET /docs": None,
    "GET /static/<version>/<path:name>": None,
    "GET /healthz": None,
    "GET /asyncapi.json": None,
    "GET /openapi.json": None,
    "POST /api/session": None,
    "POST /face_upload": {"camera", "admin"},
    "POST /activity_alert": {"camera", "admin"},
    "POST /api/detections": {"camera", "admin"},
    "GET /api/session": {*PEOPLE, "auditor"},
    "DELETE /api/session": {*PEOPLE, "auditor"},
    "GET /readyz": {*PEOPLE, "monitor"},
    "GET /metrics": {*PEOPLE, "monitor"},
    "GET /api/alerts": PEOPLE,
    "GET /api/alerts/<alert_id>": PEOPLE,
    "GET /api/alerts/stats": PEOPLE,
    "POST /api/alerts/<alert_id>/review": {"operator", "admin"},
    "POST /api/alerts/<alert_id>/outcome": {"operator", "admin"},
    "GET /api/cameras": PEOPLE,
    "GET /api/cameras/days": PEOPLE,
    "GET /api/audit": {"auditor", "admin"},
    "GET /api/audit/verification": {"auditor", "admin"},
    "GET /api/retention": {"auditor", "admin"},
    "GET /api/benchmark": PEOPLE,
    "GET /api/site": PEOPLE,
    "GET /api/site/plan": PEOPLE,
    "PUT /api/site/plan": {"admin"},
    "DELETE /api/site/plan": {"admin"},
    "PUT /api/site/places": {"admin"},
    "DELETE /api/site/places": {"admin"},
    "GET /api/keys": {"admin"},
    "POST /api/keys": {"admin"},
    "POST /api/keys/<key_id>/rotate": {"admin"},
    "DELETE /api/keys/<key_id>": {"admin"},
    "GET /api/criminals": PEOPLE,
    "GET /api/criminals/<criminal_id>": PEOPLE,
    "GET /api/criminals/<criminal_id>/track": PEOPLE,
    "GET /api/criminals/<criminal_id>/photos": PEOPLE,
    "GET /api/criminals/<criminal_id>/photos/<photo>": PEOPLE,
    "DELETE /api/criminals/<criminal_id>/photos/<photo>": {"admin"},
    "POST /api/criminals": {"admin"},
    "PUT /api/criminals/<criminal_id>": {"admin"},
    "DELETE /api/criminals/<criminal_id>": {"admin"},
    "POST /api/criminals/<criminal_id>/erasure": {"admin"},
    "POST /api/enrolments/list": {"admin"},
    "POST /api/enrolments": {"admin"},
    "POST /api/enrolments/lookalikes": {"admin"},
    "POST /api/find": {"operator", "admin"},
    "GET /api/alerts/<alert_id>/face": set(),
    "PUT /api/alerts/<alert_id>/hold": {"admin"},
    "DELETE /api/alerts/<alert_id>/hold": {"admin"},
    "POST /api/v1/recognition/recognize": {"operator", "admin"},
    "GET /api/v1/recognition/subjects": PEOPLE,
    "POST /api/v1/recognition/subjects": {"admin"},
    "PUT /api/v1/recognition/subjects/<name:subject>": {"admin"},
    "DELETE /api/v1/recognition/subjects/<name:subject>": {"admin"},
    "POST /api/v1/recognition/faces": {"admin"},
    "GET /api/v1/recognition/faces": PEOPLE,
    "DELETE /api/v1/recognition/faces": {"admin"},
    "DELETE /api/v1/recognition/faces/<image_id>": {"admin"},
    "GET /api/v1/recognition/faces/<image_id>/img": PEOPLE,
}
"""The roles that may use each route; None: everyone, without a key."""

PUBLIC = {
    "GET /",
    "GET /docs",
    "GET /static/<version>/<path:name>",
    "GET /healthz",
    "GET /asyncapi.json",
    "GET /openapi.json",
}
"""Routes that show nothing of the site. Trading a key for a session needs the key."""

SIGNED = {"GET /api/alerts/<alert_id>/face"}
"""Routes that ask for a signed link, and heed no key."""

WRONG_LINK = "?receiver=hook&until=9999999999&signature=wrong"

EVENTS = {"connect": PEOPLE, "disconnect": None}

INVALID = (None, "", "revoked", "expired", "rotated", "made up", "of another")
"""Keys that let nobody in; None is no key at all."""

ROLE_NAMES = get_args(Role)


def now() -> datetime:
    return datetime.now(timezone.utc)


@pytest.fixture
def tracker(tmp_path):
    with open_tracker(store=f"sqlite:///{tmp_path / 'site.db'}", cooldown_seconds=0) as opened:
        yield opened


@pytest.fixture
def keys(tracker):
    """A key of each role, a revoked one and an expired one, as text."""
    store = tracker.store
    made = {role: issue(store, role, role, None, None, now()) for role in ROLE_NAMES}
    made["revoked"] = issue(store, "admin", "revoked", None, None, now())
    store.revoke_key(made["revoked"][0].id, now())
    earlier = now() - timedelta(days=2)
    expires = (earlier + timedelta(days=1)).isoformat()
    made["expired"] = issue(store, "admin", "expired", None, expires, earlier)
    made["rotated"] = issue(store, "admin", "rotated", None, None, now())
    rotate(store, made["rotated"][0])
    return {name: str(text) for name, (_, text) in made.items()}


@pytest.fixture
def app(tracker):
    with running_app(tracker) as made:
        yield made


@pytest.fixture
def client(app):
    return app.test_client(use_cookies=False)


def routes(app) -> dict[str, str]:
    """The endpoint of each route by method and rule."""
    return {
        f"{method} {rule.rule}": rule.endpoint
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }


def call(client, route: str, key: str | None = None, **kwargs):
    method, _, rule = route.partition(" ")
    headers = {"Authorization": f"Bearer {key}"} if key is not None else {}
    headers |= kwargs.pop("headers", {})
    rule += WRONG_LINK if route in SIGNED else ""
    return client.open(re.sub("<.*?>", "nobody", rule), method=method, headers=headers, **kwargs)


# -- the whole map ---------------------------------------------------------------------------------


def test_every_route_is_in_the_table(app):
    assert routes(app).keys() == ALLOWED.keys()


def undeclared(app) -> list[str]:
    return [one for one, name in routes(app).items() if declared(app.view_functions[name]) is None]


def test_every_route_declares_its_access(app):
    assert undeclared(app) == []
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    assert undeclared(app) == ["GET /forgotten"]


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_each_role_may_use_what_the_table_says(client, keys, role):
    statuses = {route: call(client, route, keys[role]).status_code for route in ALLOWED}
    let_in = {route for route, status in statuses.items() if status not in (401, 403)}
    expected = {route for route, roles in ALLOWED.items() if roles is None or role in roles}
    if role in ("camera", "monitor"):
        expected.remove("POST /api/session")
    assert let_in == expected
    assert 401 not in statuses.values()


@pytest.mark.parametrize("key", INVALID)
def test_nobody_comes_in_without_a_valid_key(client, keys, key):
    mixed = keys["viewer"].rpartition("_")[0] + "_" + keys["admin"].rpartition("_")[2]
    texts = keys | {"made up": "sus_123456789abc_secret", "of another": mixed, "": "", None: None}
    by_bearer = {} if key is None else {"Authorization": f"Bearer {texts[key]}"}
    by_header = {} if key is None else {"X-API-Key": texts[key]}
    for route in ALLOWED.keys() - PUBLIC - SIGNED:
        for headers in (by_bearer, by_header):
            answer = call(client, route, headers=headers)
            assert answer.status_code == 401, route
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert answer.get_json()["error"]


@pytest.mark.parametrize(
    ("route", "key", "is_known"),
    [
        ("GET /healthz", None, False),
        ("GET /healthz", "admin", False),
        ("GET /api/criminals", None, False),
        ("GET /api/criminals", "revoked", False),
        ("GET /api/criminals", "viewer", True),
        ("POST /face_upload", "camera", True),
        ("GET /api/alerts/<alert_id>/face", "admin", False),
    ],
)
def test_the_server_is_told_who_has_shown_a_valid_key(client, keys, route, key, is_known):
    """Connections of others make room first."""
    told = []
    environ = {KNOWN: lambda: told.append(route)}
    call(client, route, keys.get(key), environ_overrides=environ)
    assert told == [route] * is_known


def test_a_route_that_declares_nothing_is_shut_to_everyone(app, client, tracker, caplog):
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    assert client.get("/forgotten").status_code == 403  # on loopback, without any key
    (_, text) = issue(tracker.store, "admin", "Jo", None, None, now())
    assert "declares no access" in caplog.text
    app.extensions[EXTENSION].admission._read()
    assert call(client, "GET /forgotten", str(text)).status_code == 403
    assert client.get("/forgotten").status_code == 401


def test_every_event_declares_its_access(app):
    handlers = app.extensions["socketio"].server.handlers
    assert handlers.keys() == {"/"}
    assert handlers["/"].keys() == EVENTS.keys()
    for name, roles in EVENTS.items():
        asked = declared(handlers["/"][name])
        allowed = None if asked == "public" else {one for one in ROLES if asked in ROLES[one]}
        assert allowed == roles, name


def test_an_event_that_declares_nothing_is_not_registered(app):
    with pytest.raises(TypeError, match="'forgotten' declares no access"):
        app.extensions[EXTENSION].connections.on("forgotten", lambda: None)


# -- other ways in ---------------------------------------------------------------------------------


OTHER_PATHS = (
    "/nowhere",
    "//api/criminals",
    "/api//criminals",
    "/api/criminals/",
    "/api/%63riminals",
    "/%61pi/criminals",
    "/healthz/",
    "/healthz/../api/criminals",
    "/healthz%2f..%2fapi%2fcriminals",
    "/api/criminals;/healthz",
    "/static/x",
    "/api/criminals?key=KEY",
    "/api/criminals?api_key=KEY&x-api-key=KEY&Authorization=Bearer%20KEY",
)


def test_no_other_path_leads_in(client, keys):
    for path in OTHER_PATHS:
        answer = client.get(path.replace("KEY", keys["admin"]))
        # The client takes what follows two slashes for a host, which is a foreign one.
        assert answer.status_code == (403 if path.startswith("//") else 401), path
        assert "criminals" not in answer.text


def test_no_other_method_leads_in(client, keys):
    camera = {"X-API-Key": keys["camera"]}
    for method in ("HEAD", "OPTIONS", "TRACE", "PROPFIND", "PATCH"):
        assert client.open("/api/criminals", method=method).status_code == 401, method
        answer = client.open("/api/criminals", method=method, headers=camera)
        assert answer.status_code == 403, method


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_a_header_does_not_change_the_method(client, keys, header):
    """A camera may post, and a viewer may get; neither may do the other."""
    camera = call(client, "POST /activity_alert", keys["camera"], headers={header: "GET"})
    assert camera.status_code == 400
    asked = {header: "DELETE"}
    answer = call(client, "GET /api/criminals", keys["viewer"], headers=asked)
    assert answer.status_code == 200


def test_a_camera_hears_nothing_of_other_routes(client, keys):
    for path in ("/nowhere", "/face_upload", "//api/criminals"):
        assert call(client, f"GET {path}", keys["camera"]).status_code == 403
    assert call(client, "GET /nowhere", keys["auditor"]).status_code == 404


def test_the_word_bearer_may_be_written_anyhow_and_other_schemes_are_no_keys(client, keys):
    def status(value: str) -> int:
        return client.get("/api/criminals", headers={"Authorization": value}).status_code

    assert status(f"bearer {keys['viewer']}") == 200
    assert status(f"BEARER   {keys['viewer']} ") == 200
    assert status(f"Basic {keys['viewer']}") == 401
    assert status(keys["viewer"]) == 401
    assert status(f"Bearer {keys['viewer']}, Bearer {keys['viewer']}") == 401
    assert status("Bearer \xe4\xf6\xfc") == 401
    assert status("Bearer sus_" + "x" * 5000) == 401


def test_two_different_keys_are_refused_and_the_same_twice_is_one(client, keys):
    both = {"X-API-Key": keys["viewer"]}
    assert call(client, "GET /api/criminals", keys["admin"], headers=both).status_code == 401
    assert call(client, "GET /api/criminals", keys["viewer"], headers=both).status_code == 200
    password = {"X-API-Key": keys["viewer"], "Authorization": "Basic am86ZG9l"}
    assert call(client, "GET /api/criminals", headers=password).status_code == 200


# -- a camera's key --------------------------------------------------------------------------------


def posts(camera_id: str):
    common = {"camera_id": camera_id, "camera_location": "Main gate"}
    portrait = HOPPER.read_bytes()
    yield "/face_upload", {"data": common | {"file": (io.BytesIO(portrait), "face.jpg")}}
    yield "/activity_alert", {"json": common | {"event_type": "violence"}}
    image = {"image": base64.b64encode(portrait).decode()}
    face = {"event_type": "face", "timestamp": "2026-01-31T12:00:00Z"}
    yield "/api/detections", {"json": common | face | image}


@pytest.mark.parametrize(
    ("pattern", "camera_id", "status"),
    [
        (None, "anything", 200),
        ("gate-*", "gate-1", 200),
        ("gate-*", "Gate-1", 403),
        ("gate-*", "hall-1", 403),
        ("gate-*", "a gate-1", 403),
        ("gate-?", "gate-12", 403),
        ("gate-[12]", "gate-2", 200),
        ("gate-[12]", "gate-3", 403),
    ],
)
def test_a_cameras_key_sends_for_its_cameras_only(client, tracker, pattern, camera_id, status):
    _, text = issue(tracker.store, "camera", "gate", pattern, None, now())
    for path, body in posts(camera_id):
        answer = client.post(path, headers={"X-API-Key": str(text)}, **body)
        assert answer.status_code == status, path
    assert len(tracker.cameras()) == (status == 200)


def test_fields_are_checked_before_the_camera(client, tracker):
    _, text = issue(tracker.store, "camera", "gate", "gate-*", None, now())
    answer = client.post("/activity_alert", headers={"X-API-Key": str(text)}, json=[])
    assert answer.status_code == 400


# -- without keys ----------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_without_keys_programs_of_this_machine_may_do_everything(client, address):
    here = {"REMOTE_ADDR": address}
    assert client.get("/api/criminals", environ_base=here).status_code == 200
    body = {"name": "Ada"}
    assert client.post("/api/criminals", json=body, environ_base=here).status_code == 201
    assert client.get("/api/session", environ_base=here).get_json()["role"] == "local"


def test_without_keys_nobody_else_may_do_anything(client):
    """However the application is run: the setting `host` may not be where it listens."""
    for address in ("10.0.0.7", "::ffff:10.0.0.7", "fe80::1", "", "unix:"):
        answer = client.get("/api/criminals", environ_base={"REMOTE_ADDR": address})
        assert answer.status_code == 401
    for passed_on in (
        {"X-Forwarded-For": "10.0.0.7, 127.0.0.1"},
        {"X-Real-IP": "10.0.0.7"},
        {"Forwarded": "for=10.0.0.7"},
        {"Via": "1.1 gateway"},
    ):
        assert client.get("/api/criminals", headers=passed_on).status_code == 401
    for passed_on in ({"X-Forwarded-For": "127.0.0.1"}, {"X-Real-IP": "::1"}):
        assert client.get("/api/criminals", headers=passed_on).status_code == 200


def test_without_keys_a_server_on_the_network_lets_nobody_in(tmp_path):
    url = f"sqlite:///{tmp_path / 'site.db'}"
    with open_tracker(store=url, host="0.0.0.0") as tracker, running_app(tracker) as app:
        client = app.test_client()
        assert client.get("/api/criminals").status_code == 401
        assert client.get("/healthz").status_code == 200


def test_once_a_key_was_made_it_is_asked_for_even_after_it_was_revoked(client, tracker):
    key, _ = issue(tracker.store, "viewer", "Jo", None, None, now())
    assert client.get("/api/criminals").status_code == 401
    tracker.store.revoke_key(key.id, now())
    client.application.extensions[EXTENSION].admission._read()
    assert client.get("/api/criminals").status_code == 401


def test_listed_networks_post_without_a_key_and_do_nothing_else(tmp_path, keys, tracker):
    url = f"sqlite:///{tmp_path / 'site.db'}"
    settings = {"open_ingest": "10.0.7.0/24, fd00::/8", "cooldown_seconds": 0}
    with open_tracker(store=url, **settings) as other, running_app(other) as app:
        client = app.test_client(use_cookies=False)

        def statuses(address: str, key: str | None = None) -> dict[str, int]:
            here = {"REMOTE_ADDR": address}
            return {one: call(client, one, key, environ_base=here).status_code for one in ALLOWED}

        for address in ("10.0.7.9", "::ffff:10.0.7.9", "fd00::7"):
            refused = {one for one, status in statuses(address).items() if status == 403}
            let_in = {one for one, status in statuses(address).items() if status == 400}
            assert let_in == {one for one, roles in ALLOWED.items() if roles == {"camera", "admin"}}
            assert refused == ALLOWED.keys() - let_in - PUBLIC - {"POST /api/session"}
        assert set(statuses("10.0.8.9").values()) == {200, 401, 403, 404}
        # Whoever shows a key is who the key says, or nobody.
        assert statuses("10.0.7.9", "sus_wrong_key")["POST /activity_alert"] == 401
        assert statuses("10.0.7.9", keys["viewer"])["POST /activity_alert"] == 403
        for path, body in posts("old"):
            answer = client.post(path, environ_base={"REMOTE_ADDR": "10.0.7.9"}, **body)
            assert answer.status_code == 200


# -- what it costs ---------------------------------------------------------------------------------


@pytest.fixture
def reads(tracker, monkeypatch):
    """Each time that the keys are read from the store."""
    counted: list[None] = []
    keys = tracker.store.keys

    def read():
        counted.append(None)
        return keys()

    monkeypatch.setattr(tracker.store, "keys", read)
    return counted


def test_wrong_keys_do_not_load_the_store(client, keys, reads):
    for number in range(200):
        made_up = f"sus_{number:012x}_secret"
        assert call(client, "GET /api/alerts", made_up).status_code == 401
    assert len(reads) < 20


def test_right_keys_do_not_load_the_store(client, keys, reads):
    for _ in range(200):
        assert call(client, "GET /api/session", keys["viewer"]).status_code == 200
    assert len(reads) < 5


def test_a_new_key_is_known_at_once_or_a_moment_later(client, keys, tracker):
    assert call(client, "GET /api/session", keys["viewer"]).status_code == 200
    client.application.extensions[EXTENSION].admission._ring._read_at -= 0.2
    _, text = issue(tracker.store, "viewer", "new", None, None, now())
    assert call(client, "GET /api/session", str(text)).status_code == 200


def test_known_keys_stay_known_while_the_store_is_away(client, keys, tracker, monkeypatch):
    def away():
        raise StoreUnavailableError("gone")

    with monkeypatch.context() as broken:
        broken.setattr(tracker.store, "keys", away)
        assert call(client, "GET /api/session", keys["viewer"]).status_code == 503
    assert call(client, "GET /api/session", keys["viewer"]).status_code == 200
    monkeypatch.setattr(tracker.store, "keys", away)
    client.application.extensions[EXTENSION].admission._ring._read_at -= 3600
    assert call(client, "GET /api/session", keys["viewer"]).status_code == 200
    assert call(client, "GET /api/session", "sus_wrong_key").status_code == 401
