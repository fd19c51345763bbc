"""Operators who read long pages again and again do not hold up a camera."""

from __future__ import annotations

import subprocess
import sys

import requests
from prometheus_client.parser import text_string_to_metric_families

from susracker.plugins import open_store
from susracker.testing.records import face_alert
from tests.waiting import PATIENCE, wait_until

READERS, ALERTS, POSTS = 20, 1000, 20

READ = """
import sys, threading, requests
def read():
    while True:
        requests.get(sys.argv[1]).raise_for_status()
for _ in range(int(sys.argv[2])):
    threading.Thread(target=read).start()
"""


def test_readers_of_long_pages_do_not_hold_up_a_camera(site):
    with open_store(site.store_url) as store:
        store.record([], [face_alert(site.ids["hopper"]) for _ in range(ALERTS)])
    url = f"{site.url}/api/alerts?limit={ALERTS}"
    page = requests.get(url, timeout=PATIENCE).json()
    assert len(page["alerts"]) == ALERTS
    readers = subprocess.Popen([sys.executable, "-c", READ, url, str(READERS)])
    try:
        assert wait_until(lambda: pages_read(site) > READERS)
        before = pages_read(site)
        for number in range(POSTS):
            body = {"camera_id": f"r-{number}", "camera_location": "x", "event_type": "violence"}
            assert site.post("/activity_alert", json=body).status_code == 200
        meanwhile = pages_read(site) - before
    finally:
        readers.kill()
        readers.wait()
    # A camera that had to wait for its turn would wait for a page of each reader.
    assert meanwhile < POSTS * READERS / 4


def pages_read(site) -> float:
    """How many pages of alerts the server has answered."""
    families = text_string_to_metric_families(site.get("/metrics").text)
    return sum(
        one.value
        for family in families
        for one in family.samples
        if one.name == "susracker_http_requests_total" and one.labels["route"] == "/api/alerts"
    )
