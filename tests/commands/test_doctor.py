"""`susracker doctor` finds what would go wrong, and says what to do."""

from __future__ import annotations

import json
import socket
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from click.testing import CliRunner

from susracker.access.issuing import issue
from susracker.cli import main
from susracker.commands import checkups
from susracker.plugins import open_store
from susracker.testing.records import activity
from tests.certificates import make_certificate


@pytest.fixture
def url(tmp_path):
    url = f"sqlite:///{tmp_path / 'site.db'}"
    open_store(url).close()
    return url


def doctor(url: str, *flags: str) -> tuple[int, dict[str, list[tuple[str, str]]]]:
    """The exit status, and what was found by part."""
    args = ["doctor", "--json", "--store", url, "--port", "0", *flags]
    result = CliRunner().invoke(main, args, catch_exceptions=False)
    found: dict[str, list[tuple[str, str]]] = {}
    for one in json.loads(result.output):
        found.setdefault(one["what"], []).append((one["state"], one["text"]))
    return result.exit_code, found


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
    assert "susracker keys create --role admin" in told[0]
    assert "--cert" in told[1]


def test_keys_that_end_soon_are_named(url):
    now = datetime.now(timezone.utc)
    with open_store(url) as store:
        issue(store, "viewer", "control room", None, (now + timedelta(days=3)).isoformat(), now)
    _, found = doctor(url)
    assert [state for state, _ in found["keys"]] == ["ok", "warning"]
    assert "control room" in found["keys"][1][1]


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


def test_a_password_is_not_shown(url):
    _, found = doctor(url, "--cooldown", "redis://:secret@localhost:1/0")
    assert "secret" not in json.dumps(found)
