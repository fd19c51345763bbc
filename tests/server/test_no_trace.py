"""Strangers leave no trace: not in the store, not in the log, not in any file."""

from __future__ import annotations

import base64
import io
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import requests
from PIL import Image

from susracker.demo.portraits import stranger
from susracker.plugins import open_detector, open_store
from tests.server.conftest import HOPPER, enroll_both, face_crop, jpeg
from tests.torture.processes import needs_proc, open_files
from tests.torture.site import Site
from tests.torture.traces import crop_parts, embedding_parts, files_holding, parts_of


class Watched(Site):
    """A server that logs everything, whose home, temporary files and store are in one folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "--log-level", "debug")
        self.ids = enroll_both(self.store_url)

    def holding(self, parts: list[bytes]) -> set[str]:
        """The files that hold one of these parts."""
        return {path.name for path in files_holding(self.folder, parts)}

    def post(self, picture: bytes, camera: str) -> list[str]:
        """Post a picture in both ways; what is answered."""
        fields = {"camera_id": camera, "camera_location": "Main gate"}
        form = requests.post(
            f"{self.url}/face_upload",
            data=fields,
            files={"file": ("face.jpg", picture, "image/jpeg")},
            timeout=60,
        )
        moment = {"event_type": "face", "timestamp": "2026-01-31T23:59:59Z", "event_id": camera}
        image = {"image": base64.b64encode(picture).decode()}
        body = requests.post(f"{self.url}/api/detections", json=fields | moment | image, timeout=60)
        return [one.json().get("message") or one.json()["error"] for one in (form, body)]


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with Watched(tmp_path) as running:
        yield running


def side_by_side(left: bytes, right: bytes) -> bytes:
    """A frame of two people, who stand well apart."""
    pictures = [Image.open(io.BytesIO(one)).resize((300, 300)) for one in (left, right)]
    frame = Image.new("RGB", (1000, 400), (130, 130, 130))
    for place, one in zip((40, 660), pictures, strict=True):
        frame.paste(one, (place, 50))
    return jpeg(frame)


def test_strangers_leave_no_trace(watched: Watched) -> None:
    strangers = [jpeg(stranger(number)) for number in (2, 3)]
    broken = strangers[0][: len(strangers[0]) * 2 // 3]
    wall = jpeg(np.random.default_rng(1).integers(90, 140, (200, 200, 3), np.uint8))
    for number, one in enumerate(strangers):
        assert watched.post(one, f"gate-{number}") == ["No match found"] * 2
    assert watched.post(wall, "gate-8") == ["No face detected"] * 2
    refused = watched.post(broken, "gate-9")
    assert set(refused) <= {"Invalid image", "No match found"}
    parts = [part for one in (*strangers, broken, wall) for part in parts_of(one)]
    parts += [part for one in strangers for part in embedding_parts(one) + crop_parts(one)]
    assert watched.holding(parts) == set()
    requests.put(
        f"{watched.url}/api/criminals/{watched.ids['hopper']}", json={"age": 85}, timeout=60
    )
    watched.stop()
    assert watched.holding(parts) == set()
    assert watched.log_holds("DEBUG")
    # What is enrolled is found in this way, so that strangers would be, too.
    portrait = HOPPER.portrait.read_bytes()
    assert watched.holding(parts_of(portrait)[:1]) == {"site.db"}
    assert watched.holding(embedding_parts(portrait)[:1]) == {"site.db"}


def test_of_several_faces_only_the_wanted_one_is_kept(watched: Watched) -> None:
    other = jpeg(stranger(3))
    frame = side_by_side(face_crop(HOPPER.portrait), other)
    assert len(open_detector().find_in_bytes(frame, 10**8)) == 2
    assert watched.post(frame, "gate-1")[0] == "Match found"
    watched.stop()
    with open_store(watched.store_url) as store:
        alerts = store.alerts()
    assert {alert.name for alert in alerts} == {HOPPER.name}
    assert watched.holding(parts_of(frame)) == set()
    faces = open_detector().find_in_bytes(frame, 10**8)
    left, right = sorted(faces, key=lambda one: one.box.left)
    assert watched.holding(parts_of(left.jpeg(0.2))) == {"site.db"}
    assert watched.holding(parts_of(right.jpeg(0.2)) + embedding_parts(frame)) == set()


@needs_proc
def test_a_large_upload_is_not_written_to_a_temporary_file(watched: Watched) -> None:
    picture = jpeg(np.random.default_rng(1).integers(0, 255, (1200, 1200, 3), np.uint8))
    assert len(picture) > 1_000_000
    head = (
        b"--b\r\nContent-Disposition: form-data; name=camera_id\r\n\r\ngate\r\n"
        b"--b\r\nContent-Disposition: form-data; name=camera_location\r\n\r\nGate\r\n"
        b"--b\r\nContent-Disposition: form-data; name=file; filename=a.jpg\r\n"
        b"Content-Type: image/jpeg\r\n\r\n"
    )
    tail = b"\r\n--b--\r\n"
    length = len(head) + len(picture) + len(tail)
    place = urlsplit(watched.url)
    with socket.create_connection((place.hostname, place.port), timeout=60) as connection:
        connection.sendall(
            (
                f"POST /face_upload HTTP/1.1\r\nHost: {place.netloc}\r\nConnection: close\r\n"
                "Content-Type: multipart/form-data; boundary=b\r\n"
                f"Content-Length: {length}\r\n\r\n"
            ).encode()
        )
        connection.sendall(head + picture)
        opened = set()
        for _ in range(10):
            time.sleep(0.1)
            opened.update(open_files(watched.pid))
        connection.sendall(tail)
        assert b"No face detected" in connection.makefile("rb").read()
    assert not {one for one in opened if one.startswith(str(watched.tmp))}
