"""What a browser sends on behalf of a foreign page is refused, also on loopback."""

from __future__ import annotations

import socket

import pytest
import requests
import socketio

from susracker.errors import ConfigError
from susracker.loading import make_settings
from susracker.server.hosts import Hosts
from susracker.server.origins import Origins
from tests.server.conftest import Operator, Site, SocketClient

PANEL = "http://panel.example:3000"
EVIL = "http://evil.example"


@pytest.fixture(scope="module")
def panel_site(tmp_path_factory):
    """A server that lists a panel's origin and a name of its own."""
    running = Site(
        tmp_path_factory.mktemp("panel"),
        *("--allowed-origins", PANEL, "--allowed-hosts", "cams.example"),
        enrolled=False,
    )
    yield running
    running.server.stop()


def with_host(site, host: str, path: str = "/healthz") -> requests.Response:
    return requests.get(f"{site.url}{path}", headers={"Host": host}, timeout=60)


def raw(site, request: bytes) -> bytes:
    """What the server answers to exactly these bytes."""
    host, port = site.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(4096), b""))


SOCKET_IO = "/socket.io/?EIO=4&transport=polling"


# -- Host ------------------------------------------------------------------------------------


OWN_NAMES = [
    "127.0.0.1",
    "10.1.2.3:8080",
    "[::1]:5000",
    "localhost",
    "LocalHost:5000",
    "localhost.",
]


@pytest.mark.parametrize(
    "host", [*OWN_NAMES, "cams.example", socket.gethostname(), f"{socket.gethostname()}:80"]
)
@pytest.mark.parametrize("path", ["/healthz", SOCKET_IO])
def test_the_servers_own_names_are_accepted(panel_site, host, path):
    assert with_host(panel_site, host, path).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:5000", "[evil]", "x,y"],
)
@pytest.mark.parametrize("path", ["/healthz", "/nothing", SOCKET_IO])
def test_any_other_host_is_refused_and_the_setting_named(panel_site, host, path):
    answer = with_host(panel_site, host, path)
    assert answer.status_code == 403
    assert "--allowed-hosts" in answer.json()["error"]


def test_without_a_host_only_programs_get_an_answer(panel_site):
    assert raw(panel_site, b"GET /healthz HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200")
    own = f"Origin: {panel_site.url}".encode()
    answer = raw(panel_site, b"GET /healthz HTTP/1.0\r\n" + own + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("http://cams.example", "cams.example"),
        ("cams.example:5000", "cams.example"),
        ("https://cams.example:8443/x", "cams.example"),
    ],
)
def test_what_is_no_name_of_a_host_is_refused_with_the_right_spelling(wrong, right):
    with pytest.raises(ConfigError, match=f"write {right}$"):
        Hosts(make_settings({"allowed_hosts": f"other.example, {wrong}"}))


def test_a_star_accepts_every_host():
    assert Hosts(make_settings({"allowed_hosts": "*"})).accepts("evil.example")


def test_the_name_that_the_server_listens_on_is_its_own():
    assert Hosts(make_settings({"host": "cams.example"})).accepts("cams.example:5000")


# -- Origin ----------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", [EVIL, "null", "https://panel.example:3000", "http://[", ""])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/api/criminals", "/healthz", "/face_upload", SOCKET_IO])
def test_a_foreign_origin_is_refused(panel_site, origin, method, path):
    answer = requests.request(method, panel_site.url + path, headers={"Origin": origin}, timeout=60)
    assert answer.status_code == 403
    assert "allowed_origins" in answer.json()["error"]
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_form_of_a_foreign_page_enrols_nobody(panel_site):
    answer = panel_site.post("/api/criminals", data={"name": "Jo"}, headers={"Origin": EVIL})
    assert answer.status_code == 403
    assert panel_site.get("/api/criminals").json()["criminals"] == []


@pytest.mark.parametrize("site_header", ["cross-site", "same-site"])
def test_a_form_without_an_origin_is_known_by_where_the_browser_says_it_is_from(
    panel_site, site_header
):
    headers = {"Sec-Fetch-Site": site_header}
    answer = panel_site.post("/api/criminals", data={"name": "Jo"}, headers=headers)
    assert answer.status_code == 403
    got = requests.get(panel_site.url + "/healthz", headers=headers, timeout=60)
    assert got.status_code == 200  # a link


def test_programs_pages_of_the_server_and_listed_pages_get_in(panel_site):
    for headers in ({}, {"Origin": panel_site.url}, {"Origin": PANEL}, {"Origin": PANEL.upper()}):
        answer = panel_site.post("/activity_alert", json=[], headers=headers)
        assert answer.status_code == 400, headers  # not an object
        found = requests.get(panel_site.url + SOCKET_IO, headers=headers, timeout=60)
        assert found.status_code == 200, headers


def test_a_foreign_page_opens_no_web_socket(panel_site):
    client = SocketClient()
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.connect(panel_site.url, headers={"Origin": EVIL}, transports=["websocket"])


def test_a_listed_page_hears_alerts(panel_site):
    client = SocketClient()
    client.connect(panel_site.url, headers={"Origin": PANEL})
    client.disconnect()


def test_the_log_says_once_how_to_let_an_origin_in(own_site, capfd):
    site = own_site("--allowed-origins", PANEL, enrolled=False)
    for _ in range(3):
        for origin in ("http://localhost:3000", "null"):
            requests.get(site.url + SOCKET_IO, headers={"Origin": origin}, timeout=60)
    site.server.stop()
    log = capfd.readouterr().err
    assert log.count(f"--allowed-origins {PANEL},http://localhost:3000") == 1
    assert log.count("'null'") == 1


