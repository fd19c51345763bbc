"""Reviews and outcomes over HTTP, and who hears of them."""

from __future__ import annotations

from datetime import datetime, timezone
from itertools import count

import pytest
import requests

from susracker.access.issuing import issue
from susracker.demo.process import ServerProcess
from susracker.judgement.judging import Judging
from susracker.plugins import open_store
from susracker.testing.race import race
from tests.server.conftest import Operator
from tests.waiting import wait_until

CAMERAS = count()


@pytest.fixture
def alert(site, faces) -> dict:
    answer = site.upload(faces["hopper"], f"judged-{next(CAMERAS)}").json()
    return answer["match"]


def review(site, alert: dict, **fields) -> requests.Response:
    body = {"verdict": "confirmed", "reason": "same scar"} | fields
    return site.post(f"/api/alerts/{alert['id']}/review", json=body)


def outcome(site, alert: dict, **fields) -> requests.Response:
    return site.post(f"/api/alerts/{alert['id']}/outcome", json=fields)


def test_a_review_is_shown_with_by_whom_and_when(site, alert):
    assert alert["status"] == "new"
    answer = review(site, alert, note="left cheek")
    assert answer.status_code == 200
    assert answer.json()["status"] == "confirmed"
    shown = site.get(f"/api/alerts/{alert['id']}").json()
    assert shown["status"] == "confirmed"
    assert shown["detected_face"] == alert["detected_face"]
    (made,) = shown["reviews"]
    assert made["made_by"] == "local"
    assert made["made_at"] > alert["received_at"]
    assert {name: made[name] for name in ("verdict", "reason", "note")} == {
        "verdict": "confirmed",
        "reason": "same scar",
        "note": "left cheek",
    }
    assert shown["outcomes"] == []
    assert answer.json()["reviews"] == [made]
    assert "detected_face" not in answer.json()


def test_alerts_are_listed_by_status(site, alert):
    review(site, alert, verdict="unsure")
    listed = site.get("/api/alerts", after=alert["seq"] - 1, status="unsure").json()["alerts"]
    assert [one["id"] for one in listed] == [alert["id"]]
    assert listed[0]["status"] == "unsure"
    assert site.get("/api/alerts", after=alert["seq"] - 1, status="new").json()["alerts"] == []
    assert site.get("/api/alerts", status="guilty").status_code == 400


def test_an_outcome_may_come_without_a_review(site, alert):
    answer = outcome(site, alert, outcome="not stopped", note="train left")
    assert answer.status_code == 200
    shown = site.get(f"/api/alerts/{alert['id']}").json()
    assert (shown["status"], shown["reviews"]) == ("new", [])
    assert shown["outcomes"][0]["outcome"] == "not stopped"
    assert shown["outcomes"][0]["note"] == "train left"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"verdict": "guilty"}, "verdict must be one of: confirmed, dismissed, unsure"),
        ({"reason": ""}, "reason is missing"),
        ({"reason": "x" * 201}, "reason is too long"),
        ({"reason": 7}, "reason: Input should be a valid string"),
        ({"made_by": "someone else"}, "made_by: Extra inputs are not permitted"),
        ({"note": "half a character \ud83d"}, ""),
    ],
)
def test_a_review_that_is_wrong_is_refused(site, alert, fields, told):
    answer = review(site, alert, **fields)
    assert answer.status_code == 400
    assert told in answer.json()["error"]
    assert site.get(f"/api/alerts/{alert['id']}").json()["reviews"] == []


def test_a_body_that_is_no_object_is_refused(site, alert):
    for path in ("review", "outcome"):
        answer = site.post(f"/api/alerts/{alert['id']}/{path}", data=b"[1]")
        assert answer.status_code == 400


def test_an_unknown_alert_is_not_found(site):
    assert review(site, {"id": "unknown"}).status_code == 404
    assert outcome(site, {"id": "unknown"}, outcome="lost").status_code == 404


