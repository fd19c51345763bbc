"""The pages for newcomers: what they tell to type can be typed, and leads to what they promise."""

from __future__ import annotations

import base64
import json
import re
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import click
import paho.mqtt.publish as publish
import pymongo
import pytest
import requests

from susracker.cli import main
from susracker.demo.process import ServerProcess
from tests.pictures import COLLINS, HOPPER
from tests.server.conftest import Operator, face_crop
from tests.services.servers import start_mosquitto

DOCS = Path(__file__).parent.parent / "docs"
PANEL = "http://localhost:3000"
KEY = "0-1-2"


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def typed(name: str) -> Iterator[list[str]]:
    """The susracker commands of a page."""
    for block in re.findall(r"^ *```sh\n(.*?)^ *```", page(name), re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words and words[0] == "susracker":
                yield words[1:]


def parse(command: click.Command, words: list[str], parent: click.Context | None = None) -> None:
    """Parse what was typed, and run nothing."""
    if isinstance(command, click.Group):
        with click.Context(command, parent=parent) as context:
            _, found, rest = command.resolve_command(context, words)
            assert found is not None
            return parse(found, rest, context)
    command.make_context(command.name, words, parent=parent)


@pytest.mark.parametrize("name", ["quickstart.md", "migrating.md"])
def test_every_command_of_the_page_exists_with_its_options(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for file in ("people.csv", "jo.jpg", "clip.mp4", "site.pem", "site.key.pem"):
        (tmp_path / file).write_bytes(b"")
    commands = list(typed(name))
    assert len(commands) >= 4
    for words in commands:
        parse(main, words)


def data_uri(path: Path) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(path.read_bytes()).decode()}"


def test_an_old_camera_and_an_old_panel_find_what_they_had(mongodb_url):
    """A database that a panel wrote, a camera that says nothing about itself, a page elsewhere."""
    person = {"name": "Jo Doe", "age": 41, "crimes": ["fraud"], "threat": "high"}
    with pymongo.MongoClient(mongodb_url) as client:
        people = client.get_default_database()["criminals"]
        wanted = people.insert_one(person | {"status": "wanted", "image": data_uri(HOPPER)})
        flags = ("--allowed-origins", PANEL, "--last-seen-after", "confirmation")
        with ServerProcess("--store", mongodb_url, *flags) as server:
            operator = Operator(server.url, headers={"Origin": PANEL})
            files = {"file": ("face.jpg", face_crop(HOPPER), "image/jpeg")}
            answer = _when_enrolled(lambda: requests.post(f"{server.url}/face_upload", files=files))
            assert answer["match"]["criminal_id"] == str(wanted.inserted_id)
            alert = operator.next("alert")
            assert (alert["name"], alert["camera_id"]) == ("Jo Doe", "unknown_camera")
            assert re.fullmatch(r"\d\d\.\d\d%", alert["confidence"])
            operator.client.disconnect()
        (after,) = people.find()
    del after["susracker"]
    assert after == person | {
        "_id": wanted.inserted_id,
        "status": "wanted",
        "image": data_uri(HOPPER),
    }


def _when_enrolled(post) -> dict:
    for _ in range(150):
        answer = post().json()
        if answer["message"] == "Match found":
            return answer
        threading.Event().wait(0.1)
    raise AssertionError(answer)


class CompreFace(BaseHTTPRequestHandler):
    """What its API answers about saved examples, two to a page."""

    examples = (("1", "Grace/Hopper", HOPPER), ("2", "Eileen", COLLINS), ("3", "Eileen", HOPPER))

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        assert self.headers["x-api-key"] == KEY
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self._picture(url.path) if url.path.endswith("/img") else self._page(url))

    def _picture(self, path: str) -> bytes:
        (photo,) = (photo for number, _, photo in self.examples if f"/{number}/" in path)
        return photo.read_bytes()

    def _page(self, url) -> bytes:
        start = 2 * int(parse_qs(url.query)["page"][0])
        faces = [{"image_id": n, "subject": s} for n, s, _ in self.examples[start : start + 2]]
        return json.dumps({"faces": faces, "page_number": start // 2, "total_pages": 2}).encode()

    def log_message(self, *args) -> None:
        pass


def test_the_examples_of_compreface_are_written_to_folders(tmp_path):
    program = re.search(
        r"## From CompreFace.*?^```python\n(.*?)^```", page("migrating.md"), re.M | re.S
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), CompreFace) as server:
        threading.Thread(target=server.serve_forever).start()
        address = f"http://127.0.0.1:{server.server_port}"
        command = [sys.executable, "-c", program.group(1), address, KEY, "people"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        server.shutdown()
    assert done.returncode == 0, done.stderr
    written = {str(one.relative_to(tmp_path / "people")) for one in tmp_path.rglob("*.jpg")}
    assert written == {"Grace_Hopper/1.jpg", "Eileen/2.jpg", "Eileen/3.jpg"}
    assert (tmp_path / "people/Eileen/2.jpg").read_bytes() == COLLINS.read_bytes()


# -- Frigate ---------------------------------------------------------------------------------------


class Frigate(BaseHTTPRequestHandler):
    """Frigate's route for the snapshot of an event; it has one event."""

    def do_GET(self) -> None:
        found = self.path == "/api/events/1-abc/snapshot.jpg"
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(HOPPER.read_bytes() if found else b"")

    def log_message(self, *args: object) -> None:
        pass


def test_the_script_for_frigate_posts_the_snapshots_of_its_events(tmp_path):
    script = re.search(
        r"## From Double Take.*?^```python\n(.*?)^```", page("migrating.md"), re.M | re.S
    )[1]
    store = f"sqlite:///{tmp_path / 'site.db'}"
    enroll = [sys.executable, "-m", "susracker", "enroll", str(HOPPER), "--name", "Grace"]
    subprocess.run([*enroll, "--store", store], check=True)
    broker = start_mosquitto(tmp_path / "mosquitto", "allow_anonymous true")
    frigate = ThreadingHTTPServer(("127.0.0.1", 0), Frigate)
    threading.Thread(target=frigate.serve_forever, daemon=True).start()
    with ServerProcess("--store", store, "--log-level", "error") as server:
        for told, real in (
            ("http://frigate:5000", f"http://127.0.0.1:{frigate.server_address[1]}"),
            ("http://127.0.0.1:5000", server.url),
            ('client.connect("localhost")', f'client.connect("127.0.0.1", {broker.port})'),
        ):
            assert told in script
            script = script.replace(told, real)
        bridge = subprocess.Popen([sys.executable, "-u", "-c", script], stdout=subprocess.PIPE)
        try:
            alert = _alert_of_an_event(broker.port, server.url)
        finally:
            bridge.kill()
            printed, _ = bridge.communicate()
            broker.kill()
            frigate.shutdown()
            frigate.server_close()
    assert (alert["name"], alert["camera_id"]) == ("Grace", "front_door")
    assert b"event 2-gone was not posted" in printed


def _alert_of_an_event(port: int, url: str) -> dict[str, Any]:
    """Publish events as Frigate does, until one has become an alert."""
    common = {"camera": "front_door", "has_snapshot": True}
    events = [
        {"id": "2-gone", "label": "person", **common},
        {"id": "1-abc", "label": "car", **common},
        {"id": "1-abc", "label": "person", **common},
    ]
    end = time.monotonic() + 60
    while True:
        for after in events:
            payload = json.dumps({"type": "new", "before": after, "after": after})
            publish.single("frigate/events", payload, 1, hostname="127.0.0.1", port=port)
        time.sleep(0.5)
        if found := requests.get(f"{url}/api/alerts", timeout=60).json()["alerts"]:
            return dict(found[0])
        assert time.monotonic() < end
