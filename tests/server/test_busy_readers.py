"""A camera's answer does not wait for the threads on which operators' look-ups run."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import gevent

from susracker import open_tracker
from susracker.enrolment.enroller import Enroller
from susracker.models import Criminal
from susracker.server.app import READERS
from susracker.server.service import EXTENSION
from tests.pictures import HOPPER
from tests.server.apps import running_app


def test_a_match_is_answered_while_all_readers_are_busy(tmp_path: Path) -> None:
    settings = {"store": f"sqlite:///{tmp_path / 'site.db'}", "audit_key": str(tmp_path / "key")}
    done = threading.Event()
    with open_tracker(**settings) as tracker, running_app(tracker) as app:
        enroller = Enroller(tracker.store, tracker.encoder)
        enroller.enroll(Criminal("c1", "Grace"), [enroller.prepare(HOPPER.read_bytes())])
        tracker.refresh()
        reads = app.extensions[EXTENSION].reads
        busy = [gevent.spawn(reads.call, done.wait, 60) for _ in range(2 * READERS)]
        gevent.sleep(0)
        sent = {"file": (io.BytesIO(HOPPER.read_bytes()), "a.jpg"), "camera_id": "gate"}
        answer = gevent.spawn(app.test_client().post, "/face_upload", data=sent).get(timeout=60)
        assert answer.get_json()["match"]["criminal_image"]
        assert not any(one.ready() for one in busy)
        done.set()
        gevent.joinall(busy, timeout=60)
