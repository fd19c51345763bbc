"""`/metrics`: what is counted, by its documented names, with nothing in it that names anyone."""

from __future__ import annotations

import base64
import json
import re
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from susracker import open_tracker
from susracker.access.issuing import issue
from susracker.commands.news import News
from susracker.delivery.rules import plan_of
from susracker.enrolment.enroller import Enroller
from susracker.enrolment.fields import criminal_from_fields
from susracker.server.service import EXTENSION
from tests.delivery.web import WebServer
from tests.pictures import HOPPER
from tests.server.apps import running_app
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"


@pytest.fixture
def web():
    server = WebServer()
    yield server
    server.close()


@pytest.fixture
def client(tmp_path, web):
    url = f"sqlite:///{tmp_path / 'site.db'}"
    hook = {"kind": "webhook", "url": web.url, "secrets": [SECRET], "allow_private": True}
    plan = plan_of({"channels": {"hook": hook}, "rules": [{"to": "hook"}]})
    lasting = {"cooldown_seconds": 60, "passage_seconds": 60}
    with open_tracker(store=url, **lasting) as tracker, ExitStack() as stack:
        news = News(tracker.settings, tracker.store, plan, stack)
        app = stack.enter_context(running_app(tracker, None, news.parts))
        news.follow(app.extensions[EXTENSION])
        enroller = Enroller(tracker.store, tracker.encoder)
        photo = enroller.prepare(HOPPER.read_bytes())
        enroller.enroll(criminal_from_fields({"name": "Grace Hopper"}), [photo])
        tracker.refresh()
        yield app.test_client()