def test_the_hint_is_safe_to_paste(panel_site):
    origin = "http://evil$(reboot).example"
    answer = requests.get(panel_site.url + "/healthz", headers={"Origin": origin}, timeout=60)
    assert "--allowed-origins ORIGIN" in answer.json()["error"]
    assert PANEL not in answer.json()["error"]


def test_a_proxy_that_ends_tls_and_is_not_listed_is_thought_of(panel_site):
    headers = {"Origin": "https://cams.example", "Host": "cams.example"}
    answer = requests.get(panel_site.url + "/healthz", headers=headers, timeout=60)
    assert answer.status_code == 403
    assert "--behind-proxy" in answer.json()["error"]


def test_a_star_lets_every_page_in_but_without_cookies(own_site):
    site = own_site("--allowed-origins", "*", enrolled=False)
    for origin in (EVIL, "null"):
        headers = {"Origin": origin}
        answer = requests.get(site.url + "/api/criminals", headers=headers, timeout=60)
        assert answer.headers["Access-Control-Allow-Origin"] in ("*", origin)
        assert "Access-Control-Allow-Credentials" not in answer.headers
        polled = requests.get(site.url + SOCKET_IO, headers=headers, timeout=60)
        assert polled.headers["Access-Control-Allow-Origin"] == origin
        assert "Access-Control-Allow-Credentials" not in polled.headers


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("localhost:3000", "http://localhost:3000"),
        ("panel.example", "http://panel.example"),
        ("http://localhost:3000/", "http://localhost:3000"),
        ("HTTPS://Panel.Example/alerts?x=1", "https://panel.example"),
        ("http://user@panel.example", "such as http://localhost:3000"),
        ("http://panel.example:port", "such as http://localhost:3000"),
        ("null", "http://null"),
    ],
)
def test_what_is_no_origin_is_refused_with_the_right_spelling(wrong, right):
    with pytest.raises(ConfigError) as caught:
        Origins(f"http://other.example,{wrong}")
    assert str(caught.value).endswith(right)


@pytest.mark.parametrize(
    ("listed", "origin"),
    [
        ("http://localhost:80", "http://localhost"),
        ("https://panel.example", "https://panel.example:443"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("http://Panel.example", "http://panel.example"),
    ],
)
def test_an_origin_is_the_same_however_it_is_written(listed, origin):
    assert Origins(listed).lists(origin)


# -- CORS ------------------------------------------------------------------------------------

PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,x-api-key,x-reason,content-type",
}


def test_a_listed_page_may_ask_and_read(panel_site):
    headers = {"Origin": PANEL, **PREFLIGHT}
    asked = requests.options(panel_site.url + "/api/criminals", headers=headers, timeout=60)
    assert asked.status_code == 200
    assert asked.headers["Access-Control-Allow-Origin"] == PANEL
    assert asked.headers["Access-Control-Allow-Credentials"] == "true"
    allowed = asked.headers["Access-Control-Allow-Headers"].lower().split(", ")
    assert {"authorization", "x-api-key", "x-reason", "content-type"} <= set(allowed)
    assert "POST" in asked.headers["Access-Control-Allow-Methods"]
    answer = requests.get(panel_site.url + "/api/criminals", headers={"Origin": PANEL}, timeout=60)
    assert answer.headers["Access-Control-Allow-Origin"] == PANEL
    assert "Origin" in answer.headers["Vary"]


def test_a_listed_ipv6_address_is_no_pattern(own_site):
    origin = "http://[::1]:3000"
    site = own_site("--allowed-origins", origin, enrolled=False)
    answer = requests.get(site.url + "/api/criminals", headers={"Origin": origin}, timeout=60)
    assert answer.headers["Access-Control-Allow-Origin"] == origin


def test_a_preflight_of_a_foreign_page_is_refused(panel_site):
    headers = {"Origin": EVIL, **PREFLIGHT}
    asked = requests.options(panel_site.url + "/api/criminals", headers=headers, timeout=60)
    assert asked.status_code == 403


# -- headers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "host"),
    [
        ("/healthz", "localhost"),
        ("/none", "localhost"),
        ("/", "evil.example"),
        ("/api/criminals/none", "localhost"),
        (SOCKET_IO, "localhost"),
    ],
)
def test_every_answer_has_the_headers(panel_site, path, host):
    headers = with_host(panel_site, host, path).headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert headers.get("Cache-Control") == ("no-store" if path.startswith("/api/") else None)
    assert "Strict-Transport-Security" not in headers
    assert "Server" not in headers


@pytest.mark.parametrize(
    ("headers", "policy"),
    [
        ({"Referer": f"{PANEL}/"}, "cross-origin"),
        ({"Origin": PANEL}, "cross-origin"),
        ({"Referer": f"{PANEL}.evil.example/"}, "same-origin"),
        ({"Referer": "nonsense"}, "same-origin"),
    ],
)
def test_a_listed_page_may_show_pictures(panel_site, headers, policy):
    answer = requests.get(panel_site.url + "/healthz", headers=headers, timeout=60)
    assert answer.headers["Cross-Origin-Resource-Policy"] == policy


def test_the_python_client_is_let_in(site):
    operator = Operator(site.url)
    assert operator.client.connected
    operator.client.disconnect()
