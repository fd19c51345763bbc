"""Who may listen over Socket.IO, and for how long: a real server and the official clients."""

from __future__ import annotations

import http.client
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import requests
import socketio
import websocket

from susracker.access.issuing import issue, rotate
from susracker.plugins import open_store
from susracker.runtime.clock import to_microseconds, utc_now
from susracker.stores.sqlite.database import Database
from tests.server.conftest import Operator, Site, SocketClient
from tests.waiting import PATIENCE, wait_until

FOLLOW_SECONDS = 0.5
"""The setting `follow_seconds`, within which a revocation acts."""

FOLLOW = ("--follow-seconds", str(FOLLOW_SECONDS))

IN_TIME = 10.0
"""Seconds within which a revocation must have acted, with these settings. A busy machine may be
slow, but what waits for a client to answer a ping takes 25 s."""


class Keys:
    """Keys of a site's store, made and ended as `susracker keys` does it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def make(self, role: str, name: str) -> str:
        with open_store(self.url) as store:
            return str(issue(store, role, name, None, None, utc_now())[1])

    def revoke(self, key: str) -> None:
        with open_store(self.url) as store:
            store.revoke_key(key.split("_")[1], utc_now())

    def rotate(self, key: str) -> str:
        with open_store(self.url) as store:
            return str(rotate(store, store.key(key.split("_")[1])))

    def let_expire(self, key: str, at: datetime) -> None:
        """Change when a key expires, which no command does."""
        sql = "UPDATE keys SET expires_at = ? WHERE id = ?"
        file = Path(self.url.removeprefix("sqlite:///"))
        with closing(Database(file)) as database, database.writing() as connection:
            connection.execute(sql, (to_microseconds(at), key.split("_")[1]))


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
    wait_until_keys_are_asked_for(site)
    return made


def wait_until_keys_are_asked_for(site: Site) -> None:
    assert wait_until(lambda: site.get("/api/alerts").status_code == 401)


def look(site: Site, key: str) -> int:
    """The status of a look at the alerts with a key."""
    headers = {"X-API-Key": key}
    return requests.get(f"{site.url}/api/alerts", headers=headers, timeout=PATIENCE).status_code


def wait_until_known(site: Site, key: str) -> None:
    """A key that was just made is accepted a moment later."""
    assert wait_until(lambda: look(site, key) != 401)


def refusal(url: str, auth: object = None, **kwargs) -> str:
    """What a client is told that is not let in."""
    client = SocketClient()
    told = []
    client.on("connect_error", told.append)
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.connect(url, auth=auth, **kwargs)
    return told[-1]["message"]


def raise_alert(site, keys, camera: str) -> None:
    body = {"camera_id": camera, "camera_location": "Hall", "event_type": "violence"}
    answer = site.post("/activity_alert", json=body, headers={"X-API-Key": keys.admin})
    assert answer.json() == {"message": "Alert sent"}


def hear(site, keys, operator: Operator, camera: str) -> None:
    """Raise an alert, and wait until an operator hears it."""
    raise_alert(site, keys, camera)
    while operator.next("new_alert")["camera_id"] != camera:
        pass


def signed_in(site, key: str) -> requests.Session:
    browser = requests.Session()
    answer = browser.post(f"{site.url}/api/session", json={"key": key}, timeout=60)
    assert answer.status_code == 201
    return browser


def cookie_of(browser: requests.Session) -> dict[str, str]:
    return {"Cookie": f"susracker_session={browser.cookies['susracker_session']}"}


def is_cut_off(operator: Operator) -> bool:
    return wait_until(lambda: not operator.client.connected, IN_TIME)


@pytest.mark.parametrize("transport", ["polling", "websocket"])
@pytest.mark.parametrize("role", ["viewer", "operator", "admin", "camera", "auditor"])
def test_those_who_may_look_at_alerts_may_listen(site, keys, role, transport):
    key = keys.make(role, f"{role} by {transport}")
    wait_until_known(site, key)
    if role in ("camera", "auditor"):
        told = refusal(site.url, {"key": key}, transports=[transport])
        assert told.startswith(f"the role '{role}' may not look at alerts")
        return
    operator = Operator(site.url, {"key": key}, transports=[transport])
    hear(site, keys, operator, f"heard by {role} {transport}")
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
        client, auth = SocketClient(), {"key": key}
        client.on("*", lambda *args: None, namespace=namespace)
        # A name that is none is not answered.
        with pytest.raises(socketio.exceptions.ConnectionError):
            client.connect(site.url, 1, auth=auth, namespaces=[namespace])
        client.disconnect()


def test_a_socket_that_never_asks_to_be_let_in_hears_nothing(site, keys):
    """The protocol by hand: no CONNECT, but an event and an answer at once."""
    address = site.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    socket = websocket.create_connection(address, timeout=PATIENCE)
    assert socket.recv().startswith("0{")
    for packet in ('42["alert",{}]', '42["connect",{"key":"x"}]', '42["join","live"]', '430["x"]'):
        socket.send(packet)
    raise_alert(site, keys, "unheard")
    socket.settimeout(1)
    with pytest.raises(websocket.WebSocketTimeoutException):
        socket.recv()
    socket.close()


@pytest.mark.parametrize("end", ["revoke", "rotate"])
@pytest.mark.parametrize("by", ["auth", "cookie"])
def test_a_connection_ends_with_its_key(site, keys, end, by):
    key = keys.make("viewer", f"{end} {by}")
    wait_until_known(site, key)
    if by == "auth":
        operator = Operator(site.url, {"key": key})
    else:
        operator = Operator(site.url, headers=cookie_of(signed_in(site, key)))
    other = Operator(site.url, {"key": keys.viewer})
    hear(site, keys, operator, f"before {end} {by}")
    getattr(keys, end)(key)
    assert is_cut_off(operator)
    assert other.client.connected
    hear(site, keys, other, f"after {end} {by}")
    assert not operator.all_heard("new_alert")
    assert refusal(site.url, {"key": key})
    other.client.disconnect()


def test_a_client_that_answers_nothing_is_cut_off_with_its_key(site, keys):
    """It does not close its WebSocket when the server has."""
    key = keys.make("viewer", "mute")
    wait_until_known(site, key)
    address = site.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    mute = websocket.create_connection(address, timeout=PATIENCE)
    mute.recv()
    mute.send("40" + json.dumps({"key": key}))
    assert mute.recv().startswith("40")
    keys.revoke(key)
    mute.sock.settimeout(IN_TIME)
    received = b""
    while part := mute.sock.recv(1000):
        received += part
    assert b"\x81\x0241" in received, "it was not told"
    mute.shutdown()


def test_a_connection_ends_when_its_key_expires(site, keys):
    key = keys.make("viewer", "short")
    wait_until_known(site, key)
    operator = Operator(site.url, {"key": key})
    keys.let_expire(key, utc_now() + timedelta(seconds=1))
    assert is_cut_off(operator)
    assert refusal(site.url, {"key": key})


def test_signing_out_ends_the_connections_of_that_session(site, keys):
    browser, other = signed_in(site, keys.viewer), signed_in(site, keys.viewer)
    operator = Operator(site.url, headers=cookie_of(browser))
    stays = Operator(site.url, headers=cookie_of(other))
    assert browser.delete(f"{site.url}/api/session", timeout=60).status_code == 204
    assert is_cut_off(operator)
    assert stays.client.connected
    stays.client.disconnect()


def test_a_revocation_acts_on_requests_in_time(site, keys):
    key = keys.make("viewer", "on requests")
    wait_until_known(site, key)
    keys.revoke(key)
    assert wait_until(lambda: look(site, key) == 401, IN_TIME)


def test_last_use_is_noted_and_not_on_each_request(site, keys):
    key = keys.make("viewer", "noted")

    def used() -> datetime | None:
        with open_store(site.store_url) as store:
            return store.key(key.split("_")[1]).last_used_at

    assert used() is None
    before = utc_now()
    wait_until_known(site, key)
    assert wait_until(lambda: used() is not None)
    noted = used()
    assert before <= noted
    for _ in range(10):
        look(site, key)
        time.sleep(FOLLOW_SECONDS / 5)
    assert used() == noted


def test_two_headers_of_the_same_name_are_no_key(site, keys):
    host = site.url.removeprefix("http://")
    for first, second in ((keys.viewer, keys.admin), (keys.admin, "x"), (keys.admin, keys.admin)):
        connection = http.client.HTTPConnection(host, timeout=60)
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
    assert is_cut_off(operator)
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
    wait_until_keys_are_asked_for(site)
    refused = first_word(node_client, site.url)
    assert refused["event"] == "connect_error"
    assert refused["data"].startswith("a key is needed")
    assert first_word(node_client, site.url, json.dumps({"key": key}))["event"] == "connect"
    operator = Operator(site.url, {"key": key}, headers={"Origin": panel})
    operator.client.disconnect()
