"""`susracker doctor` finds what would go wrong, and says what to do."""

from __future__ import annotations

import json
import socket
import ssl
import sys
import threading
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from susracker.access.issuing import issue
from susracker.cli import main
from susracker.commands import checkups
from susracker.plugins import open_store
from susracker.stores.outbox import ChannelState, DeadLetter
from susracker.testing.records import activity
from tests.certificates import make_certificate
from tests.delivery.web import WebServer


@pytest.fixture
def url(tmp_path):
    url = f"sqlite:///{tmp_path / 'site.db'}"
    open_store(url).close()
    return url


@pytest.fixture
def web():
    server = WebServer()
    yield server
    server.close()


def doctor(url: str, *flags: str) -> tuple[int, dict[str, list[tuple[str, str]]]]:
    """The exit status, and what was found by part."""
    args = ["doctor", "--json", "--store", url, "--port", "0", *flags]
    result = CliRunner().invoke(main, args, catch_exceptions=False)
    found: dict[str, list[tuple[str, str]]] = {}
    for one in json.loads(result.output):
        found.setdefault(one["what"], []).append((one["state"], one["text"]))
    return result.exit_code, found


HOOK = """
[channels.hook]
kind = "webhook"
url = "http://127.0.0.1:{port}/hook"
secrets = ["whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"]
allow_private = {allowed}

[[rules]]
to = "hook"
"""


def doctor_of(folder: Path, url: str, tables: str) -> tuple[int, dict[str, list[tuple[str, str]]]]:
    """What is found with tables of channels and rules."""
    (folder / "site.toml").write_text(tables)
    args = ["--config", str(folder / "site.toml"), "doctor", "--json", "--store", url]
    result = CliRunner().invoke(main, [*args, "--port", "0"], catch_exceptions=False)
    told: dict[str, list[tuple[str, str]]] = {}
    for one in json.loads(result.output):
        told.setdefault(one["what"], []).append((one["state"], one["text"]))
    return result.exit_code, told


def test_a_receiver_that_can_be_reached_is_sent_nothing(url, tmp_path, web):
    status, found = doctor_of(tmp_path, url, HOOK.format(port=web.port, allowed="true"))
    assert (status, found["channel hook"][0][0]) == (0, "ok")
    assert "deliveries test hook" in found["channel hook"][0][1]
    assert web.posts == []


def test_a_receiver_that_cannot_be_reached(url, tmp_path):
    status, found = doctor_of(tmp_path, url, HOOK.format(port=1, allowed="true"))
    ((state, text),) = found["channel hook"]
    assert (status, state) == (1, "problem")
    assert text.startswith("no connection to http://127.0.0.1:1: ")


def test_a_receiver_inside_the_network_has_to_be_allowed(url, tmp_path, web):
    status, found = doctor_of(tmp_path, url, HOOK.format(port=web.port, allowed="false"))
    assert (status, found["channel hook"][0][0]) == (1, "problem")
    assert "allow_private = true" in found["channel hook"][0][1]


def test_a_receiver_whose_certificate_is_not_trusted(url, tmp_path):
    files = make_certificate(tmp_path, "receiver")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.cert, files.key)
    receiver = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    receiver.socket = context.wrap_socket(receiver.socket, server_side=True)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    tables = HOOK.format(port=receiver.server_port, allowed="true").replace("http:", "https:")
    status, found = doctor_of(tmp_path, url, tables)
    assert (status, found["channel hook"][0][0]) == (1, "problem")
    assert "not trusted" in found["channel hook"][0][1]
    trusted = tables.replace("allow_private", f'ca = "{files.cert}"\nallow_private')
    status, found = doctor_of(tmp_path, url, trusted)
    assert (status, found["channel hook"][0][0]) == (0, "ok")
    receiver.shutdown()
    receiver.server_close()


def test_people_whose_address_is_wrong(url, tmp_path):
    tables = '[channels.jo]\nkind = "notify"\nurls = ["{}"]\n[[rules]]\nto = "jo"\n'
    status, found = doctor_of(tmp_path, url, tables.format("no-such://secret@host"))
    assert (status, found["channel jo"][0][0]) == (1, "problem")
    assert "secret" not in found["channel jo"][0][1]
    status, found = doctor_of(tmp_path, url, tables.format("json://127.0.0.1:1"))
    assert (status, found["channel jo"][0][0]) == (0, "ok")


def test_a_channel_that_is_paused_and_its_dead_letters(url, tmp_path, web):
    with open_store(url) as store:
        letter = DeadLetter(1, 1, "answers 400", datetime.now(timezone.utc))
        state = store.add_channel(ChannelState("hook", 0))
        store.put_channel(replace(state, paused="maintenance"), add=(letter,))
    status, found = doctor_of(tmp_path, url, HOOK.format(port=web.port, allowed="true"))
    assert status == 0
    _, paused, letters = found["channel hook"]
    assert paused[0] == letters[0] == "warning"
    assert "deliveries resume hook" in paused[1]
    assert "deliveries retry" in letters[1]


def test_rules_that_are_wrong(url, tmp_path):
    status, found = doctor_of(tmp_path, url, '[[rules]]\nto = "nobody"\n')
    assert (status, found["channels"][0][0]) == (1, "problem")


def test_proxies_that_are_everyone(url):
    _, found = doctor(url, "--behind-proxy", "10.0.0.0/8")
    assert found["proxies"][0][0] == "warning"
    _, found = doctor(url, "--behind-proxy", "10.0.0.0/24")
    assert found["proxies"][0][0] == "ok"


