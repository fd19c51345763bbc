"""Alerts on the page: seen live, judged by mouse and by key, caught up on after a break."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timezone
from threading import Event
from typing import Any

import cv2
import numpy as np
import requests

from tests.page.looks import ALL_SHOWN, expect, first, live, row, rows
from tests.server.conftest import HOPPER
from tests.services.servers import free_port
from tests.torture.relay import Relay
from tests.waiting import PATIENCE


def detail(page: Any, name: str = HOPPER.name) -> Any:
    return page.get_by_role("region", name=name, exact=True)


def found(site: Any, camera: str) -> dict[str, Any]:
    """The only alert of a camera, with everything."""
    (one,) = [alert for alert in site.all_alerts() if alert["camera_id"] == camera]
    return site.get(f"/api/alerts/{one['id']}").json()


def test_an_alert_arrives_live_with_both_faces(site, faces, pages):
    page = pages.open(site.url)
    live(page)
    site.upload(faces["hopper"], "live-1", "North stairs")
    row(page, "live-1").click()
    shown = detail(page)
    expect(shown.get_by_role("heading", name=HOPPER.name)).to_be_visible()
    for picture in ("Face from camera live-1", f"Enrolled photo of {HOPPER.name}"):
        image = shown.get_by_role("img", name=picture)
        expect(image).to_be_visible()
        assert image.evaluate("one => one.naturalWidth") > 50
    expect(shown.get_by_text("North stairs")).to_be_visible()
    expect(shown.get_by_text("forgery")).to_be_visible()
    expect(shown.get_by_text(re.compile("stranger.* would score this high"))).to_be_visible()
    assert "confidence" not in page.content().lower()


def test_better_evidence_replaces_the_face_and_the_score(site, faces, pages):
    page = pages.open(site.url)
    live(page)
    fields = {"camera_id": "better-1", "track_id": "t1"}
    sharp = cv2.imdecode(np.frombuffer(faces["hopper"], np.uint8), cv2.IMREAD_COLOR)
    blurred = cv2.imencode(".jpg", cv2.GaussianBlur(sharp, (0, 0), 4))[1].tobytes()
    site.post("/face_upload", data=fields, files={"file": ("face.jpg", blurred)})
    row(page, "better-1").click()
    face = detail(page).get_by_role("img", name="Face from camera better-1")
    before = face.get_attribute("src")
    time.sleep(1)  # another face counts for a whole probe then
    site.post("/face_upload", data=fields, files={"file": ("face.jpg", faces["hopper"])})
    expect(face).not_to_have_attribute("src", before)
    assert face.get_attribute("src").endswith(found(site, "better-1")["detected_face"])
    expect(row(page, "better-1")).to_have_count(1)


def test_an_alert_is_judged_with_the_mouse_and_everyone_sees_it(site, faces, pages):
    one, other = pages.open(site.url), pages.open(site.url)
    live(one)
    live(other)
    site.upload(faces["hopper"], "mouse-1")
    for page in (one, other):
        row(page, "mouse-1").click()
    one.get_by_role("button", name="Dismiss").click()
    one.get_by_role("button", name="Different person").click()
    expect(row(one, "mouse-1")).to_have_count(0)
    expect(detail(other).get_by_text("Dismissed").first).to_be_visible()
    expect(detail(other).get_by_text("Different person")).to_be_visible()
    assert found(site, "mouse-1")["status"] == "dismissed"


def test_an_alert_is_judged_by_key_and_the_next_one_follows(site, faces, pages):
    site.upload(faces["hopper"], "key-1")
    site.upload(faces["collins"], "key-2")
    page = pages.open(site.url)
    expect(detail(page, "Eileen Collins (sample)")).to_be_visible()
    page.keyboard.press("c")
    page.keyboard.press("2")
    expect(detail(page)).to_be_visible()
    said = found(site, "key-2")["reviews"]
    assert [(one["verdict"], one["reason"]) for one in said] == [
        ("confirmed", "Face and distinctive marks agree")
    ]
    page.keyboard.press("u")
    page.keyboard.press("Escape")
    assert found(site, "key-1")["status"] == "new"


def test_a_reason_of_ones_own_a_note_a_changed_mind_and_an_outcome(site, faces, pages):
    site.upload(faces["hopper"], "mind-1")
    page = pages.open(site.url)
    page.get_by_role("button", name="All").click()
    row(page, "mind-1").click()
    page.get_by_role("button", name="Unsure").click()
    page.get_by_role("textbox", name="Another reason").fill("<b>too dark</b>")
    page.get_by_text("Note (optional)").click()
    page.get_by_role("textbox", name="Note").fill("ask Sam")
    page.get_by_role("button", name="Save").click()
    expect(detail(page).get_by_text("<b>too dark</b>")).to_be_visible()
    page.get_by_role("button", name="Change the review").click()
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("button", name="Same face").click()
    page.get_by_role("combobox", name="What became of it?").select_option("Right person")
    page.get_by_role("button", name="Save").click()
    expect(detail(page).get_by_text("Outcome: Right person")).to_be_visible()
    alert = found(site, "mind-1")
    assert [one["verdict"] for one in alert["reviews"]] == ["unsure", "confirmed"]
    assert alert["reviews"][0]["note"] == "ask Sam"
    assert [one["outcome"] for one in alert["outcomes"]] == ["right person"]


def test_who_judges_second_is_told_what_the_first_one_said(site, faces, pages):
    site.upload(faces["hopper"], "second-1")
    page = pages.open(site.url)
    row(page, "second-1").click()
    page.get_by_role("button", name="Confirm").click()
    alert = found(site, "second-1")
    with page.expect_request("**/review") as sent:
        page.route("**/review", lambda route: (judge(site, alert), route.continue_()))
        page.get_by_role("button", name="Same face").click()
    assert sent.value.response().status == 409
    expect(page.get_by_text(re.compile("Somebody else was faster"))).to_be_visible()


def judge(site: Any, alert: dict[str, Any]) -> None:
    body = {"verdict": "dismissed", "reason": "much taller"}
    assert site.post(f"/api/alerts/{alert['id']}/review", json=body).status_code == 200


def test_activities_are_in_the_same_list_and_the_filter_narrows_it(site, faces, pages):
    page = pages.open(site.url)
    live(page)
    site.post(
        "/activity_alert",
        json={"event_type": "violence", "camera_id": "filter-1", "camera_location": "Hall"},
    )
    site.upload(faces["hopper"], "filter-2")
    expect(row(page, "filter-1")).to_contain_text("violence")
    expect(row(page, "filter-2")).to_be_visible()
    page.get_by_text("Filter", exact=True).click()
    page.get_by_role("combobox", name="Camera").select_option("filter-2")
    expect(row(page, "filter-1")).to_have_count(0)
    page.get_by_role("button", name="Clear").click()
    expect(row(page, "filter-1")).to_be_visible()
    page.get_by_role("searchbox", name="Person").fill("VIOL")
    expect(row(page, "filter-2")).to_have_count(0)
    expect(row(page, "filter-1")).to_be_visible()


def test_a_camera_without_a_location_is_called_by_its_id(site, pages):
    page = pages.open(site.url)
    live(page)
    for camera, fields in {"bare-1": {}, "bare-2": {"camera_location": " "}}.items():
        site.post("/activity_alert", json={"event_type": "fire", "camera_id": camera, **fields})
        expect(row(page, camera)).to_have_text(re.compile(rf"now\s*{camera}\s*$"))
    row(page, "bare-2").click()
    seen_at = page.locator(".facts > div").first
    expect(seen_at).to_have_text("Seen atbare-2")


def test_the_rest_of_an_alert_that_arrives_late_leaves_the_focus_to_who_judges(site, pages):
    activity(site, "late-1")
    held: list[Any] = []
    page = pages.open(site.url)
    live(page)
    expect(row(page, "late-1")).to_be_visible()
    page.route(f"**/api/alerts/{found(site, 'late-1')['id']}", lambda route: held.append(route))
    # An alert that came live has no rest that is late, one of the list has.
    page.reload()
    live(page)
    row(page, "late-1").click()
    page.keyboard.press("c")
    reason = page.locator(".reasons button").first
    expect(reason).to_be_focused()
    page.evaluate("document.querySelector('.detail h1').dataset.is = 'early'")
    first(page, held).continue_()
    expect(page.locator(".detail h1")).not_to_have_attribute("data-is", "early")
    expect(reason).to_be_focused()


AWAY_SECONDS = 10

LONGEST_PAUSE = 5
"""Seconds before the page tries again to connect."""

ONE_TRY = "fetch('/healthz').catch(() => {})"
"""As long as a try to connect takes."""


def test_each_of_a_hundred_alerts_is_shown_once_although_the_server_is_cut_off(own_site, pages):
    """Alerts come before and after the page is without a connection, and meanwhile.

    The page's clock is put forward, so that nobody waits.
    """
    site = own_site(enrolled=False)
    relay = Relay(int(site.url.rpartition(":")[2]))
    page = pages.open("about:blank")
    page.clock.install()
    page.goto(f"http://127.0.0.1:{relay.port}")
    live(page)
    cameras = [f"cut-{number}" for number in range(100)]
    for camera in cameras[:40]:
        activity(site, camera)
    relay.away = True
    for camera in cameras[40:70]:
        activity(site, camera)
    expect(page.get_by_text("Not connected")).to_be_visible()
    for _ in range(AWAY_SECONDS):
        page.clock.fast_forward(1000)
        page.evaluate(ONE_TRY)
    relay.away = False
    for camera in cameras[70:]:
        activity(site, camera)
    page.clock.fast_forward(1000 * LONGEST_PAUSE)
    live(page)
    expect(rows(page).first).to_have_attribute("aria-setsize", "100")
    assert page.evaluate(ALL_SHOWN) == cameras[::-1]
    relay.close()


def test_a_server_that_is_killed_and_started_again_loses_and_repeats_nothing(own_site, pages):
    """In the middle of alerts, on the same address and the same store."""
    site = own_site("--port", str(free_port()), enrolled=False)
    page = pages.open(site.url)
    live(page)
    cameras = [f"kill-{number}" for number in range(60)]
    begun, killed = Event(), Event()

    def post_all() -> None:
        for number, camera in enumerate(cameras):
            if number == 40:  # however slowly this machine looks at the page
                killed.wait(PATIENCE)
            insist(site, camera)
            if number == 20:
                begun.set()

    with ThreadPoolExecutor(1) as pool:
        posting = pool.submit(post_all)
        assert begun.wait(PATIENCE)
        expect(rows(page).first).to_be_visible()
        site.server.process.kill()
        site.server.stop()
        killed.set()
        expect(page.get_by_text("Not connected")).to_be_visible()
        site.restart()
        posting.result()
    live(page)
    expect(rows(page).first).to_have_attribute("aria-setsize", "60")
    assert page.evaluate(ALL_SHOWN) == cameras[::-1]


def insist(site: Any, camera: str) -> None:
    """Post an activity, as a camera does it: again under the same id until it is answered."""
    now = datetime.now(timezone.utc).isoformat()
    sent = {"camera_id": camera, "event_type": "fire", "event_id": camera, "timestamp": now}
    sent["camera_location"] = "Hall"
    end = time.monotonic() + 2 * PATIENCE
    while time.monotonic() < end:
        with suppress(requests.ConnectionError):
            answer = site.post("/api/detections", json=sent)
            assert answer.status_code == 200, answer.text
            return
        time.sleep(0.1)
    raise AssertionError("the server did not come back")


def activity(site: Any, camera: str) -> None:
    answer = site.post("/activity_alert", json={"event_type": "violence", "camera_id": camera})
    assert answer.status_code == 200
