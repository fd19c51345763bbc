"""Signing in, what each role sees, cameras, numbers and administration."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from susracker.access.issuing import issue
from susracker.benchmark.kept import keep
from susracker.benchmark.run import Plan
from susracker.models import Camera, CameraDay
from susracker.plugins import open_encoder, open_store
from tests.page.looks import expect, live, row
from tests.server.conftest import Site
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {}


@pytest.fixture(scope="module")
def guarded(browser: Any, tmp_path_factory: pytest.TempPathFactory, keys: dict[str, str]) -> Any:
    """A server that asks for keys."""
    site = Site(tmp_path_factory.mktemp("guarded"), "--follow-seconds", "0.2")
    with open_store(site.store_url) as store:
        for role in ("admin", "operator", "viewer", "auditor", "camera"):
            now = datetime.now(timezone.utc)
            keys[role] = str(issue(store, role, f"{role} key", None, None, now)[1])
    assert wait_until(lambda: site.get("/api/cameras").status_code == 401)
    yield site
    site.server.stop()


def sign_in(pages: Any, site: Any, key: str) -> Any:
    page = pages.open(site.url)
    page.get_by_label("Your key").fill(key)
    page.get_by_role("button", name="Sign in").click()
    return page


def test_a_wrong_key_and_a_cameras_key_are_refused_with_a_reason(guarded, keys, pages):
    page = sign_in(pages, guarded, "sus_123456789abc_wrong")
    expect(page.get_by_role("alert")).to_contain_text("not known")
    page.get_by_label("Your key").fill(keys["camera"])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("camera's key")


SEES = {
    "admin": ["Alerts", "People", "Find", "Cameras", "Numbers", "Admin"],
    "operator": ["Alerts", "People", "Find", "Cameras", "Numbers"],
    "viewer": ["Alerts", "People", "Cameras", "Numbers"],
    "auditor": ["Admin"],
}


@pytest.mark.parametrize("role", SEES)
def test_each_role_sees_its_views_and_signs_out(guarded, keys, pages, faces, role):
    post_face(guarded, keys, f"{role}-1", faces["hopper"])
    page = sign_in(pages, guarded, keys[role])
    links = page.get_by_role("navigation").get_by_role("link")
    expect(links).to_have_count(len(SEES[role]))
    shown = [re.sub(r"\d+.*", "", one).strip() for one in links.all_inner_texts()]
    assert shown == SEES[role]
    if role != "auditor":
        live(page)
        row(page, f"{role}-1").click()
        judge = page.get_by_role("button", name="Confirm")
        expect(judge).to_have_count(0 if role == "viewer" else 1)
    else:
        expect(page.get_by_role("heading", name="Audit log")).to_be_visible()
        expect(page.get_by_role("button", name="Make a key")).to_have_count(0)
    page.reload()
    expect(page.get_by_text(f"{role} key", exact=True)).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Your key")).to_be_visible()
    assert page.evaluate("fetch('/api/session').then(answer => answer.status)") == 401


def test_the_keyboard_alone_is_enough(guarded, keys, faces, pages):
    """From the sign-in to the track of the person."""
    for camera in ("keyboard-1", "keyboard-2"):
        post_face(guarded, keys, camera, faces["hopper"])
    page = pages.open(guarded.url)
    expect(page.get_by_label("Your key")).to_be_focused()
    page.keyboard.type(keys["operator"])
    page.keyboard.press("Enter")
    live(page)
    expect(row(page, "keyboard-2")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("j")
    expect(row(page, "keyboard-1")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("c")
    expect(page.get_by_role("button", name="Same face")).to_be_focused()
    page.keyboard.press("Enter")
    expect(row(page, "keyboard-1")).to_have_count(0)
    expect(row(page, "keyboard-2")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("p")
    track = page.get_by_role("region", name="Track")
    expect(track.get_by_role("listitem").filter(has_text="keyboard-2")).to_be_visible()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('[aria-label=Track] select')"):
            break
    page.keyboard.press("End")
    expect(track.get_by_role("combobox", name="Show")).to_have_value("all")


def post_face(site: Any, keys: dict[str, str], camera: str, face: bytes) -> None:
    answer = site.post(
        "/face_upload",
        data={"camera_id": camera, "camera_location": "Gate"},
        files={"file": ("face.jpg", face, "image/jpeg")},
        headers={"X-API-Key": keys["camera"]},
    )
    assert answer.json()["message"] == "Match found"


def test_an_admin_makes_a_key_that_works_and_revokes_it(guarded, keys, pages):
    page = sign_in(pages, guarded, keys["admin"])
    page.get_by_role("link", name="Admin").click()
    page.get_by_role("button", name="Make a key").click()
    page.get_by_label("Whose key it is").fill("<i>Sam</i>")
    page.get_by_label("Role").select_option("Viewer")
    page.get_by_role("dialog").get_by_role("button", name="Make a key").click()
    made = page.get_by_label("The key").get_by_role("textbox").input_value()
    page.get_by_role("button", name="Close").click()
    other = sign_in(pages, guarded, made)
    live(other)
    page.get_by_role("row").filter(has_text="<i>Sam</i>").get_by_text("Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("row").filter(has_text="<i>Sam</i>")).to_contain_text("Revoked")
    other.get_by_role("link", name="Cameras").click()
    expect(other.get_by_label("Your key")).to_be_visible()
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_text(re.compile("Intact: .* entries"))).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="key.revoke").first).to_be_visible()
    expect(page.get_by_text("Faces of alerts")).to_be_visible()


def test_the_end_of_a_session_leads_to_the_sign_in_and_nothing_stays_open(guarded, pages):
    with open_store(guarded.store_url) as store:
        now = datetime.now(timezone.utc)
        key, shown = issue(store, "admin", "soon gone", None, None, now)
        page = sign_in(pages, guarded, str(shown))
        live(page)
        page.get_by_role("link", name="Admin").click()
        page.get_by_role("button", name="Make a key").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        store.revoke_key(key.id, now)
    expect(page.get_by_label("Your key")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("where", ["%", "nowhere", "people/x", "alerts/x/y", "person/x/y"])
def test_an_address_that_the_page_did_not_make_is_told(where, site, pages):
    page = pages.open(f"{site.url}/#/{where}")
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Alerts").click()
    expect(page.get_by_role("button", name="To judge")).to_be_visible()


@pytest.mark.parametrize("name", ["stats", "0" * 32])
def test_an_address_of_no_alert_is_told(name, site, pages):
    page = pages.open(f"{site.url}/#/alerts/{name}")
    expect(page.get_by_role("alert")).to_contain_text("no such alert")


def refuse(route: Any) -> None:
    route.fulfill(status=500, json={"error": "the disk is full"})


FAILED = "That did not work: the disk is full"


@pytest.mark.parametrize("view", ["people", "person/x", "cameras"])
def test_what_the_server_refuses_is_told_once_and_tried_again(view, site, pages):
    page = pages.open("about:blank")
    refused = re.compile("/api/(criminals|cameras)")
    page.route(refused, refuse)
    page.goto(f"{site.url}/#/{view}")
    main = page.get_by_role("main")
    expect(main.get_by_role("alert")).to_have_text(FAILED)
    expect(main.get_by_text("Loading")).to_have_count(0)
    assert page.locator(".messages").get_by_text(FAILED).count() <= 1
    page.unroute(refused)
    main.get_by_role("button", name="Try again").click()
    expect(main.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("view", ["numbers", "admin"])
def test_each_panel_says_why_it_is_empty_and_is_read_again(view, site, pages):
    page = pages.open("about:blank")
    refused = re.compile("/api/(alerts/stats|benchmark|keys|audit|retention)")
    page.route(refused, refuse)
    page.goto(f"{site.url}/#/{view}")
    main = page.get_by_role("main")
    panels = {"numbers": 2, "admin": 3}[view]
    expect(main.get_by_role("alert")).to_have_text([FAILED] * panels)
    page.unroute(refused)
    for left in range(panels - 1, -1, -1):
        main.get_by_role("button", name="Try again").first.click()
        expect(main.get_by_text(FAILED)).to_have_count(left)
    expect(main.get_by_role("table").or_(main.get_by_text("alerts")).first).to_be_visible()


def test_a_view_that_was_not_loaded_yet_says_that_the_server_is_gone(site, pages):
    page = pages.open(site.url)
    live(page)
    page.context.set_offline(True)
    page.get_by_role("link", name="Numbers").click()
    main = page.get_by_role("main")
    gone = main.get_by_text("That did not work: the server does not answer")
    expect(gone).to_be_visible()
    main.get_by_role("button", name="Try again").click()
    expect(gone).to_be_visible()
    page.context.set_offline(False)
    main.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Numbers")).to_be_visible()
    # Chromium sometimes reports an import that failed, although the page has caught it.
    pages.errors[:] = [one for one in pages.errors if "dynamically imported module" not in one]


def test_alerts_that_cannot_be_read_at_first_are_read_as_soon_as_they_can(site, pages):
    page = pages.open("about:blank")
    page.route("**/api/alerts?*", refuse)
    page.goto(site.url)
    expect(page.get_by_text("The alerts cannot be loaded at the moment.").first).to_be_visible()
    expect(page.get_by_text("Not connected")).to_be_visible()
    page.unroute("**/api/alerts?*")
    live(page)
    expect(page.get_by_text("The alerts cannot be loaded at the moment.")).to_have_count(0)


def test_numbers_show_what_became_of_alerts(site, faces, pages):
    site.upload(faces["hopper"], "gate")
    site.upload(faces["collins"], "gate")
    (first, _) = site.all_alerts()
    body = {"verdict": "dismissed", "reason": "another person"}
    site.post(f"/api/alerts/{first['id']}/review", json=body)
    page = pages.open(f"{site.url}/#/numbers")
    expect(page.get_by_text("2 alerts").first).to_be_visible()
    expect(
        page.get_by_role("img", name=re.compile("Today: Confirmed 0, Dismissed 1"))
    ).to_be_visible()
    expect(page.get_by_text("50%").first).to_be_visible()
    expect(page.get_by_text(re.compile("1 alert is not judged yet"))).to_be_visible()


def test_the_last_benchmark_is_shown_and_that_there_is_none(own_site, pages, tmp_path):
    file = tmp_path / "benchmark.json"
    site = own_site("--benchmark-file", str(file), "--threshold-shift", "0.5", enrolled=False)
    page = pages.open(f"{site.url}/#/numbers")
    panel = page.get_by_role("region", name="Last benchmark")
    expect(panel.get_by_text("No benchmark has been run")).to_be_visible()
    rates = {
        "rule": "as-norm", "enrolled": 120, "photos_each": 2, "frames": 1,
        "stranger_searches": 800, "realised_fpir": 0.0125, "mated_searches": 300,
        "realised_fnir": 0.085,
        "intervals": {"realised_fpir": (0.007, 0.02), "realised_fnir": (0.06, 0.12)},
    }  # fmt: skip
    record = {"dataset": "my/people", "people": 920, "photos": 1300, "identification": [rates]}
    record["encoder"] = open_encoder("dlib").id
    keep(file, record, Plan(), datetime(2026, 5, 1, tzinfo=timezone.utc))
    page.reload()
    expect(panel.get_by_text("1,300 photos of 920 people")).to_be_visible()
    expect(panel.get_by_role("row").last).to_contain_text("1.3% (95% interval: 0.7% to 2%; 800")
    expect(panel.get_by_text("other settings than the server has now")).to_contain_text("shift")
    file.write_text("{}")
    page.reload()
    expect(panel.get_by_role("alert")).to_contain_text("is no result of a benchmark")


def test_a_camera_that_fell_silent_is_named_whatever_view_is_open(site, faces, pages):
    now = datetime.now(timezone.utc)
    with open_store(site.store_url) as store:
        heard = Camera("tunnel", "West tunnel", now - timedelta(hours=3), 500, 0)
        store.count_cameras([heard], [CameraDay("tunnel", now.date(), 500, 400, 0)])
    site.upload(faces["hopper"], "gate")
    page = pages.open(f"{site.url}/#/people")
    expect(
        page.get_by_text(re.compile("Camera .*West tunnel.*tunnel.* has fallen silent"))
    ).to_be_visible()
    page.get_by_role("link", name="Cameras").click()
    table = page.get_by_role("table", name="Cameras")
    expect(table.get_by_role("row").nth(1)).to_contain_text("Silent for 3 h")
    expect(table.get_by_role("row").filter(has_text="gate")).not_to_contain_text("Silent")


def test_a_quiet_night_makes_no_camera_silent_but_a_day_does(own_site, pages):
    site = own_site(enrolled=False)
    now = datetime.now(timezone.utc)
    hours = {"porch": 6, "yard": 7, "cellar": 30}
    with open_store(site.store_url) as store:
        store.count_cameras(
            [Camera(name, name, now - timedelta(hours=ago), 500, 0) for name, ago in hours.items()],
            [CameraDay(name, now.date() - timedelta(days=1), 500, 400, 0) for name in hours],
        )
    page = pages.open(f"{site.url}/#/cameras")
    expect(page.get_by_text("No camera has been heard from for 6 h").first).to_be_visible()
    table = page.get_by_role("table", name="Cameras")
    expect(table.get_by_role("row").nth(1)).to_contain_text("cellar")
    expect(table.get_by_text("Silent for")).to_have_count(1)
    expect(page.get_by_text("has fallen silent")).to_have_count(1)
