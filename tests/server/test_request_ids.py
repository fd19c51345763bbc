"""Each request has an id, in its answer and in its lines of the log; the log names nobody."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from susracker import open_tracker
from susracker.demo.process import ServerProcess
from susracker.runtime.logs import request_id
from susracker.server.service import EXTENSION
from tests.pictures import HOPPER
from tests.server.apps import running_app


@pytest.fixture
def app(tmp_path: Any) -> Iterator[Any]:
    url = f"sqlite:///{tmp_path / 'site.db'}"
    with open_tracker(store=url) as tracker, running_app(tracker) as made:
        yield made


def ask(app: Any, given: str | None = None, path: str = "/healthz", **more: Any) -> str:
    headers = {} if given is None else {"X-Request-ID": given}
    return app.test_client().get(path, headers=headers, **more).headers["X-Request-ID"]


def test_an_id_is_made_for_each_request(app):
    made = {ask(app) for _ in range(3)}
    assert len(made) == 3
    assert all(len(one) == 32 for one in made)


@pytest.mark.parametrize(
    "given", ["a", "01J8ZQ-4", "0af7651916cd43dd/b9c7:1", "e4b4+x=@y", "x" * 128]
)
def test_the_id_that_a_proxy_gave_is_kept(app, given):
    assert ask(app, given) == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, 'a"b', "ä", "sus_123456789abc_secret"])
def test_what_is_no_id_is_replaced(app, given):
    assert len(ask(app, given)) == 32


def test_refusals_have_it_too(app):
    assert ask(app, "a1", "/nowhere") == "a1"
    assert ask(app, "a2", environ_base={"REMOTE_ADDR": "10.0.0.7"}, path="/api/alerts") == "a2"
    assert ask(app, "a3", base_url="http://elsewhere.example") == "a3"


def test_it_is_known_on_threads_and_forgotten_after_the_answer(app, monkeypatch):
    parts = app.extensions[EXTENSION]
    seen: list[str] = []
    monkeypatch.setattr(parts.tracker, "cameras", lambda: seen.append(request_id.get()) or [])
    ask(app, "a4", "/api/cameras", buffered=True)  # until it is read, it is not answered
    assert seen == ["a4"]
    assert request_id.get() == ""


def test_the_log_of_a_server_is_json_with_ids_and_names_nobody(tmp_path, capfd):
    photo = base64.b64encode(HOPPER.read_bytes()).decode()
    log = ("--log-format", "json", "--log-level", "debug")
    with ServerProcess("--store", f"sqlite:///{tmp_path / 'site.db'}", *log) as server:
        key = use(server.url, photo)
    lines = capfd.readouterr().err.splitlines()
    found = [json.loads(one) for one in lines if one.startswith("{")]
    assert len(found) >= len(lines) - 1  # what tells of the new store comes before the log
    assert all(one.keys() >= {"time", "level", "logger", "message"} for one in found)
    named = [one for one in found if one.get("request_id") == "refused-1"]
    assert any("refused a post" in one["message"] for one in named)
    assert any(one.get("request_id") == "seen-1" for one in found)
    text = "\n".join(lines)
    for secret in ("Grace", "Hopper", key, key.split("_", 2)[2], photo[:60]):
        assert secret not in text


def use(url: str, photo: str) -> str:
    """Do one of each kind. Returns the key that was used."""
    made = requests.post(f"{url}/api/keys", json={"role": "admin", "name": "Jo"}, timeout=60)
    key: str = made.json()["key"]
    headers = {"X-API-Key": key}

    def post(path: str, body: Any, request: str) -> requests.Response:
        ids = headers | {"X-Request-ID": request}
        return requests.post(f"{url}{path}", json=body, headers=ids, timeout=60)

    assert post("/api/criminals", {"name": "Grace Hopper", "image": photo}, "add-1").ok
    seen = {"camera_id": "gate", "camera_location": "Gate", "timestamp": "2026-01-31T12:00:00Z"}
    face = seen | {"event_type": "face", "image": photo}
    assert post("/api/detections", face, "seen-1").json()["message"] == "Match found"
    assert post("/api/detections", [], "refused-1").status_code == 400
    assert post("/api/v1/recognition/subjects/Grace%20Hopper", {}, "wrong-1").status_code == 405
    assert post("/api/find", {"image": photo}, "find-1").ok
    return key