def samples(client: Any) -> dict[tuple[str, ...], float]:
    """Each value by its name and the values of its labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (one.name, *one.labels.values()): one.value
        for family in text_string_to_metric_families(answer.text)
        for one in family.samples
    }


def post(client: Any, **fields: Any) -> Any:
    common = {"camera_id": "gate-7", "camera_location": "Gate"}
    timed = {"timestamp": datetime.now(timezone.utc).isoformat()}
    return client.post("/api/detections", json=common | timed | fields)


def post_face(client: Any, **fields: Any) -> Any:
    image = base64.b64encode(HOPPER.read_bytes()).decode()
    return post(client, event_type="face", image=image, **fields)


def test_detections_alerts_and_reviews_are_counted(client):
    alert = post_face(client).get_json()["match"]
    post_face(client)
    post(client, event_type="violence")
    client.post(
        f"/api/alerts/{alert['id']}/review", json={"verdict": "dismissed", "reason": "taller"}
    )
    client.post(f"/api/alerts/{alert['id']}/outcome", json={"outcome": "wrong person"})
    found = samples(client)
    assert found["susracker_detections_total", "alert"] == 2
    assert found["susracker_detections_total", "cooldown"] == 1
    assert found["susracker_sightings_suppressed_total",] == 1
    assert found["susracker_alerts_total", "face"] == 1
    assert found["susracker_alerts_total", "activity"] == 1
    assert found["susracker_reviews_total", "dismissed"] == 1
    assert found["susracker_encounter_outcomes_total", "wrong_person"] == 1
    assert found["susracker_broadcast_alert_seq",] == 2
    for stage in ("waiting", "handling", "broadcasting"):
        assert found["susracker_detection_stage_duration_seconds_count", stage] == 3
    assert found["susracker_http_requests_total", "POST", "/api/detections", "200"] == 3


def test_a_repeat_is_a_detection_but_no_alert(client):
    for _ in range(2):
        assert post_face(client, event_id="one").get_json()["message"] == "Match found"
    found = samples(client)
    assert found["susracker_detections_total", "alert"] == 2
    assert found["susracker_alerts_total", "face"] == 1


def test_a_refused_judgement_is_not_counted(client):
    review = {"verdict": "dismissed", "reason": "taller"}
    alert = post_face(client).get_json()["match"]
    where = f"/api/alerts/{alert['id']}/review"
    assert [client.post(where, json=review).status_code for _ in range(2)] == [200, 409]
    assert samples(client)["susracker_reviews_total", "dismissed"] == 1


def test_the_state_is_that_of_readyz(client):
    found, ready = samples(client), client.get("/readyz").get_json()
    assert found["susracker_watchlist_people",] == ready["watchlist"] == 1
    assert found["susracker_threshold_score",] == ready["threshold"]
    assert found["susracker_target_fpir_ratio",] == ready["target_fpir"]
    assert found["susracker_ready",] == (ready["status"] == "ready") == 1
    assert found["susracker_part_working", "tracker"] == 1


def test_what_does_not_work_is_zero(client, monkeypatch):
    parts = client.application.extensions["susracker"]
    monkeypatch.setattr(type(parts.live), "problem", "broadcasting stopped")
    found = samples(client)
    assert found["susracker_part_working", "broadcast"] == found["susracker_ready",] == 0


def test_nothing_that_a_client_made_up_is_a_label(client):
    for number in range(20):
        client.get(f"/nowhere/{number}")
        client.open("/healthz", method=f"ODD{number}")
        client.get(f"/api/criminals/nobody-{number}")
    text = client.get("/metrics").text
    assert "nobody-" not in text
    assert "ODD" not in text
    assert "/nowhere" not in text
    found = samples(client)
    assert found["susracker_http_requests_total", "unknown", "unknown", "404"] == 20


def test_no_name_camera_or_key_is_in_it(client):
    tracker = client.application.extensions["susracker"].tracker
    post_face(client)
    post(client, event_type="violence")
    text = client.get("/metrics").text
    person = tracker.store.criminals()[0]
    for secret in (person.id, "Hopper", "gate-7", "Gate", "violence"):
        assert secret not in text


def test_a_monitors_key_reads_measures_and_nothing_else(client):
    store = client.application.extensions["susracker"].tracker.store
    _, text = issue(store, "monitor", "prometheus", None, None, datetime.now(timezone.utc))
    shown = {"Authorization": f"Bearer {text}"}
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers=shown).status_code == 200
    assert client.get("/api/alerts", headers=shown).status_code == 403


def test_passages_and_the_networks_time_are_counted(client):
    assert samples(client)["susracker_passages_total",] == 0
    before = samples(client)["susracker_network_duration_seconds_count",]
    post_face(client)
    post_face(client)
    found = samples(client)
    assert found["susracker_passages_total",] == found["susracker_passages_open",] == 1
    assert found["susracker_network_duration_seconds_count",] > before
    assert 0 < found["susracker_network_duration_seconds_sum",] < 60
    assert found["susracker_detections_waiting",] == 0


def eventually(client: Any, wanted: dict[tuple[str, ...], float]) -> bool:
    """Whether the measures become these soon."""

    def are() -> bool:
        found = samples(client)
        return all(found[name] == value for name, value in wanted.items())

    return wait_until(are)


def test_deliveries_are_counted_by_channel_and_state(client, web):
    post(client, event_type="violence")
    assert eventually(
        client,
        {
            ("susracker_deliveries_total", "hook", "delivered"): 1,
            ("susracker_deliveries_total", "hook", "put_off"): 0,
            ("susracker_channel_working", "hook"): 1,
            ("susracker_channel_alert_seq", "hook"): 1,
        },
    )
    web.status = 400
    post(client, event_type="fire")
    given_up = ("susracker_deliveries_total", "hook", "given_up")
    assert eventually(client, {given_up: 1, ("susracker_channel_alert_seq", "hook"): 2})
    web.status = 503
    post(client, event_type="smoke")
    put_off = ("susracker_deliveries_total", "hook", "put_off")
    assert eventually(client, {put_off: 1, ("susracker_channel_working", "hook"): 0})
    assert samples(client)["susracker_channel_alert_seq", "hook"] == 2


KINDS = ("counter", "gauge", "histogram", "summary")
NO_BASE_UNIT = (
    "ms",
    "milliseconds",
    "minutes",
    "hours",
    "days",
    "kb",
    "mb",
    "percent",
    "kilobytes",
)


def test_names_follow_the_conventions(client):
    """As `promtool check metrics` does: https://prometheus.io/docs/practices/naming/."""
    for one in text_string_to_metric_families(client.get("/metrics").text):
        name = one.name.removesuffix("_created")
        words = name.split("_")
        assert re.fullmatch("[a-z][a-z0-9_]*", name)
        assert one.documentation, name
        assert not set(words) & {*KINDS, *NO_BASE_UNIT}, name
        ends = {sample.name.removeprefix(name) for sample in one.samples}
        if one.type == "counter":
            assert ends <= {"_total", "_created"}, name
        elif one.type in ("histogram", "summary"):
            assert words[-1] in ("seconds", "bytes"), name
        elif one.type == "gauge":
            assert words[-1] not in ("total", "count", "sum", "bucket"), name


def documented() -> set[str]:
    page = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `(susracker_\w+)`", page, re.MULTILINE))


def measured(client: Any) -> set[str]:
    families = text_string_to_metric_families(client.get("/metrics").text)
    names = {
        one.name + ("_total" if one.type == "counter" else "_info" if one.type == "info" else "")
        for one in families
    }
    return {name for name in names if name.startswith("susracker_") and "_created" not in name}


def test_every_measure_is_documented_and_no_other(client):
    assert measured(client) == documented()


def test_the_dashboard_asks_for_measures_that_there_are(client):
    board = json.loads((ROOT / "deploy" / "grafana.json").read_text(encoding="utf-8"))
    asked = {
        name
        for panel in board["panels"]
        for target in panel["targets"]
        for name in re.findall(r"\b(?:susracker|process)_\w+", target["expr"])
    }
    there = {name for name, *_ in samples(client)} | documented()
    assert {re.sub("_bucket$|_sum$|_count$", "", name) for name in asked} <= there
    shown = {re.sub("_bucket$|_sum$|_count$", "", one) for one in asked}
    assert documented() - {"susracker_build_info"} <= shown
