"""A real server in a process of its own, two people enrolled, and real clients."""

from __future__ import annotations

import io
import queue
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
import socketio
from PIL import Image

from susracker.demo.portraits import sample_people, stranger
from susracker.demo.process import ServerProcess
from susracker.enrolment.enroller import Enroller
from susracker.enrolment.fields import criminal_from_fields
from susracker.faces.images import crop
from susracker.plugins import open_detector, open_encoder, open_store
from tests.services.npm import CLIENTS, npm_package
from tests.waiting import PATIENCE

HOPPER, COLLINS = sample_people()

LASTING = ("--cooldown-seconds", "60", "--passage-seconds", "60")
"""A busy machine may need longer from one request of a test to the next than by default a passage
lasts."""


def jpeg(picture: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(picture)).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def face_crop(path: Path) -> bytes:
    picture = np.asarray(Image.open(path).convert("RGB"))
    return jpeg(crop(picture, open_detector().find(picture)[0].box, 0))


@pytest.fixture(scope="session")
def faces() -> dict[str, bytes]:
    """Tight crops of the two sample people, and of a stranger, as JPEG."""
    return {
        "hopper": face_crop(HOPPER.portrait),
        "collins": face_crop(COLLINS.portrait),
        "stranger": jpeg(stranger(2)),
        "wall": jpeg(np.full((200, 200, 3), 130, np.uint8)),
    }


def enroll_both(url: str) -> dict[str, str]:
    """Enrol the two sample people; their ids by short name."""
    ids = {}
    with open_store(url) as store:
        enroller = Enroller(store, open_encoder("dlib"))
        for short, person in (("hopper", HOPPER), ("collins", COLLINS)):
            criminal = criminal_from_fields({"name": person.name, "crimes": ["forgery"]})
            enroller.enroll(criminal, [enroller.prepare(person.portrait.read_bytes())])
            ids[short] = criminal.id
    return ids


class Site:
    """A running server, and short ways to talk to it."""

    def __init__(self, folder: Path, *flags: str, enrolled: bool = True) -> None:
        self.store_url = f"sqlite:///{folder / 'site.db'}"
        self.ids = enroll_both(self.store_url) if enrolled else {}
        self.flags = ("--store", self.store_url, "--log-level", "warning", *flags)
        self.server = ServerProcess(*self.flags)

    @property
    def url(self) -> str:
        return self.server.url

    def restart(self) -> None:
        self.server = ServerProcess(*self.flags)

    def upload(self, face: bytes, camera: str, location: str = "Main gate") -> requests.Response:
        return requests.post(
            f"{self.url}/face_upload",
            data={"camera_id": camera, "camera_location": location},
            files={"file": ("face.jpg", face, "image/jpeg")},
            timeout=60,
        )

    def post(self, path: str, **kwargs: Any) -> requests.Response:
        return requests.post(f"{self.url}{path}", timeout=60, **kwargs)

    def get(self, path: str, **params: Any) -> requests.Response:
        return requests.get(f"{self.url}{path}", params=params, timeout=60)

    def all_alerts(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while page := self.get("/api/alerts", after=found[-1]["seq"] if found else 0).json():
            if not page["alerts"]:
                return found
            found += page["alerts"]
        raise AssertionError("unreachable")


class SocketClient(socketio.Client):
    """The official client of Python, which by itself waits only a second to be let in."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(reconnection=False, request_timeout=PATIENCE, **kwargs)

    def connect(self, url: str, wait_timeout: float = PATIENCE, **kwargs: Any) -> None:
        super().connect(url, wait_timeout=wait_timeout, **kwargs)

    def disconnect(self) -> None:
        super().disconnect()
        # It leaves its socket open if the server was the first to close the connection.
        if self.eio.ws:
            self.eio.ws.shutdown()


class Operator:
    """A python-socketio client that keeps what it hears."""

    def __init__(self, url: str, auth: dict[str, Any] | None = None, **kwargs: Any) -> None:
        self.heard: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        self.client = SocketClient()
        for event in ("alert", "new_alert", "alert_updated"):
            self.client.on(event, self._keep(event))
        self.client.connect(url, auth=auth, **kwargs)

    def _keep(self, event: str) -> Callable[[dict[str, Any]], None]:
        return lambda data: self.heard.put((event, data))

    def next(self, event: str, timeout: float = PATIENCE) -> dict[str, Any]:
        """The next event of that name; others are passed over."""
        while True:
            name, data = self.heard.get(timeout=timeout)
            if name == event:
                return data

    def all_heard(self, event: str) -> list[dict[str, Any]]:
        found = []
        while not self.heard.empty():
            name, data = self.heard.get()
            if name == event:
                found.append(data)
        return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One server for the tests of a module; each test uses cameras of its own."""
    running = Site(tmp_path_factory.mktemp("site"), *LASTING)
    yield running
    running.server.stop()


@pytest.fixture
def own_site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Servers that a test may kill."""
    running: list[Site] = []

    def start(*flags: str, enrolled: bool = True) -> Site:
        running.append(Site(tmp_path, *flags, enrolled=enrolled))
        return running[-1]

    yield start
    for one in running:
        one.server.stop()


@pytest.fixture
def operator(site: Site) -> Iterator[Operator]:
    connected = Operator(site.url)
    yield connected
    connected.client.disconnect()


@pytest.fixture(scope="session")
def node_client() -> Path:
    """The official JavaScript client, from npm."""
    npm_package("socket.io-client")
    return CLIENTS / "operator.mjs"
