"""`susracker keys`, and what `susracker serve` asks for, as they are typed."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from datetime import datetime, timedelta, timezone

import pytest
import requests
from click.testing import CliRunner

from susracker.access.keys import parse_key
from susracker.cli import main
from susracker.client import Camera
from susracker.demo.process import ServerProcess
from susracker.plugins import open_store
from tests.pictures import HOPPER


@pytest.fixture
def url(tmp_path):
    url = f"sqlite:///{tmp_path / 'site.db'}"
    open_store(url).close()
    return url


@pytest.fixture
def run(url):
    def run(*args: str, status: int = 0, **kwargs):
        result = CliRunner().invoke(main, ["keys", *args, "--store", url], **kwargs)
        assert result.exit_code == status, result.output
        return result

    return run


def stored(url):
    with open_store(url) as store:
        return store.keys()


def test_the_key_is_printed_once_and_not_stored(run, url, tmp_path):
    made = run("create", "--role", "viewer", "--name", "Jo Doe")
    text = made.stdout.strip()
    (key,) = stored(url)
    assert parse_key(text).id == key.id
    assert parse_key(text).has_digest(key.digest)
    assert "not shown again" in made.stderr
    assert text not in run("list").output + run("list", "--json").output
    secret = parse_key(text).secret.encode()
    for file in tmp_path.iterdir():
        assert secret not in file.read_bytes()


def test_create_as_json(run):
    expires = "2099-12-31"
    arguments = ("--role", "camera", "--name", "gate", "--cameras", "gate-*", "--expires", expires)
    made = json.loads(run("create", *arguments, "--json").stdout)
    names = ["id", "key", "name", "role", "cameras", "created_at", "expires_at"]
    assert list(made) == names
    assert parse_key(made["key"]).id == made["id"]
    assert (made["name"], made["role"], made["cameras"]) == ("gate", "camera", "gate-*")
    assert made["expires_at"].startswith("2099-12-31T23:59:59")
    assert datetime.fromisoformat(made["created_at"]).tzinfo


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--role", "admin", "--cameras", "gate-*"), "leave --cameras out"),
        (("--role", "camera", "--cameras", ""), "cameras: "),
        (("--role", "viewer", "--expires", "2020-01-01"), "is in the past"),
        (("--role", "viewer", "--expires", "soon"), "must be ISO 8601"),
        (("--role", "viewer", "--expires", "2099-01-01T12:00:00"), "must have a time zone"),
        (("--role", "king"), "'king' is not one of"),
        (("--role", "viewer", "--name", ""), "name: "),
        (("--role", "viewer", "--name", "a\nb"), "control characters"),
    ],
)
def test_what_cannot_be_a_key(run, url, arguments, told):
    assert told in run("create", "--name", "x", *arguments, status=2).output
    assert stored(url) == []


def test_a_name_is_free_again_once_its_key_was_revoked(run, url):
    run("create", "--role", "viewer", "--name", "Jo")
    taken = run("create", "--role", "viewer", "--name", "Jo", status=1)
    assert "already a key with the name 'Jo'" in taken.output
    run("revoke", "Jo", "--yes")
    run("create", "--role", "admin", "--name", "Jo")
    assert [key.revoked_at is None for key in stored(url)] == [False, True]
    # The name now means the key that is valid.
    run("revoke", "Jo", "--yes")
    assert all(key.revoked_at for key in stored(url))


def test_revoke_asks_first(run, url):
    run("create", "--role", "viewer", "--name", "Jo")
    run("revoke", "Jo", input="n\n", status=1)
    assert stored(url)[0].revoked_at is None
    run("revoke", "Jo", input="y\n")
    (key,) = stored(url)
    assert datetime.now(timezone.utc) - key.revoked_at < timedelta(minutes=1)
    assert "revoked" in run("list").output


def test_rotate_replaces_the_secret_of_the_same_key(run, url):
    old = parse_key(run("create", "--role", "viewer", "--name", "Jo").stdout)
    new = parse_key(run("rotate", old.id).stdout)
    (key,) = stored(url)
    assert (new.id, key.name) == (old.id, "Jo")
    assert new.has_digest(key.digest)
    assert not old.has_digest(key.digest)
    assert json.loads(run("rotate", "Jo", "--json").stdout)["id"] == old.id
    run("revoke", "Jo", "--yes")
    assert "was revoked" in run("rotate", "Jo", status=1).output


@pytest.mark.parametrize("command", ["rotate", "revoke"])
def test_a_key_that_is_not_there(run, command):
    assert "no key has the id or the name 'Eve'" in run(command, "Eve", status=1).output


def test_list_shows_state_and_use(run, url):
    create = f"susracker keys create --role admin --name NAME --store {url}"
    assert run("list").output == f"there are no keys: {create}\n"
    run("create", "--role", "camera", "--name", "gate", "--cameras", "gate-[12]")
    with open_store(url) as store:
        used = datetime(2026, 1, 31, 12, 5, tzinfo=timezone.utc)
        store.note_key_used(store.keys()[0].id, used)
    row = run("list").output
    for text in ("gate-[12]", "camera", "valid", "2026-01-31"):
        assert text in row
    (listed,) = json.loads(run("list", "--json").stdout)
    assert (listed["state"], listed["last_used_at"]) == ("valid", "2026-01-31T12:05:00+00:00")
    assert "digest" not in listed


# -- serve -----------------------------------------------------------------------------------------

NETWORK = ("--host", "0.0.0.0", "--port", "0")


def serve(url: str, *flags: str) -> subprocess.CompletedProcess[str]:
    """A server that is expected to refuse to start."""
    command = [sys.executable, "-m", "susracker", "serve", "--store", url, *flags]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_on_the_network_it_says_what_to_type_and_that_works(url):
    refused = serve(url, *NETWORK)
    assert refused.returncode == 2
    assert refused.stdout == ""
    key_line, tls_line = refused.stderr.splitlines()
    assert "--cert CERT.pem --key KEY.pem" in tls_line
    assert "--behind-proxy" in tls_line
    assert "--insecure-http" in tls_line
    words = shlex.split(key_line.partition(": susracker ")[2].replace("NAME", "Ada"))
    made = CliRunner().invoke(main, words)
    assert made.exit_code == 0
    refused = serve(url, *NETWORK)
    assert refused.returncode == 2
    assert refused.stderr.splitlines() == [tls_line]
    with ServerProcess(
        "--store", url, *NETWORK, "--insecure-http", "--log-level", "error"
    ) as server:
        address = server.url.replace("0.0.0.0", "127.0.0.1")
        assert requests.get(f"{address}/api/alerts", timeout=60).status_code == 401
        headers = {"X-API-Key": made.stdout.strip()}
        answer = requests.get(f"{address}/api/alerts", headers=headers, timeout=60)
        assert answer.status_code == 200


@pytest.mark.parametrize("flags", [("--role", "viewer"), ("--role", "camera")])
def test_on_the_network_it_takes_an_admins_key(run, url, flags):
    run("create", "--name", "x", *flags)
    refused = serve(url, *NETWORK, "--insecure-http")
    assert refused.returncode == 2
    assert "no admin's key" in refused.stderr


def test_on_the_network_it_takes_a_valid_key(run, url):
    run("create", "--name", "x", "--role", "admin")
    run("revoke", "x", "--yes")
    assert serve(url, *NETWORK, "--insecure-http").returncode == 2


@pytest.mark.parametrize("host", ["::", "localhost.invalid"])
def test_other_addresses(url, host):
    refused = serve(url, "--host", host, "--port", "0")
    assert refused.returncode == (2 if host == "::" else 1)
    told = "no admin's key" if host == "::" else "cannot listen on localhost.invalid"
    assert told in refused.stderr


def test_the_settings_file_is_part_of_what_to_type(url, tmp_path):
    file = tmp_path / "site settings.toml"
    file.write_text(f'store = "{url}"\nhost = "0.0.0.0"\n', encoding="utf-8")
    command = [sys.executable, "-m", "susracker", "--config", str(file), "serve"]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    for line in refused.stderr.splitlines():
        assert f": susracker --config '{file}' " in line
        assert "--store" not in line


def test_a_cameras_key_is_read_from_the_environment(run, url, tmp_path, monkeypatch):
    """So it does not stand in the list of processes."""
    run("create", "--role", "admin", "--name", "Ada")
    key = run("create", "--role", "camera", "--name", "gate", "--cameras", "gate-*").stdout.strip()
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    shutil.copy(HOPPER, pictures)
    with ServerProcess("--store", url, "--log-level", "warning") as server:
        with Camera(server.url, "gate-1", "Main gate", key=key) as camera:
            camera.send_activity("violence", datetime.now(timezone.utc))
            assert camera.flush(60)
        monkeypatch.setenv("SUSRACKER_CAMERA_KEY", key)
        posted = ["replay", str(pictures), "--camera", "gate-2", "--server", server.url]
        result = CliRunner().invoke(main, [*posted, "--store", url])
        assert result.exit_code == 0, result.output
    with open_store(url) as store:
        assert [one.id for one in store.cameras()] == ["gate-1", "gate-2"]
