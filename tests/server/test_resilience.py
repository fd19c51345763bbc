"""Load, crashes, restarts, and other processes: what was answered is never lost."""

from __future__ import annotations

import itertools
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from susracker.plugins import open_store
from susracker.server.receiving import BODY_SECONDS
from tests.server.conftest import COLLINS, Operator, enroll_both
from tests.waiting import wait_until

HALF = b"POST /api/detections HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
HALF += b"Content-Length: 1000\r\n\r\n{"


def test_many_connections_while_people_come_and_go(own_site, faces):
    site = own_site("--queue-size", "200")
    operator = Operator(site.url)
    stop = threading.Event()
    churned = []
    photo = COLLINS.portrait.read_bytes()

    def churn() -> None:
        files = {"file": photo}
        while not stop.is_set():
            removed = site.ids.get("collins") or churned[-1]
            assert requests.delete(f"{site.url}/api/criminals/{removed}", timeout=60).ok
            site.ids.pop("collins", None)
            answer = site.post("/api/criminals", data={"name": "Collins again"}, files=files)
            assert answer.status_code == 201, answer.text
            churned.append(answer.json()["id"])

    kinds = itertools.cycle(["hopper", "collins", "stranger", "hopper", "wall"])
    jobs = [(next(kinds), f"load-{number % 37}") for number in range(200)]
    with ThreadPoolExecutor(17) as pool:
        churning = pool.submit(churn)
        answers = list(pool.map(lambda job: site.upload(faces[job[0]], job[1]), jobs))
        stop.set()
        churning.result()
    assert churned
    assert [answer.status_code for answer in answers] == [200] * 200
    bodies = [answer.json() for answer in answers]
    answered = {body["match"]["id"] for body in bodies if "match" in body}
    assert len(answered) >= 30
    assert answered <= {alert["id"] for alert in site.all_alerts()}
    heard = set()
    while missing := answered - heard:
        assert operator.client.connected, f"cut off with {len(missing)} of {len(answered)} to come"
        heard.add(operator.next("new_alert")["id"])
    operator.client.disconnect()
    assert site.get("/readyz").json()["status"] == "ready"


def test_nothing_answered_is_lost_by_kill_9(own_site, faces):
    site = own_site("--cooldown-seconds", "0")
    answered, killed = [], threading.Event()

    def post(number: int) -> None:
        while not killed.is_set():
            try:
                body = site.upload(faces["hopper"], f"crash-{number}").json()
            except requests.RequestException:
                return
            answered.append(body["match"]["id"])

    with ThreadPoolExecutor(8) as pool:
        posting = [pool.submit(post, number) for number in range(8)]
        assert wait_until(lambda: len(answered) >= 30)
        site.server.process.send_signal(signal.SIGKILL)
        site.server.process.wait()
        killed.set()
        for future in posting:
            future.result()
    site.server.stop()
    site.restart()
    stored = {alert["id"] for alert in site.all_alerts()}
    assert set(answered) <= stored


def test_a_restart_does_not_repeat_alerts(own_site, faces):
    site = own_site("--cooldown-seconds", "3600")
    activity = {"camera_id": "gate", "camera_location": "Gate", "event_type": "violence"}
    assert site.upload(faces["hopper"], "gate").json()["message"] == "Match found"
    assert site.post("/activity_alert", json=activity).json() == {"message": "Alert sent"}
    assert site.server.stop() == 0
    site.restart()
    assert site.upload(faces["hopper"], "gate").json()["message"] == "Match found but in cooldown"
    assert site.post("/activity_alert", json=activity).json() == {"message": "Alert in cooldown"}


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_finishes_what_was_accepted(own_site, faces, number, status):
    site = own_site("--workers", "1", "--cooldown-seconds", "0")
    operator = Operator(site.url)  # an open connection must not keep the server from stopping
    with ThreadPoolExecutor(12) as pool:
        posts = [pool.submit(site.upload, faces["hopper"], f"stop-{n}") for n in range(12)]
        assert wait_until(lambda: site.get("/readyz").json()["in_flight"] >= 4)
        site.server.process.send_signal(number)
        statuses = []
        for post in posts:
            try:
                statuses.append(post.result().status_code)
            except requests.ConnectionError:
                statuses.append(0)  # it had not been accepted
    assert site.server.process.wait(timeout=60) == status
    assert statuses.count(200) >= 4
    assert set(statuses) <= {200, 0}
    operator.client.disconnect()
    with open_store(site.store_url) as store:
        assert len(store.alerts()) >= statuses.count(200)


def test_a_body_that_never_arrives_does_not_delay_the_end(own_site, faces):
    site = own_site("--cooldown-seconds", "0")
    half, started = [], time.monotonic()
    for _ in range(3):
        half.append(socket.create_connection(("127.0.0.1", int(site.url.rpartition(":")[2]))))
        half[-1].sendall(HALF)
    assert "match" in site.upload(faces["hopper"], "before").json()
    assert site.server.stop() == 0
    # A fifth of this is enough on an idle machine; it is how long the bodies may take to arrive.
    assert time.monotonic() - started < BODY_SECONDS
    for one in half:
        # Not 400, with which cameras give up an event.
        assert one.recv(12) == b"HTTP/1.1 408"
        one.close()


def test_people_enrolled_by_another_process_are_matched(own_site, faces):
    site = own_site(enrolled=False)
    assert site.upload(faces["hopper"], "a").json() == {"message": "No match found"}
    ids = enroll_both(site.store_url)
    cameras = itertools.count()

    def is_matched() -> bool:
        return "match" in site.upload(faces["hopper"], f"b-{next(cameras)}").json()

    assert wait_until(is_matched)
    with open_store(site.store_url) as store:
        store.remove_criminal(ids["hopper"])
    assert site.upload(faces["hopper"], "c").json() == {"message": "No match found"}


def test_a_full_queue_answers_503_and_when_to_come_again(own_site, faces):
    site = own_site("--workers", "1", "--queue-size", "0")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: site.upload(faces["hopper"], f"q-{n}"), range(40)))
    refused = [answer for answer in answers if answer.status_code == 503]
    assert {answer.status_code for answer in answers} == {200, 503}
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)


def test_a_port_that_is_taken(own_site):
    site = own_site()
    port = site.url.rpartition(":")[2]
    second = subprocess.run(
        [sys.executable, "-m", "susracker", "serve", "--store", site.store_url, "--port", port],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert second.returncode == 1
    assert "is in use" in second.stderr
    assert "Traceback" not in second.stderr
