"""How much one client may ask for, at once and over time."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest
import requests
import socketio
import websocket

from susracker.access.issuing import issue
from susracker.errors import ConfigError, RateLimitError
from susracker.loading import make_settings
from susracker.plugins import open_store
from susracker.runtime.clock import utc_now
from susracker.server.body import MAX_PARTS
from susracker.server.descriptors import possible_connections
from susracker.server.limits import RateLimit
from tests.server.conftest import Operator, SocketClient
from tests.services.servers import redis_url, start_redis
from tests.torture.processes import needs_proc
from tests.torture.site import Site as RunningSite
from tests.waiting import wait_until

SLOW = "3 per day"


def limit(**values: str) -> RateLimit:
    return RateLimit(make_settings({"rate_limit": SLOW, **values}))


def within(counted: RateLimit, who: str) -> bool:
    try:
        counted.check(who)
    except RateLimitError:
        return False
    return True


def test_each_client_is_counted_by_itself():
    counted = limit()
    assert [within(counted, "a") for _ in range(5)] == [True] * 3 + [False] * 2
    assert within(counted, "b")


def test_a_new_window_begins_from_nothing():
    counted = limit(rate_limit="1 per second")
    while not within(counted, "a") or within(counted, "a"):
        pass  # until one window has had two
    time.sleep(1.01)
    assert within(counted, "a")


@pytest.mark.parametrize("rate", ["often", "", "5", "5 per blink"])
def test_what_is_no_rate_is_refused(rate):
    with pytest.raises(ConfigError, match=r"rate_limit: .* is no rate such as"):
        limit(rate_limit=rate)


@pytest.mark.parametrize("url", ["memory", "nothing://", "redis://:secret@[/0"])
def test_what_counts_nowhere_is_refused_without_its_password(url):
    with pytest.raises(ConfigError, match="limits: must be") as caught:
        limit(limits=url)
    assert "secret" not in str(caught.value)


def test_servers_that_share_a_redis_count_together_and_alone_without_it(tmp_path, caplog):
    redis = start_redis(tmp_path)
    one, other = (limit(limits=redis_url(redis)) for _ in range(2))
    assert [within(counted, "a") for counted in (one, other, one, other)] == [True] * 3 + [False]
    assert other.problem is None
    redis.kill()
    assert [within(other, "a") for _ in range(4)] == [True] * 3 + [False]
    assert "each server counts by itself" in other.problem
    assert len(caplog.records) == 1
    redis.start()
    assert wait_until(lambda: counts_together(other))
    redis.kill()


def counts_together(counted: RateLimit) -> bool:
    within(counted, "b")
    return counted.problem is None


def test_counting_in_memory_starts_no_thread():
    """As the storage of `limits` does, which takes longer than all the rest of a check."""
    before, counted = set(threading.enumerate()), limit(rate_limit="1000000 per second")
    for number in range(10_000):
        counted.check(f"address 10.0.0.{number % 200}")
        assert set(threading.enumerate()) <= before


@pytest.fixture
def limited(own_site):
    return own_site("--rate-limit", SLOW, enrolled=False)


def test_who_asks_too_often_is_told_when_to_come_back(own_site, tmp_path):
    with open_store(f"sqlite:///{tmp_path / 'site.db'}") as store:
        keys = [issue(store, "viewer", name, None, None, utc_now())[1] for name in ("Vic", "Val")]
    limited = own_site("--rate-limit", SLOW, enrolled=False)

    def ask(key: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {key}"}
        return requests.get(f"{limited.url}/api/cameras", headers=headers, timeout=60)

    assert [ask(keys[0]).status_code for _ in range(5)] == [200] * 3 + [429] * 2
    refused = ask(keys[0])
    assert 0 < int(refused.headers["Retry-After"]) <= 86_400
    assert refused.json()["error"].startswith("too many requests: the limit is 3 per 1 day")
    assert refused.headers["X-Content-Type-Options"] == "nosniff"
    assert ask(keys[1]).status_code == 200
    assert [limited.get("/healthz").status_code for _ in range(4)] == [200] * 3 + [429]


def test_who_opens_socket_io_connections_too_often_is_told_too(limited):
    path = "/socket.io/?EIO=4&transport=polling"
    opened = [limited.get(path) for _ in range(4)]
    assert [one.status_code for one in opened] == [200] * 3 + [429]
    assert int(opened[3].headers["Retry-After"]) > 0
    sid = json.loads(opened[0].text[1:])["sid"]
    assert limited.post(f"{path}&sid={sid}", data="40").status_code == 200


# -- what one request may hold ---------------------------------------------------------------


def nested(depth: int) -> bytes:
    return b'{"a":' * (depth - 1) + b"[]" + b"}" * (depth - 1)


@pytest.mark.parametrize("path", ["/activity_alert", "/api/detections", "/api/criminals"])
def test_every_route_refuses_what_is_too_deep(site, path):
    answer = site.post(path, data=nested(33), headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert "32 levels" in answer.json()["error"]


def test_a_form_has_so_many_parts_at_most(site):
    files = [("file", (f"{n}.jpg", b"x", "image/jpeg")) for n in range(MAX_PARTS + 1)]
    answer = site.post("/api/criminals", data={"name": "Jo"}, files=files)
    assert answer.status_code == 413
    assert answer.json()["error"] == "a form has at most 1,000 fields and files"
    fields = "&".join(["name=Jo"] * (MAX_PARTS + 1))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert site.post("/api/criminals", data=fields, headers=headers).status_code == 413


# -- Socket.IO -------------------------------------------------------------------------------


def test_one_client_too_many_is_told_why_and_let_in_once_another_leaves(own_site):
    site = own_site("--max-clients", "2", enrolled=False)
    first, second = Operator(site.url), Operator(site.url)
    told = []
    third = SocketClient()
    third.on("connect_error", told.append)
    with pytest.raises(socketio.exceptions.ConnectionError):
        third.connect(site.url)
    assert told == [{"message": "the server has 2 clients, as many as max_clients allows"}]
    first.client.disconnect()
    assert wait_until(lambda: is_let_in(site))
    second.client.disconnect()


def is_let_in(site) -> bool:
    try:
        Operator(site.url).client.disconnect()
    except socketio.exceptions.ConnectionError:
        return False
    return True


@contextmanager
def engine_io(site) -> Iterator[websocket.WebSocket]:
    address = site.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    connection = websocket.create_connection(address, timeout=60)
    try:
        assert json.loads(connection.recv()[1:])["maxPayload"] == 64_000
        yield connection
    finally:
        # `close` leaves the socket open if the server was the first to close the connection.
        connection.shutdown()


def ends(connection: websocket.WebSocket) -> bool:
    try:
        while connection.recv():
            pass
    except websocket.WebSocketTimeoutException:
        return False
    except (websocket.WebSocketException, ConnectionError):
        pass
    return True


def test_a_message_of_more_than_64_kb_ends_the_connection(site):
    with engine_io(site) as connection:
        connection.send("40" + json.dumps({"x": "y" * 60_000}))
        assert connection.recv().startswith("40")
        connection.send("42" + json.dumps(["x", "y" * 70_000]))
        assert ends(connection)


def test_more_connections_than_allowed_wait(own_site):
    site = own_site("--max-connections", "1", enrolled=False)
    with engine_io(site), pytest.raises(requests.Timeout):
        requests.get(f"{site.url}/healthz", timeout=1)
    assert requests.get(f"{site.url}/healthz", timeout=60).status_code == 200


def test_connections_are_bounded_by_what_the_system_lets_open(caplog):
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert possible_connections(10, 1000) == 10
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (400, before[1]))
        assert possible_connections(500, 100) == 500
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 800
        assert caplog.text == ""
        if before[1] != resource.RLIM_INFINITY:
            assert possible_connections(before[1], 100) == before[1] - 300
            assert possible_connections(before[1], before[1]) == (before[1] - 200) // 2
            assert f"ulimit -n {2 * before[1] + 200}" in caplog.text
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@needs_proc
def test_operators_cannot_use_up_the_descriptors(tmp_path):
    """Each of their connections takes two of them. Those beyond what is possible wait."""
    limited = ["sh", "-c", 'ulimit -n 230; exec "$@"', "sh"]
    with ExitStack() as stack, RunningSite(tmp_path, prefix=limited) as site:
        operators = [stack.enter_context(closing(websocket.WebSocket())) for _ in range(15)]
        for one in operators:
            one.settimeout(60)
            one.connect(f"ws://127.0.0.1:{site.port}/socket.io/?EIO=4&transport=websocket")
            one.send("40")  # as long as they are not let in, they make room for others
            while not one.recv().startswith("40"):
                pass
        waits = stack.enter_context(socket.create_connection(("127.0.0.1", site.port)))
        waits.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        waits.settimeout(0.5)
        with pytest.raises(TimeoutError):
            waits.recv(100)
        operators[0].close()
        waits.settimeout(60)
        assert waits.recv(100).startswith(b"HTTP/1.1 200")
        assert not site.log_holds("Too many open files")
