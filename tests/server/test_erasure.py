"""Someone who is erased is nowhere any more: not in the database, not in a running server."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import bson
import numpy as np
import pymongo
import pytest
import requests

from susracker.demo.process import ServerProcess
from susracker.oversight import Judgement
from susracker.plugins import open_store
from susracker.runtime.clock import utc_now
from susracker.stores.sqlite.database import Database
from tests.server.conftest import HOPPER, Operator, enroll_both
from tests.waiting import wait_until

PART = 48
NOTE = "she waved at the camera"


class Erasing:
    """A server with two people enrolled, alerts of one, and what was said about them."""

    def __init__(self, url: str, folder: Path, face: bytes) -> None:
        self.store_url, self.folder, self.face = url, folder, face
        self.key = folder / "audit.key"
        self.recording = folder / "recording"
        self.id = enroll_both(url)["hopper"]
        self.server = ServerProcess(
            "--store", url, "--log-level", "warning", "--record", str(self.recording),
            "--audit-key", str(self.key), "--follow-seconds", "0.5",
        )  # fmt: skip
        assert [self.upload(f"gate-{n}") for n in range(2)] == ["Match found"] * 2
        with open_store(url) as store:
            self.alerts = store.alerts()
            for alert in self.alerts:
                said = Judgement(
                    uuid.uuid4().hex, alert.id, "review", "confirmed", f"is {HOPPER.name}", NOTE,
                    "Jo (k1)", utc_now(),
                )  # fmt: skip
                store.add_judgement(said, "confirmed", 0)
            (photo_id,) = store.photo_ids(self.id)
            photo = store.photo(photo_id).content
            vectors = [one.vector for one in store.templates(self.id)]
        faces = [alert.face or b"" for alert in self.alerts]
        self.traces = {
            "photo": photo[len(photo) // 2 :][:PART],
            "template": np.ascontiguousarray(vectors[0], "<f4").tobytes()[:PART],
            "name": HOPPER.name.encode(),
            "note": NOTE.encode(),
            **{f"face {n}": one[len(one) // 2 :][:PART] for n, one in enumerate(faces)},
        }

    def upload(self, camera: str) -> str:
        response = requests.post(
            f"{self.server.url}/face_upload",
            data={"camera_id": camera, "camera_location": "Main gate"},
            files={"file": ("face.jpg", self.face, "image/jpeg")},
            timeout=60,
        )
        return str(response.json()["message"])

    def get(self, path: str) -> requests.Response:
        return requests.get(f"{self.server.url}{path}", timeout=60)

    def erase(self, *flags: str) -> subprocess.CompletedProcess[str]:
        flags = ("--store", self.store_url, "--audit-key", str(self.key), "--yes", *flags)
        command = [sys.executable, "-m", "susracker", "criminals", "erase", self.id]
        command += ["--reason", "court order 12/26", "--record", str(self.recording), *flags]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def found(self) -> set[str]:
        """What of the person is in the database."""
        content = b"".join(self._contents())
        return {name for name, part in self.traces.items() if part in content}

    def _contents(self) -> Iterator[bytes]:
        if self.store_url.startswith("sqlite"):
            for name in ("site.db", "site.db-wal", "site.db-shm"):
                path = self.folder / name
                yield path.read_bytes() if path.exists() else b""
            return
        with pymongo.MongoClient(self.store_url) as client:
            database = client.get_default_database()
            for name in database.list_collection_names():
                for document in database[name].find():
                    yield bson.encode(document)


@pytest.fixture(params=["sqlite", "mongodb"])
def erasing(
    request: pytest.FixtureRequest, tmp_path: Path, faces: dict[str, bytes]
) -> Iterator[Erasing]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'site.db'}"
    else:
        port = request.getfixturevalue("mongodb_server").port
        url = f"mongodb://127.0.0.1:{port}/{uuid.uuid4().hex}"
    started = Erasing(url, tmp_path, faces["hopper"])
    yield started
    started.server.stop()


def test_an_erased_person_is_nowhere(erasing: Erasing) -> None:
    assert erasing.found() == erasing.traces.keys()
    operator = Operator(erasing.server.url, {"last_seq": 0})
    assert operator.next("new_alert")["name"] == HOPPER.name
    operator.client.disconnect()
    result = erasing.erase()
    assert result.returncode == 0, result.stderr
    assert "2 sightings; what is left of 2 alerts names nobody" in result.stdout
    assert "2 judgements" in result.stdout
    assert "0000001.jpg" in result.stdout
    assert "backups" in result.stdout
    assert erasing.found() == set()
    assert wait_until(lambda: erasing.get("/readyz").json()["watchlist"] == 1)
    check_server(erasing)
    with open_store(erasing.store_url) as store:
        noted = [one for one in store.audit() if one.action == "criminal.erase"]
        assert [(one.subject, one.reason) for one in noted] == [(erasing.id, "court order 12/26")]
        assert {one.status for one in store.alerts()} == {"confirmed"}


def test_an_erasure_by_the_api_does_as_much(erasing: Erasing) -> None:
    url = f"{erasing.server.url}/api/criminals/{erasing.id}/erasure"
    for wrong in ({}, {"reason": " "}, {"reason": "court order", "force": True}):
        assert requests.post(url, json=wrong, timeout=60).status_code == 400
    assert erasing.found() == erasing.traces.keys()
    alert = f"{erasing.server.url}/api/alerts/{erasing.alerts[0].id}/hold"
    requests.put(alert, json={"reason": "case 7/26"}, timeout=60)
    body = {"reason": "court order 12/26"}
    refused = requests.post(url, json=body, timeout=60)
    assert refused.status_code == 409
    assert "despite_holds" in refused.json()["error"]
    assert erasing.found() == erasing.traces.keys()
    told = requests.post(url, json={**body, "despite_holds": True}, timeout=60).json()
    left = told.pop("not_reached")
    assert told == {
        "photos": 1, "templates": 1, "sightings": 2, "alerts": 2, "judgements": 2, "holds": 1,
    }  # fmt: skip
    assert "backups" in left[0]
    assert "may show the person, for up to" in left[-1]
    assert erasing.found() == set()
    check_server(erasing)
    with open_store(erasing.store_url) as store:
        noted = [one for one in store.audit() if one.action == "criminal.erase"]
        assert [(one.subject, one.reason) for one in noted] == [(erasing.id, "court order 12/26")]


def check_server(erasing: Erasing) -> None:
    """Nothing of them is in what a running server keeps in memory."""
    assert erasing.get(f"/api/criminals/{erasing.id}").status_code == 404
    for alert in erasing.alerts:
        shown = erasing.get(f"/api/alerts/{alert.id}").json()
        told = (shown["name"], shown["criminal_id"], shown["detected_face"])
        assert (*told, shown["criminal_image"]) == (None,) * 4
        assert erasing.id not in str(shown)
    operator = Operator(erasing.server.url, {"last_seq": 0})
    caught_up = [operator.next("new_alert") for _ in erasing.alerts]
    operator.client.disconnect()
    assert {(one["name"], one["detected_face"], one["criminal_image"]) for one in caught_up} == {
        (None, None, None)
    }
    assert erasing.upload("gate-9") == "No match found"
    assert erasing.get("/readyz").json()["watchlist"] == 1


@pytest.mark.parametrize("erasing", ["sqlite"], indirect=True)
def test_a_reader_that_keeps_the_log_from_being_emptied_is_told(erasing: Erasing) -> None:
    erasing.server.stop()
    with closing(Database(erasing.folder / "site.db")) as database:
        with database.snapshot():
            result = erasing.erase()
        assert result.returncode == 1
        assert "another program is reading" in result.stderr
        assert "try again" in result.stderr
        assert erasing.found() != set()
        again = erasing.erase()
        assert (again.returncode, erasing.found()) == (0, set())
        assert "was erased before" in again.stdout


def test_who_is_in_a_held_alert_is_not_erased(erasing: Erasing) -> None:
    alert_id, address = erasing.alerts[0].id, urlsplit(erasing.server.url)
    assert address.hostname == "127.0.0.1"
    url = f"{erasing.server.url}/api/alerts/{alert_id}/hold"
    held = requests.put(url, json={"reason": "court, case 7/26"}, timeout=60).json()["held"]
    assert held["reason"] == "court, case 7/26"
    assert erasing.get(f"/api/alerts/{alert_id}").json()["held"] == held
    refused = erasing.erase()
    assert refused.returncode == 1
    assert f"{alert_id} (court, case 7/26)" in refused.stderr
    removal = requests.delete(f"{erasing.server.url}/api/criminals/{erasing.id}", timeout=60)
    assert removal.status_code == 409
    assert erasing.found() == erasing.traces.keys()
    assert "ended 1 hold" in erasing.erase("--despite-holds").stdout
    assert erasing.found() == set()
