"""Alerts of one server reach operators of another, and other systems, at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from susracker.demo.process import ServerProcess
from tests.delivery.web import WebServer
from tests.server.conftest import Operator
from tests.services.servers import Service, start_redis
from tests.waiting import PATIENCE, wait_until

LONG = 60
"""Seconds in which a server does not look for news by itself: longer than a test may take."""

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"


def alert(server: ServerProcess, camera: str) -> None:
    answer = requests.post(
        f"{server.url}/activity_alert",
        json={"event_type": "violence", "camera_id": camera, "camera_location": "Main gate"},
        timeout=60,
    )
    assert answer.json() == {"message": "Alert sent"}


class Pair:
    """Two servers on one store that share a Redis."""

    def __init__(self, folder: Path) -> None:
        self.redis: Service = start_redis(folder / "redis")
        store = ("--store", f"sqlite:///{folder / 'site.db'}", "--follow-seconds", str(LONG))
        cooldown = ("--cooldown", f"redis://127.0.0.1:{self.redis.port}/0")
        self.nodes = [ServerProcess(*store, *cooldown, "--log-level", "error") for _ in range(2)]

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()
        self.redis.kill()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    made = Pair(tmp_path_factory.mktemp("pair"))
    yield made
    made.stop()


def test_an_alert_of_one_server_is_heard_at_the_other_without_waiting(pair: Pair) -> None:
    here, there = pair.nodes
    operator = Operator(there.url)
    for number in range(5):
        alert(here, f"cam-{number}")
        # One that only came when the server looks by itself would be later in most cases.
        assert operator.next("new_alert", LONG / 2)["camera_id"] == f"cam-{number}"
    operator.client.disconnect()


def test_a_redis_that_comes_back_is_used_again(pair: Pair) -> None:
    here, there = pair.nodes
    pair.redis.kill()
    _wait_for_warning(there, "news to other servers: Redis is unavailable")
    pair.redis.start()
    _wait_for_warning(there, None)
    _wait_for_warning(here, None)
    operator = Operator(there.url)
    alert(here, "cam-after")
    assert operator.next("new_alert", LONG / 2)["camera_id"] == "cam-after"
    operator.client.disconnect()


def _wait_for_warning(server: ServerProcess, text: str | None) -> None:
    def is_told() -> bool:
        found = requests.get(f"{server.url}/readyz", timeout=PATIENCE).json()["warning"]
        return found is None if text is None else text in (found or "")

    assert wait_until(is_told)


# -- other systems ---------------------------------------------------------------------------------


@pytest.fixture
def web() -> Iterator[WebServer]:
    server = WebServer()
    yield server
    server.close()


def settings_file(folder: Path, web: WebServer) -> Path:
    path = folder / "susracker.toml"
    path.write_text(
        f"""
[channels.control-room]
kind = "webhook"
url = "{web.url}"
secrets = ["{SECRET}"]
allow_private = true

[[rules]]
to = "control-room"
cameras = "gate-*"
"""
    )
    return path


def start(folder: Path, web: WebServer, monkeypatch: pytest.MonkeyPatch) -> ServerProcess:
    monkeypatch.setenv("SUSRACKER_CONFIG", str(settings_file(folder, web)))
    store = f"sqlite:///{folder / 'site.db'}"
    return ServerProcess("--store", store, "--follow-seconds", str(LONG), "--log-level", "error")


def wait_for(web: WebServer, number: int) -> list[dict]:
    assert wait_until(lambda: len(web.posts) >= number, LONG / 2)
    return web.events()


def test_a_server_delivers_what_its_rules_choose(tmp_path, web, monkeypatch) -> None:
    server = start(tmp_path, web, monkeypatch)
    for camera in ("yard", "gate-1", "gate-2"):
        alert(server, camera)
    events = wait_for(web, 2)
    server.stop()
    assert [one["subject"] for one in events] == ["gate-1", "gate-2"]
    assert [one["data"]["seq"] for one in events] == [2, 3]


def test_what_could_not_be_delivered_is_after_a_restart(tmp_path, web, monkeypatch) -> None:
    web.status = 503
    server = start(tmp_path, web, monkeypatch)
    alert(server, "gate-1")
    wait_for(web, 1)
    _wait_for_warning(server, "channel control-room: http://127.0.0.1")
    server.stop()
    web.status, web.posts = 204, []
    server = start(tmp_path, web, monkeypatch)
    (event,) = wait_for(web, 1)
    server.stop()
    assert (event["subject"], event["data"]["seq"]) == ("gate-1", 1)


def test_settings_that_are_wrong_are_refused_at_the_start(tmp_path, web, monkeypatch) -> None:
    path = settings_file(tmp_path, web)
    path.write_text(path.read_text().replace('cameras = "gate-*"', 'camera = "gate-*"'))
    monkeypatch.setenv("SUSRACKER_CONFIG", str(path))
    from click.testing import CliRunner

    from susracker.cli import main

    for command in (["serve"], ["settings"], ["deliveries", "list"]):
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 2
        assert "rules.1.camera: there is no such option" in result.output
        assert json.dumps(SECRET) not in result.output
