"""Operators who read long pages again and again do not hold up a camera."""

from __future__ import annotations

import subprocess
import sys
import time

import requests

from susracker.plugins import open_store
from susracker.testing.records import face_alert

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
    page = requests.get(url, timeout=30).json()
    assert len(page["alerts"]) == ALERTS
    readers = subprocess.Popen([sys.executable, "-c", READ, url, str(READERS)])
    time.sleep(2)
    times = []
    for number in range(POSTS):
        began = time.monotonic()
        body = {"camera_id": f"r-{number}", "camera_location": "x", "event_type": "violence"}
        assert site.post("/activity_alert", json=body).status_code == 200
        times.append(time.monotonic() - began)
    readers.kill()
    readers.wait()
    print(f"median {sorted(times)[POSTS // 2]:.3f} s, most {max(times):.3f} s")
    assert sorted(times)[POSTS // 2] < 0.5
