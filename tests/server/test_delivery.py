"""Cameras against a server that is killed: every event is stored once, in order."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from susracker.client import Camera
from susracker.demo.process import ServerProcess
from susracker.plugins import open_store
from tests.services.servers import free_port
from tests.waiting import wait_until

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
EVENTS, KILLS = 40, 2


def test_every_event_is_stored_once_in_order(tmp_path):
    port, store = free_port(), f"sqlite:///{tmp_path / 'site.db'}"
    flags = ("--port", str(port), "--store", store, "--cooldown-seconds", "0")
    flags += ("--log-level", "error")
    server = ServerProcess(*flags)
    cameras = [
        Camera(server.url, f"camera-{number}", "Main gate", spool=tmp_path / "spool")
        for number in range(2)
    ]
    for number in range(EVENTS):
        for camera in cameras:
            camera.send_activity(f"kind {number}", NOON + timedelta(seconds=number))
    for kill in range(1, KILLS + 1):
        enough = kill * EVENTS * len(cameras) // (KILLS + 1)
        assert wait_until(lambda least=enough: sum(one.counts.sent for one in cameras) >= least)
        server.process.kill()
        server.stop()
        server = ServerProcess(*flags)
    assert all(camera.flush(60) for camera in cameras)
    for camera in cameras:
        camera.close()
        counts = camera.counts
        assert (counts.sent, counts.refused, counts.dropped) == (EVENTS, 0, 0)
    server.stop()
    with open_store(store) as opened:
        alerts = opened.alerts(limit=10 * EVENTS)
    for number in range(2):
        his = [one for one in alerts if one.camera_id == f"camera-{number}"]
        assert [one.event_type for one in his] == [f"kind {n}" for n in range(EVENTS)]
        assert [one.occurred_at for one in his] == [
            NOON + timedelta(seconds=n) for n in range(EVENTS)
        ]
