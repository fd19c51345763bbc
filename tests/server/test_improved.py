"""Operators hear when an alert gets better evidence, wherever they are connected."""

from __future__ import annotations

import time
import uuid

import cv2
import numpy as np
import pytest

from susracker.demo.process import ServerProcess
from susracker.server.wire import EVIDENCE
from tests.server.conftest import Operator

APART = 1.0
"""Seconds between two faces of a passage, so that each counts for a whole probe."""


@pytest.fixture
def blurred(faces):
    picture = cv2.imdecode(np.frombuffer(faces["hopper"], np.uint8), cv2.IMREAD_COLOR)
    return cv2.imencode(".jpg", cv2.GaussianBlur(picture, (0, 0), 4))[1].tobytes()


def upload(site, face, camera):
    fields = {"camera_id": camera, "track_id": "t1"}
    return site.post("/face_upload", data=fields, files={"file": ("face.jpg", face)}).json()


def test_operators_are_sent_better_evidence_and_no_second_alert(site, faces, blurred):
    other = ServerProcess(*site.flags)
    camera = uuid.uuid4().hex
    try:
        operators = [Operator(site.url), Operator(other.url)]
        first = upload(site, blurred, camera)["match"]
        time.sleep(APART)
        assert upload(site, faces["hopper"], camera)["message"] == "Match found but in cooldown"
        assert operators[0].next("new_alert")["id"] == first["id"]
        updates = [one.next("alert_updated") for one in operators]
        assert updates[0] == updates[1]
        shown = site.get(f"/api/alerts/{first['id']}").json()
        names = ("id", "seq", "status", "reviews", "outcomes", *EVIDENCE)
        assert updates[0] == {name: shown[name] for name in names}
        assert shown["fpir"] < first["fpir"]
        assert len(shown["detected_face"]) > len(first["detected_face"])
        assert operators[0].all_heard("new_alert") == []
    finally:
        for one in operators:
            one.client.disconnect()
        other.stop()


def test_whoever_was_away_gets_the_alert_as_it_is_now(site, faces, blurred):
    camera = uuid.uuid4().hex
    first = upload(site, blurred, camera)["match"]
    time.sleep(APART)
    upload(site, faces["hopper"], camera)
    back = Operator(site.url, auth={"last_seq": first["seq"] - 1})
    heard = back.next("new_alert")
    back.client.disconnect()
    shown = site.get(f"/api/alerts/{first['id']}").json()
    assert {name: heard[name] for name in EVIDENCE} == {name: shown[name] for name in EVIDENCE}
    assert heard["fpir"] < first["fpir"]
