"""What a proxy says is believed only if it is listed."""

from __future__ import annotations

import pytest
import requests
from werkzeug.test import EnvironBuilder

from susracker.errors import ConfigError
from susracker.loading import make_settings
from susracker.server.proxies import Proxies

SAID = {
    "X-Forwarded-For": "6.6.6.6, 198.51.100.7",
    "X-Forwarded-Proto": "http, https",
    "X-Forwarded-Host": "evil.example, cams.example",
}


def seen(listed: str, peer: str, said: dict[str, str] = SAID) -> tuple[str, str, str]:
    """Address, scheme and host as the application sees them."""
    found = []

    def app(environ, start_response):
        found.append((environ["REMOTE_ADDR"], environ["wsgi.url_scheme"], environ["HTTP_HOST"]))
        return []

    environ = EnvironBuilder(headers={"Host": "node-a", **said}).get_environ()
    Proxies(app, listed)(environ | {"REMOTE_ADDR": peer}, lambda *args: None)
    return found[0]


@pytest.mark.parametrize("peer", ["10.0.0.7", "::ffff:10.0.0.7", "fd00::5"])
def test_only_the_last_word_of_a_listed_proxy_counts(peer):
    listed = "10.0.0.0/24, fd00::/8"
    assert seen(listed, peer) == ("198.51.100.7", "https", "cams.example")


@pytest.mark.parametrize("client", ['"', '"6.6.6.6', '6.6.6.6, "', '\\"'])
def test_a_quotation_mark_of_the_client_hides_nothing_that_the_proxy_says(client):
    said = {name: f"{client}, {value}" for name, value in SAID.items()}
    assert seen("10.0.0.7", "10.0.0.7", said) == ("198.51.100.7", "https", "cams.example")


@pytest.mark.parametrize(("listed", "peer"), [("10.0.0.0/24", "10.0.1.7"), ("", "127.0.0.1")])
def test_nobody_else_is_believed(listed, peer):
    assert seen(listed, peer) == (peer, "http", "node-a")


def test_what_a_proxy_does_not_say_stays_as_it_is():
    assert seen("10.0.0.7", "10.0.0.7", {}) == ("10.0.0.7", "http", "node-a")


def test_what_is_no_network_is_refused():
    with pytest.raises(ConfigError, match="behind_proxy"):
        make_settings({"behind_proxy": "10.0.0.0/24, nginx"})


@pytest.mark.parametrize(("flags", "status"), [(("--behind-proxy", "127.0.0.1"), 200), ((), 403)])
def test_a_page_behind_tls_of_a_proxy_is_the_servers_own_if_it_is_listed(own_site, flags, status):
    site = own_site(*flags, "--allowed-hosts", "cams.example", enrolled=False)
    headers = {"Host": "node-a.example", "Origin": "https://cams.example"}
    for path in ("/healthz", "/socket.io/?EIO=4&transport=polling"):
        answer = requests.get(site.url + path, headers=headers | SAID, timeout=60)
        assert answer.status_code == status
        assert ("Strict-Transport-Security" in answer.headers) == (status == 200)
