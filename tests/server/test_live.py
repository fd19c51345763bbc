"""Alerts live, and what an operator missed, with the official clients."""

from __future__ import annotations

import json
import subprocess
import threading
import time

import pytest
import requests
import socketio

from susracker.demo.process import ServerProcess
from tests.server.conftest import Operator, SocketClient
from tests.torture.site import Site


def raise_alerts(site, camera: str, count: int) -> list[int]:
    """Post activities on so many cameras; the `seq` of each alert."""
    before = site.get("/api/alerts", after=2**62).json()["last_seq"]
    for number in range(count):
        body = {
            "camera_id": f"{camera}-{number}",
            "camera_location": "Hall",
            "event_type": "violence",
        }
        assert site.post("/activity_alert", json=body).json() == {"message": "Alert sent"}
    return list(range(before + 1, before + 1 + count))


def test_who_was_away_gets_what_was_missed_in_order_and_once(site):
    missed = raise_alerts(site, "away", 120)
    operator = Operator(site.url, auth={"last_seq": missed[0]})
    later = raise_alerts(site, "after", 3)
    expected = missed[1:] + later
    heard = [operator.next("new_alert")["seq"] for _ in expected]
    operator.client.disconnect()
    assert heard == expected
    assert not operator.all_heard("new_alert")


def test_joining_while_alerts_pour_in_loses_and_repeats_nothing(site):
    start = site.get("/api/alerts", after=2**62).json()["last_seq"]
    poster = threading.Thread(target=raise_alerts, args=(site, "pour", 150))
    poster.start()
    operators = []
    while poster.is_alive() and len(operators) < 10:
        operators.append(Operator(site.url, auth={"last_seq": start}))
    poster.join()
    expected = list(range(start + 1, start + 151))
    for operator in operators:
        assert [operator.next("new_alert")["seq"] for _ in expected] == expected
        operator.client.disconnect()
    assert operators


def test_a_newcomer_gets_only_what_is_new(site):
    raise_alerts(site, "old", 2)
    operator = Operator(site.url)
    (seq,) = raise_alerts(site, "new", 1)
    assert operator.next("new_alert")["seq"] == seq
    operator.client.disconnect()


@pytest.mark.parametrize("last_seq", ["5", -1, 1.5, True])
def test_a_last_seq_that_is_none_is_refused(site, last_seq):
    client = SocketClient()
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.connect(site.url, auth={"last_seq": last_seq})


def test_alerts_of_another_process_on_the_same_store_are_heard(site, operator):
    with ServerProcess("--store", site.store_url, "--log-level", "warning") as other:
        body = {"camera_id": "other", "camera_location": "Hall", "event_type": "violence"}
        requests.post(f"{other.url}/activity_alert", json=body, timeout=60)
        assert operator.next("alert")["camera_id"] == "other"


def test_the_javascript_client_hears_both_events(site, faces, node_client):
    (first,) = raise_alerts(site, "js", 1)
    operator = subprocess.Popen(
        ["node", str(node_client), site.url, json.dumps({"last_seq": first - 1})],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        lines = (json.loads(line) for line in operator.stdout)
        assert next(lines)["event"] == "connect"
        assert [next(lines)["event"] for _ in range(2)] == ["alert", "new_alert"]
        match = site.upload(faces["collins"], f"js-{time.time()}").json()["match"]
        alert, new_alert = next(lines), next(lines)
        assert alert["event"] == "alert"
        assert alert["data"]["criminal_id"] == site.ids["collins"]
        assert new_alert == {"event": "new_alert", "data": match}
    finally:
        operator.kill()
        operator.wait()
        operator.stdout.close()


def test_the_javascript_client_connects_again_and_hears_each_alert_once(tmp_path, node_client):
    """With `auth` as a function, as docs/http.md has it."""
    with Site(tmp_path) as site:
        operator = subprocess.Popen(
            ["node", str(node_client), site.url, json.dumps({"last_seq": 0})],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            lines = (json.loads(line) for line in operator.stdout)
            assert next(lines)["event"] == "connect"
            heard = [send_violence(site, "one", lines)]
            site.kill()
            site.start()
            assert next(line for line in lines if line["event"] == "connect")
            heard.append(send_violence(site, "two", lines))
            assert heard == ["one", "two"]
        finally:
            operator.kill()
            operator.wait()
            operator.stdout.close()


def send_violence(site, camera, lines):
    """Raise an alert; the camera of the next `new_alert`."""
    body = {"camera_id": camera, "camera_location": "Hall", "event_type": "violence"}
    assert requests.post(f"{site.url}/activity_alert", json=body, timeout=60).ok
    return next(one["data"]["camera_id"] for one in lines if one["event"] == "new_alert")
