"""Two servers on one MongoDB and one Redis: one watch-list, one cooldown, one audience."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import pytest
import requests

from susracker.demo.portraits import stranger
from susracker.demo.process import ServerProcess
from susracker.plugins import open_store
from tests.server.conftest import Operator, enroll_both, jpeg
from tests.services.servers import Service, start_mongodb, start_redis
from tests.waiting import PATIENCE, wait_until

DETECTIONS = 500
LONG = "3600"


class City:
    """A database, a Redis and two nodes, each of which can be killed."""

    def __init__(self, folder: Path) -> None:
        self.mongodb: Service = start_mongodb(folder / "mongodb")
        self.redis: Service = start_redis(folder / "redis")
        self.store = f"mongodb://127.0.0.1:{self.mongodb.port}/{uuid.uuid4().hex}"
        self.store += "?serverSelectionTimeoutMS=2000"
        self.ids = enroll_both(self.store)
        self.nodes = [self.start_node() for _ in range(2)]

    def start_node(self) -> ServerProcess:
        flags = ("--cooldown-seconds", LONG, "--log-level", "error", "--queue-size", "600")
        cooldown = f"redis://127.0.0.1:{self.redis.port}/0"
        return ServerProcess("--store", self.store, "--cooldown", cooldown, *flags)

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()
        self.mongodb.kill()
        self.redis.kill()


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    one = City(tmp_path_factory.mktemp("city"))
    yield one
    one.stop()


def upload(node: ServerProcess, face: bytes, camera: str) -> requests.Response:
    return requests.post(
        f"{node.url}/face_upload",
        data={"camera_id": camera, "camera_location": "Main gate"},
        files={"file": ("face.jpg", face, "image/jpeg")},
        timeout=60,
    )


def answers(node: ServerProcess, face: bytes, message: str) -> bool:
    response = upload(node, face, uuid.uuid4().hex)
    return response.status_code == 200 and response.json()["message"] == message


def test_one_alert_for_a_criminal_and_camera_whichever_node_hears(city, faces):
    jobs = [
        (node, face, f"crowd-{camera}")
        for node, face, camera in product((0, 1), ("hopper", "collins"), range(5))
    ]
    jobs *= DETECTIONS // len(jobs)
    with ThreadPoolExecutor(16) as pool:
        found = list(
            pool.map(lambda job: upload(city.nodes[job[0]], faces[job[1]], job[2]).json(), jobs)
        )
    assert len(found) == DETECTIONS
    assert Counter(one["message"] for one in found) == {
        "Match found": 10,
        "Match found but in cooldown": DETECTIONS - 10,
    }
    with open_store(city.store) as store:
        alerts = store.alerts(limit=1000)
    pairs = Counter((alert.criminal_id, alert.camera_id) for alert in alerts)
    assert set(pairs.values()) == {1}
    assert len(pairs) == 10


def test_operators_hear_of_alerts_of_either_node_and_of_what_they_missed(city, faces):
    operator = Operator(city.nodes[1].url)
    here = upload(city.nodes[0], faces["hopper"], "here").json()["match"]
    heard = operator.next("new_alert")
    assert heard["id"] == here["id"]
    operator.client.disconnect()
    missed = [
        upload(city.nodes[0], faces["hopper"], f"missed-{number}").json()["match"]["id"]
        for number in range(3)
    ]
    back = Operator(city.nodes[1].url, auth={"last_seq": heard["seq"]})
    assert [back.next("new_alert")["id"] for _ in missed] == missed
    back.client.disconnect()


def test_who_is_removed_at_one_node_is_not_matched_at_the_other(city):
    passer_by = jpeg(stranger(13))  # sharp enough to be enrolled
    added = requests.post(
        f"{city.nodes[0].url}/api/criminals",
        data={"name": "Passer-by"},
        files={"file": ("face.jpg", passer_by, "image/jpeg")},
        timeout=60,
    )
    assert added.status_code == 201, added.text
    assert wait_until(lambda: answers(city.nodes[1], passer_by, "Match found"))
    url = f"{city.nodes[0].url}/api/criminals/{added.json()['id']}"
    assert requests.delete(url, timeout=60).ok
    assert answers(city.nodes[1], passer_by, "No match found")


def test_a_redis_that_is_killed_neither_loses_nor_doubles_an_alert(city, faces):
    city.redis.kill()
    nodes = (city.nodes[0], city.nodes[1], city.nodes[0])
    messages = [upload(node, faces["hopper"], "no-redis").json()["message"] for node in nodes]
    assert messages == ["Match found", *["Match found but in cooldown"] * 2]

    def says_so_and_works() -> bool:
        status, warning = readiness(city.nodes[0])
        return status == 200 and "Redis is unavailable" in str(warning)

    assert wait_until(says_so_and_works)
    city.redis.start()

    def asks_redis_again() -> bool:
        # It is tried again with the next match.
        assert answers(city.nodes[0], faces["hopper"], "Match found")
        return readiness(city.nodes[0]) == (200, None)

    assert wait_until(asks_redis_again)


def readiness(node: ServerProcess) -> tuple[int, str | None]:
    """The status of `/readyz`, and its warning."""
    answer = requests.get(f"{node.url}/readyz", timeout=PATIENCE)
    return answer.status_code, answer.json()["warning"]


def test_a_database_that_is_killed_is_said_and_comes_back(city, faces):
    stored = upload(city.nodes[0], faces["collins"], "before").json()["match"]["id"]
    city.mongodb.kill()
    response = upload(city.nodes[1], faces["collins"], "away")
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    city.mongodb.start()
    assert wait_until(lambda: answers(city.nodes[1], faces["hopper"], "Match found"))
    # What could not be stored holds nothing back.
    assert upload(city.nodes[0], faces["collins"], "away").json()["message"] == "Match found"
    with open_store(city.store) as store:
        assert stored in {alert.id for alert in store.alerts(limit=1000)}


def test_a_node_that_is_killed_leaves_the_other_to_go_on(city, faces):
    stored = upload(city.nodes[0], faces["hopper"], "last words").json()["match"]["id"]
    city.nodes[0].process.kill()
    city.nodes[0].stop()
    assert answers(city.nodes[1], faces["hopper"], "Match found")
    again = upload(city.nodes[1], faces["hopper"], "last words").json()
    assert again["message"] == "Match found but in cooldown"
    city.nodes[0] = city.start_node()
    assert answers(city.nodes[0], faces["hopper"], "Match found")
    with open_store(city.store) as store:
        assert stored in {alert.id for alert in store.alerts(limit=1000)}
