"""Two servers that share nothing but the store, each with a cooldown in its own memory."""

from __future__ import annotations

import base64
import random
import threading
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from itertools import product

import pytest
import requests

from susracker.demo.process import ServerProcess
from susracker.models import Alert
from susracker.plugins import open_store
from tests.server.conftest import enroll_both

COOLDOWN = 60

ALERT, HELD_BACK = "Match found", "Match found but in cooldown"


class Pair:
    """Two servers on one store."""

    def __init__(self, store: str) -> None:
        self.store = store
        self.ids = enroll_both(store)
        # Long, for on a busy machine a server may wait for seconds between two frames.
        store_flags = ("--store", store, "--passage-seconds", "30")
        flags = (*store_flags, "--cooldown-seconds", f"{COOLDOWN}", "--log-level", "error")
        with ThreadPoolExecutor(2) as pool:
            starting = [pool.submit(ServerProcess, *flags) for _ in range(2)]
        self.servers = [one.result() for one in starting]

    def post_to_both(self, face: bytes, camera: str) -> list[str]:
        """What each server says to the same face, posted to both at the same moment."""
        both_ready = threading.Barrier(2)

        def post(server: ServerProcess) -> str:
            both_ready.wait(60)
            sent = {"file": ("face.jpg", face, "image/jpeg")}
            fields = {"camera_id": camera, "camera_location": "Main gate"}
            url = f"{server.url}/face_upload"
            message = requests.post(url, data=fields, files=sent, timeout=60).json()["message"]
            return str(message)

        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(post, self.servers))

    def pass_by(self, face: bytes, camera: str, whose: Sequence[int]) -> list[str]:
        """What is said to the frames of someone who stands before a camera, one every two seconds.

        Args:
            whose: number of the server that gets each frame.
        """
        began = datetime.now(timezone.utc) - timedelta(hours=1)
        return [
            requests.post(
                f"{self.servers[number].url}/api/detections",
                json={
                    "camera_id": camera,
                    "camera_location": "Main gate",
                    "event_type": "face",
                    "timestamp": (began + timedelta(seconds=2 * frame)).isoformat(),
                    "image": base64.b64encode(face).decode(),
                },
                timeout=60,
            ).json()["message"]
            for frame, number in enumerate(whose)
        ]

    def alerts(self, camera: str) -> list[Alert]:
        """The alerts of a camera, as they are stored."""
        with open_store(self.store) as store:
            return [one for one in store.alerts(limit=1000) if one.camera_id == camera]


@pytest.fixture(scope="module", params=["sqlite", "mongodb"])
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    store = f"sqlite:///{tmp_path_factory.mktemp('pair') / 'site.db'}"
    if request.param == "mongodb":
        server = request.getfixturevalue("mongodb_server")
        store = f"mongodb://127.0.0.1:{server.port}/{uuid.uuid4().hex}"
    running = Pair(store)
    yield running
    for server in running.servers:
        server.stop()


def test_each_person_alerts_once_on_each_camera(pair: Pair, faces: dict[str, bytes]) -> None:
    passages = list(product(("hopper", "collins"), (f"gate-{n}" for n in range(5))))
    answers = [sorted(pair.post_to_both(faces[who], camera)) for who, camera in passages]
    assert answers == [[ALERT, HELD_BACK]] * len(passages)
    with open_store(pair.store) as store:
        alerts = [one for one in store.alerts(limit=1000) if one.camera_id.startswith("gate-")]
        seen = [one for who in pair.ids.values() for one in store.sightings(who)]
        sightings = [one for one in seen if one.camera_id.startswith("gate-")]
    named = Counter((one.criminal_id, one.camera_id) for one in alerts)
    assert named == {(pair.ids[who], camera): 1 for who, camera in passages}
    assert Counter(one.suppressed for one in sightings) == {False: 10, True: 10}


@pytest.mark.parametrize("seed", range(2))
def test_a_passage_that_a_balancer_scatters_raises_one_alert(
    pair: Pair, faces: dict[str, bytes], seed: int
) -> None:
    """It lasts more than twice as long as the cooldown, which alone would let others through."""
    chance = random.Random(seed)
    scattered = [0, 1, *(chance.choice((0, 1)) for _ in range(COOLDOWN + 2))]
    said = pair.pass_by(faces["hopper"], f"scattered-{seed}", scattered)
    assert said == [ALERT] + [HELD_BACK] * (len(scattered) - 1)
    assert len(pair.alerts(f"scattered-{seed}")) == 1


def test_a_server_that_joins_a_passage_after_the_cooldown_raises_another_alert(
    pair: Pair, faces: dict[str, bytes]
) -> None:
    """As docs/scaling.md says: it knows nothing of what the other one has seen."""
    first = COOLDOWN // 2 + 1
    said = pair.pass_by(faces["hopper"], "late", [0] * first + [1] * 2)
    assert said == [ALERT] + [HELD_BACK] * (first - 1) + [ALERT, HELD_BACK]


def test_an_activity_alerts_once_on_a_camera(pair: Pair) -> None:
    sent = {"event_type": "violence", "camera_id": "yard", "camera_location": "Yard"}
    answers = [
        requests.post(f"{server.url}/activity_alert", json=sent, timeout=60).json()["message"]
        for server in pair.servers
    ]
    assert answers == ["Alert sent", "Alert in cooldown"]
