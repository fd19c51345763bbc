"""Who is recognised only as their passage ends: an alert that no camera's answer brings."""

from __future__ import annotations

import signal
import uuid
from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from susracker import open_tracker
from susracker.plugins import open_store
from susracker.runtime.clock import utc_now
from susracker.watchlist.looks import LOOKS
from tests.server.conftest import HOPPER, Operator, Site, enroll_both

SIGMA = 8
"""Blurs a face so much that it is found, and scores like a stranger's now and then."""


@dataclass(frozen=True)
class Faint:
    """A face that the last look recognises, and the first does not.

    Attributes:
        target: the target FPIR for that.
    """

    face: bytes
    target: float

    def flags(self, passage_seconds: float) -> tuple[str, ...]:
        return (
            *("--target-fpir", str(self.target)),
            *("--passage-seconds", str(passage_seconds)),
        )


@pytest.fixture(scope="module")
def faint(faces, tmp_path_factory) -> Faint:
    url = f"sqlite:///{tmp_path_factory.mktemp('faint') / 'site.db'}"
    enroll_both(url)
    sharp = cv2.imdecode(np.frombuffer(faces["hopper"], np.uint8), cv2.IMREAD_COLOR)
    blurred = cv2.GaussianBlur(sharp, (0, 0), SIGMA)
    with open_tracker(store=url) as tracker:
        picture = np.ascontiguousarray(blurred[:, :, ::-1])
        (search,) = tracker.recogniser.search_picture(picture, utc_now())
    fpir = search.candidates[0].fpir
    return Faint(cv2.imencode(".png", blurred)[1].tobytes(), fpir / (2 * LOOKS[0].share))


def pass_by(site: Site, faint: Faint) -> str:
    """Someone passes by whom the camera's answer does not name; the camera."""
    camera = uuid.uuid4().hex
    assert site.upload(faint.face, camera, "East door").json() == {"message": "No match found"}
    return camera


def test_operators_are_told_without_a_further_detection(own_site, faint):
    site = own_site(*faint.flags(passage_seconds=1))
    operator = Operator(site.url)
    camera = pass_by(site, faint)
    heard = operator.next("new_alert")
    assert (heard["name"], heard["camera_id"]) == (HOPPER.name, camera)
    assert heard["camera_location"] == "East door"
    assert LOOKS[0].share * faint.target < heard["fpir"] <= faint.target
    assert heard["detected_face"]
    (shown,) = site.all_alerts()
    assert shown["id"] == heard["id"]
    assert operator.all_heard("new_alert") == []
    operator.client.disconnect()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_open_passages_are_decided_on_as_the_server_stops(own_site, faint, number, status):
    site = own_site(*faint.flags(passage_seconds=60))
    cameras = {pass_by(site, faint) for _ in range(3)}
    assert site.all_alerts() == []
    site.server.process.send_signal(number)
    assert site.server.process.wait(timeout=60) == status
    site.server.stop()  # closes the pipe of its output
    with open_store(site.store_url) as store:
        stored = store.alerts()
    assert {alert.camera_id for alert in stored} == cameras
    site.restart()
    back = Operator(site.url, auth={"last_seq": 0})
    assert {back.next("new_alert")["camera_id"] for _ in cameras} == cameras
    back.client.disconnect()