def states(found: dict[str, Any]) -> set[str]:
    return {state for several in found.values() for state, _ in several}


def test_a_set_up_that_works(url):
    status, found = doctor(url)
    assert status == 0
    assert "problem" not in states(found)
    assert found["recognition"][0][0] == found["store"][0][0] == found["address"][0][0] == "ok"


def test_a_table_for_people(url):
    result = CliRunner().invoke(main, ["doctor", "--store", url, "--port", "0"])
    assert result.exit_code == 0
    assert "recognition" in result.output


def test_a_store_that_is_not_there_is_not_created(tmp_path):
    status, found = doctor(f"sqlite:///{tmp_path / 'new.db'}")
    assert status == 0
    assert found["store"][0][0] == "warning"
    assert not (tmp_path / "new.db").exists()


def test_what_is_no_store(tmp_path):
    (tmp_path / "notes.db").write_text("no database, but long enough to be read as one" * 100)
    status, found = doctor(f"sqlite:///{tmp_path / 'notes.db'}")
    assert status == 1
    assert ("problem", "store") in {(several[0][0], what) for what, several in found.items()}


def test_a_cooldown_that_is_unavailable(url):
    status, found = doctor(url, "--cooldown", "redis://localhost:1/0")
    assert (status, found["cooldown"][0][0]) == (0, "warning")
    assert "Redis is unavailable" in found["cooldown"][0][1]


def test_the_network_needs_a_key_and_tls(url):
    status, found = doctor(url, "--host", "0.0.0.0")
    assert status == 1
    told = [text for _, text in found["access"]]
    assert told[0].endswith(f": susracker keys create --role admin --name NAME --store {url}")
    files = "--cert CERT.pem --key KEY.pem"
    assert f": susracker serve --host 0.0.0.0 {files} --store {url} (or" in told[1]


def test_keys_that_end_soon_are_named(url):
    now = datetime.now(timezone.utc)
    with open_store(url) as store:
        issue(store, "viewer", "control room", None, (now + timedelta(days=3)).isoformat(), now)
    _, found = doctor(url)
    assert [state for state, _ in found["keys"]] == ["ok", "warning"]
    assert "control room" in found["keys"][1][1]
    assert f". susracker keys create --store {url} makes others" in found["keys"][1][1]


def test_a_port_that_is_in_use(url):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        _, found = doctor(url, "--port", str(taken.getsockname()[1]))
    assert found["address"][0][0] == "warning"


def test_a_host_that_is_none_of_ours(url):
    status, found = doctor(url, "--host", "no-such-host.invalid")
    assert (status, found["address"][0][0]) == (1, "problem")


def test_a_wrong_setting_is_a_finding(url):
    status, found = doctor(url, "--rate-limit", "often")
    assert status == 1
    assert "rate_limit" in found["access"][0][1]


def test_records_of_the_future_mean_a_wrong_clock(url):
    later = datetime.now(timezone.utc) + timedelta(hours=2)
    with open_store(url) as store:
        store.record([], [activity(received_at=later)])
    status, found = doctor(url)
    assert status == 1
    assert found["clock"][0][0] == "problem"
    assert "in the future" in found["clock"][0][1]


def test_a_certificate_that_ends_soon(url, tmp_path):
    files = make_certificate(tmp_path, "site")
    status, found = doctor(url, "--cert", str(files.cert), "--key", str(files.key))
    assert (status, found["certificate"][0][0]) == (0, "warning")
    assert "renew it" in found["certificate"][0][1]
    status, found = doctor(url, "--cert", str(files.cert))
    assert (status, found["certificate"][0][0]) == (1, "problem")


def test_a_full_disk(url, monkeypatch):
    monkeypatch.setattr(checkups, "NO_SPACE", 1e30)
    status, found = doctor(url)
    assert (status, found["disk of store"][0][0]) == (1, "problem")


def test_a_home_of_nobody_is_a_finding():
    _, found = doctor("sqlite:///~nobody-of-that-name/site.db")
    assert found["disk"] == [("problem", found["disk"][0][1])]
    assert "name of no user" in found["disk"][0][1]


def test_a_password_is_not_shown(url):
    _, found = doctor(url, "--cooldown", "redis://:secret@localhost:1/0")
    assert "secret" not in json.dumps(found)


def test_a_collector_of_traces_is_looked_for(url, web, monkeypatch):
    assert "traces" not in doctor(url)[1]
    endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT"
    monkeypatch.setenv(endpoint, f"http://user:secret@127.0.0.1:{web.port}")
    ((state, text),) = doctor(url)[1]["traces"]
    assert (state, "can be reached" in text, "secret" in text) == ("ok", True, False)
    assert not web.posts
    monkeypatch.setenv(endpoint, "http://127.0.0.1:9")
    ((state, text),) = doctor(url)[1]["traces"]
    assert (state, "no connection to the collector" in text) == ("warning", True)
    monkeypatch.setenv(endpoint, "http://127.0.0.1:99999")
    ((state, text),) = doctor(url)[1]["traces"]
    assert (state, "is not the URL of a collector" in text) == ("problem", True)
    monkeypatch.setenv(endpoint, "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.delitem(sys.modules, "susracker.server.spans", raising=False)
    found = doctor(url)[1]
    ((state, text),) = found["traces"]
    assert (state, "pip install 'susracker[otel]'" in text) == ("problem", True)
