"""Who may listen over Socket.IO, and for how long: a real server and the official clients."""

from __future__ import annotations

import http.client
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone

import pytest
import requests
import socketio
import websocket

from susracker.access.issuing import issue, rotate
from susracker.plugins import open_store
from tests.server.conftest import Operator, Site

FOLLOW_SECONDS = 0.5
"""The setting `follow_seconds`, within which a revocation acts."""

FOLLOW = ("--follow-seconds", str(FOLLOW_SECONDS))

SLACK = 0.7
"""Seconds that it may take besides, on a busy machine."""


def now() -> datetime:
    return datetime.now(timezone.utc)


class Keys:
    """Keys of a site's store, made and ended as `susracker keys` does it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def make(self, role: str, name: str, expires: str | None = None) -> str:
        with open_store(self.url) as store:
            return str(issue(store, role, name, None, expires, now())[1])

    def revoke(self, key: str) -> None:
        with open_store(self.url) as store:
            store.revoke_key(key.split("_")[1], now())

    def rotate(self, key: str) -> str:
        with open_store(self.url) as store:
            return str(rotate(store, store.key(key.split("_")[1])))


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    running = Site(tmp_path_factory.mktemp("site"), *FOLLOW, enrolled=False)
    yield running
    running.server.stop()


@pytest.fixture(scope="module")
def keys(site) -> Keys:
    made = Keys(site.store_url)
    made.admin = made.make("admin", "Ada")
    made.viewer = made.make("viewer", "Vic")
    time.sleep(FOLLOW_SECONDS)
    return made


def refusal(url: str, auth: object = None, **kwargs) -> str:
    """What a client is told that is not let in."""
    client = socketio.Client(reconnection=False)
    told = []
    client.on("connect_error", told.append)
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.connect(url, auth=auth, **kwargs)
    return told[-1]["message"]


def raise_alert(site, keys, camera: str) -> None:
    body = {"camera_id": camera, "camera_location": "Hall", "event_type": "violence"}
    answer = site.post("/activity_alert", json=body, headers={"X-API-Key": keys.admin})
    assert answer.json() == {"message": "Alert sent"}


def hears(site, keys, operator: Operator, camera: str) -> bool:
    raise_alert(site, keys, camera)
    time.sleep(0.2)
    return camera in [one["camera_id"] for one in operator.all_heard("new_alert")]


def signed_in(site, key: str) -> requests.Session:
    browser = requests.Session()
    answer = browser.post(f"{site.url}/api/session", json={"key": key}, timeout=30)
    assert answer.status_code == 201
    return browser


def cookie_of(browser: requests.Session) -> dict[str, str]:
    return {"Cookie": f"susracker_session={browser.cookies['susracker_session']}"}


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


@pytest.mark.parametrize("transport", ["polling", "websocket"])
@pytest.mark.parametrize("role", ["viewer", "operator", "admin", "camera", "auditor"])
def test_those_who_may_look_at_alerts_may_listen(site, keys, role, transport):
    key = keys.make(role, f"{role} by {transport}")
    time.sleep(FOLLOW_SECONDS)
    if role in ("camera", "auditor"):
        told = refusal(site.url, {"key": key}, transports=[transport])
        assert told.startswith(f"the role '{role}' may not look at alerts")
        return
    operator = Operator(site.url, {"key": key}, transports=[transport])
    assert hears(site, keys, operator, f"heard by {role} {transport}")
    operator.client.disconnect()


@pytest.mark.parametrize("transport", ["polling", "websocket"])
@pytest.mark.parametrize("auth", [None, {}, {"key": None}, {"last_seq": 0}, "text", ["key"]])
def test_without_a_key_a_client_is_told_what_to_do(site, keys, auth, transport):
    told = refusal(site.url, auth, transports=[transport])
    assert told.startswith("a key is needed")
    assert "auth: {key:" in told


@pytest.mark.parametrize("key", ["", "sus_wrong_key", 5, ["x"], {"key": "x"}, "sus_\ud800_x"])
def test_a_wrong_key_is_refused(site, keys, key):
    assert "unknown, expired or revoked" in refusal(site.url, {"key": key})


def test_a_key_in_the_address_is_none(site, keys):
    for query in (f"?key={keys.viewer}", f"?auth={keys.viewer}&token={keys.viewer}"):
        assert refusal(site.url + query).startswith("a key is needed")


def test_the_key_may_come_in_a_header(site, keys):
    headers = {"Authorization": f"Bearer {keys.viewer}"}
    operator = Operator(site.url, headers=headers)
    operator.client.disconnect()
    assert "two different keys" in refusal(site.url, {"key": keys.admin}, headers=headers)


def test_what_is_wrong_with_last_seq_is_told(site, keys):
    assert "last_seq" in refusal(site.url, {"key": keys.viewer, "last_seq": "5"})


@pytest.mark.parametrize("namespace", ["/admin", "/live", "/*", "*", "//"])
def test_there_is_no_other_namespace(site, keys, namespace):
    for key in (None, keys.admin):
        client = socketio.Client(reconnection=False)
        client.on("*", lambda *args: None, namespace=namespace)
        with pytest.raises(socketio.exceptions.ConnectionError):
            client.connect(site.url, auth={"key": key}, namespaces=[namespace])
        client.disconnect()


def test_a_socket_that_never_asks_to_be_let_in_hears_nothing(site, keys):
    """The protocol by hand: no CONNECT, but an event and an answer at once."""
    address = site.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    socket = websocket.create_connection(address, timeout=1)
    assert socket.recv().startswith("0{")
    for packet in ('42["alert",{}]', '42["connect",{"key":"x"}]', '42["join","live"]', '430["x"]'):
        socket.send(packet)
    raise_alert(site, keys, "unheard")
    with pytest.raises(websocket.WebSocketTimeoutException):
        socket.recv()
    socket.close()


@pytest.mark.parametrize("end", ["revoke", "rotate"])
@pytest.mark.parametrize("by", ["auth", "cookie"])
def test_a_connection_ends_with_its_key(site, keys, end, by):
    key = keys.make("viewer", f"{end} {by}")
    time.sleep(FOLLOW_SECONDS)
    if by == "auth":
        operator = Operator(site.url, {"key": key})
    else:
        operator = Operator(site.url, headers=cookie_of(signed_in(site, key)))
    other = Operator(site.url, {"key": keys.viewer})
    assert hears(site, keys, operator, f"before {end} {by}")
    getattr(keys, end)(key)
    assert within(FOLLOW_SECONDS + SLACK, lambda: not operator.client.connected)
    assert other.client.connected
    assert hears(site, keys, other, f"after {end} {by}")
    assert not operator.all_heard("new_alert")
    assert refusal(site.url, {"key": key})
    other.client.disconnect()


def test_a_connection_ends_when_its_key_expires(site, keys):
    expires = (now() + timedelta(seconds=2)).isoformat()
    key = keys.make("viewer", "short", expires)
    time.sleep(FOLLOW_SECONDS)
    operator = Operator(site.url, {"key": key})
    assert operator.client.connected
    assert within(1.5 + FOLLOW_SECONDS + SLACK, lambda: not operator.client.connected)


def test_signing_out_ends_the_connections_of_that_session(site, keys):
    browser, other = signed_in(site, keys.viewer), signed_in(site, keys.viewer)
    operator = Operator(site.url, headers=cookie_of(browser))
    stays = Operator(site.url, headers=cookie_of(other))
    assert browser.delete(f"{site.url}/api/session", timeout=30).status_code == 204
    assert within(0.5, lambda: not operator.client.connected)
    assert stays.client.connected
    stays.client.disconnect()


def test_a_revocation_acts_on_requests_in_time(site, keys):
    key = keys.make("viewer", "on requests")
    headers = {"X-API-Key": key}

    def ask() -> int:
        return requests.get(f"{site.url}/api/alerts", headers=headers, timeout=30).status_code

    assert within(FOLLOW_SECONDS, lambda: ask() == 200)
    keys.revoke(key)
    time.sleep(FOLLOW_SECONDS)
    assert ask() == 401


def test_last_use_is_noted_and_not_on_each_request(site, keys):
    key = keys.make("viewer", "noted")

    def used() -> datetime | None:
        with open_store(site.store_url) as store:
            return store.key(key.split("_")[1]).last_used_at

    assert used() is None
    headers = {"X-API-Key": key}
    before = now()
    for _ in range(20):
        requests.get(f"{site.url}/api/alerts", headers=headers, timeout=30)
        time.sleep(FOLLOW_SECONDS / 10)
    noted = used()
    assert before <= noted
    time.sleep(FOLLOW_SECONDS)
    requests.get(f"{site.url}/api/alerts", headers=headers, timeout=30)
    time.sleep(FOLLOW_SECONDS)
    assert used() == noted


def test_two_headers_of_the_same_name_are_no_key(site, keys):
    host = site.url.removeprefix("http://")
    for first, second in ((keys.viewer, keys.admin), (keys.admin, "x"), (keys.admin, keys.admin)):
        connection = http.client.HTTPConnection(host, timeout=30)
        connection.putrequest("GET", "/api/alerts")
        for key in (first, second):
            connection.putheader("Authorization", f"Bearer {key}")
        connection.endheaders()
        assert connection.getresponse().status == 401
        connection.close()


def test_a_connection_without_a_key_ends_once_there_is_one(own_site):
    site = own_site(*FOLLOW, enrolled=False)
    operator = Operator(site.url)
    made = Keys(site.store_url)
    made.admin = made.make("admin", "Ada")
    assert within(FOLLOW_SECONDS + SLACK, lambda: not operator.client.connected)
    assert refusal(site.url).startswith("a key is needed")
    assert site.get("/api/alerts").status_code == 401
    assert json.loads(site.get("/healthz").text) == {"status": "ok"}


def first_word(node_client, *arguments: str) -> dict[str, str]:
    """The first thing that the official JavaScript client says."""
    client = subprocess.Popen(
        ["node", str(node_client), *arguments], stdout=subprocess.PIPE, text=True
    )
    try:
        return json.loads(client.stdout.readline())
    finally:
        client.kill()
        client.wait()
        client.stdout.close()


def test_a_panel_that_knows_nothing_of_keys(own_site, node_client):
    """`io(url)` with no options: it works on loopback, and is told what to do where it does not."""
    panel = "http://localhost:3000"
    site = own_site("--allowed-origins", panel, *FOLLOW, enrolled=False)
    assert first_word(node_client, site.url)["event"] == "connect"
    operator = Operator(site.url, headers={"Origin": panel})
    operator.client.disconnect()
    key = Keys(site.store_url).make("viewer", "panel")
    time.sleep(FOLLOW_SECONDS)
    refused = first_word(node_client, site.url)
    assert refused["event"] == "connect_error"
    assert refused["data"].startswith("a key is needed")
    assert first_word(node_client, site.url, json.dumps({"key": key}))["event"] == "connect"
    operator = Operator(site.url, {"key": key}, headers={"Origin": panel})
    operator.client.disconnect()