def test_a_change_that_names_nothing_is_answered_with_what_is_there(site, alert):
    first = review(site, alert).json()["reviews"][0]
    answer = review(site, alert, verdict="dismissed", reason="taller")
    assert answer.status_code == 409
    assert "'confirmed', by local" in answer.json()["error"]
    there = answer.json()["alert"]
    assert (there["id"], there["status"], there["reviews"]) == (alert["id"], "confirmed", [first])
    changed = review(site, alert, verdict="dismissed", reason="taller", replaces=first["id"])
    assert changed.status_code == 200
    assert [one["verdict"] for one in changed.json()["reviews"]] == ["confirmed", "dismissed"]
    assert outcome(site, alert, outcome="lost").status_code == 200
    again = outcome(site, alert, outcome="wrong person")
    assert again.status_code == 409
    assert again.json()["alert"]["outcomes"][0]["outcome"] == "lost"


def test_of_two_operators_at_once_one_wins(site, alert):
    answers = race(lambda n: review(site, alert, reason=f"reason {n}"), 2)
    assert sorted(one.status_code for one in answers) == [200, 409]
    (lost,) = (one for one in answers if one.status_code == 409)
    (won,) = (one for one in answers if one.status_code == 200)
    assert lost.json()["alert"]["reviews"] == won.json()["reviews"]


def test_operators_hear_of_it(site, alert, operator):
    review(site, alert)
    heard = operator.next("alert_updated")
    shown = site.get(f"/api/alerts/{alert['id']}").json()
    names = ("id", "seq", "status", "reviews", "outcomes")
    assert heard == {name: shown[name] for name in names}
    outcome(site, alert, outcome="right person")
    assert operator.next("alert_updated")["outcomes"][0]["outcome"] == "right person"


def test_a_server_tells_of_what_was_said_at_another_on_the_same_store(site, alert):
    other = ServerProcess("--store", site.store_url, "--log-level", "warning")
    try:
        there = Operator(other.url)
        review(site, alert, verdict="dismissed", reason="taller")
        heard = there.next("alert_updated")
        assert (heard["id"], heard["status"]) == (alert["id"], "dismissed")
        there.client.disconnect()
    finally:
        other.stop()


def test_a_server_tells_of_what_was_said_on_the_command_line(site, alert, operator):
    with open_store(site.store_url) as store:
        Judging(store, 1).review(alert["id"], verdict="unsure", reason="dark", made_by="os:jo")
    heard = operator.next("alert_updated")
    assert (heard["id"], heard["reviews"][0]["made_by"]) == (alert["id"], "os:jo")


def test_what_was_said_before_a_client_caught_up_is_in_the_status(site, faces):
    before, after = (
        site.upload(faces["hopper"], f"judged-{next(CAMERAS)}").json()["match"] for _ in range(2)
    )
    review(site, after, verdict="dismissed")
    back = Operator(site.url, auth={"last_seq": before["seq"]})
    assert back.next("new_alert")["status"] == "dismissed"
    back.client.disconnect()


def test_a_confirmation_takes_the_keys_of_two_people_where_it_is_set(own_site, faces):
    strict = own_site("--review-required-by", "2")
    alert = strict.upload(faces["hopper"], "gate").json()["match"]
    with open_store(strict.store_url) as store:
        now = datetime.now(timezone.utc)
        made = [issue(store, "operator", name, None, None, now) for name in ("Jo", "Alex")]

    def confirm(text) -> requests.Response:
        return strict.post(
            f"/api/alerts/{alert['id']}/review",
            json={"verdict": "confirmed", "reason": "same scar"},
            headers={"X-API-Key": str(text)},
        )

    # Keys that were just made are followed within `follow_seconds`.
    (jo, jos), (alex, alexs) = made
    assert wait_until(lambda: strict.get("/api/alerts").status_code == 401)
    assert confirm(jos).json()["status"] == "to be confirmed"
    assert confirm(jos).status_code == 409
    answer = confirm(alexs).json()
    assert answer["status"] == "confirmed"
    assert [one["made_by"] for one in answer["reviews"]] == [f"Jo ({jo.id})", f"Alex ({alex.id})"]
