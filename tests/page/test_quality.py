"""No serious fault by axe in any view, light or dark, wide or narrow; nothing inline; quick."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from tests.page.looks import ALL_SHOWN, expect, live, row
from tests.page.test_people import choose_folder
from tests.pictures import encoded, portrait
from tests.server.conftest import HOPPER
from tests.services.npm import npm_package

SERIOUS = ("serious", "critical")
PHONE = {"width": 390, "height": 844}
KILOBYTES = 150
DIALOGS = {
    "Add a person": "people",
    "Add many": "people",
    "Edit": "person/{}",
    "Remove": "person/{}",
    "Erase": "person/{}",
    "use the webcam": "find",
    "Make a key": "admin",
}
"""Views by the names of their buttons that open a dialog."""


@pytest.fixture(scope="session")
def axe() -> Path:
    """axe-core, from npm."""
    return npm_package("axe-core") / "axe.min.js"


@pytest.fixture(scope="module")
def busy(site: Any, faces: dict[str, bytes]) -> Any:
    """A site with something in each view."""
    site.upload(faces["hopper"], "gate-1")
    site.upload(faces["collins"], "hall-2", "Ticket hall")
    site.post("/activity_alert", json={"event_type": "violence", "camera_id": "hall-2"})
    (alert, *_) = site.all_alerts()
    body = {"verdict": "confirmed", "reason": "same face"}
    site.post(f"/api/alerts/{alert['id']}/review", json=body)
    return site


def faults(page: Any, axe: Path) -> list[str]:
    """What axe finds in the open dialog, or else in the whole page."""
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=axe)
    expect(page.get_by_text("Loading…")).to_have_count(0)
    found = page.evaluate(RUN)
    return [
        f"{one['id']}: {one['help']}: {node['html'][:200]} {node.get('failureSummary', '')}"
        for one in found["violations"]
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


RUN = """() => axe.run(
    [...document.querySelectorAll("dialog[open]")].at(-1) ?? document,
    { resultTypes: ["violations"] },
)"""

LOOKS = pytest.mark.parametrize(("scheme", "screen"), [("light", None), ("dark", PHONE)])


def open_for_axe(pages: Any, url: str, scheme: str, screen: Any) -> Any:
    options = {"viewport": screen} if screen else {}
    # The policy would keep axe out, too.
    return pages.open(url, color_scheme=scheme, bypass_csp=True, **options)


@LOOKS
def test_axe_finds_no_serious_fault(busy, pages, axe, scheme, screen):
    page = open_for_axe(pages, busy.url, scheme, screen)
    live(page)
    found = []
    person = busy.ids["hopper"]
    for view in ("alerts", f"person/{person}", "people", "find", "cameras", "numbers", "admin"):
        page.goto(f"{busy.url}/#/{view}")
        expect(
            page.locator("main h1").first if view != "alerts" else row(page, "2").first
        ).to_be_visible()
        found += [f"{view}: {one}" for one in faults(page, axe)]
    for name, view in DIALOGS.items():
        page.goto(f"{busy.url}/#/{view.format(person)}")
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        found += [f"{name}: {one}" for one in faults(page, axe)]
        page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    found += [f"shortcuts: {one}" for one in faults(page, axe)]
    page.keyboard.press("Escape")
    page.goto(f"{busy.url}/#/nowhere")
    expect(page.get_by_text("There is no such page")).to_be_visible()
    found += [f"nowhere: {one}" for one in faults(page, axe)]
    assert found == []


@LOOKS
def test_axe_finds_no_serious_fault_in_what_a_dialog_comes_to(
    busy, pages, axe, tmp_path, scheme, screen
):
    """A list with wrong rows, who looks alike and the form over that, a photo, and a new key."""
    page = open_for_axe(pages, f"{busy.url}/#/people", scheme, screen)
    found = []
    folder = tmp_path / "wanted"
    folder.mkdir()
    (folder / "list.csv").write_text("photo,name,age\nx.jpg,Jo,old\ngrace.jpg,Amazing Grace,\n")
    (folder / "grace.jpg").write_bytes(encoded(portrait(HOPPER.portrait)[::2, ::2]))
    dialog = choose_folder(page, folder).first
    expect(dialog.get_by_role("alert")).to_contain_text("1 row is wrong")
    found += [f"wrong rows: {one}" for one in faults(page, axe)]
    dialog.get_by_label("Add the others anyway").check()
    dialog.get_by_role("button", name="Add 1 person").click()
    expect(dialog.get_by_text("1 pair looks alike")).to_be_visible()
    found += [f"look-alikes: {one}" for one in faults(page, axe)]
    dialog.get_by_role("button", name=f"Edit {HOPPER.name}").click()
    form = page.get_by_role("dialog").last
    form.locator("input[type=file]").set_input_files(folder / "grace.jpg")
    expect(form.get_by_text("already enrolled")).to_be_visible()
    found += [f"photo: {one}" for one in faults(page, axe)]
    page.route("**/api/keys", answer_with_a_key)
    page.goto(f"{busy.url}/#/admin")
    page.reload()
    page.get_by_role("button", name="Make a key").click()
    page.get_by_label("Whose key it is").fill("Sam")
    page.get_by_role("dialog").get_by_role("button", name="Make a key").click()
    expect(page.get_by_role("dialog").get_by_role("textbox", name="The key")).to_be_visible()
    found += [f"new key: {one}" for one in faults(page, axe)]
    assert found == []


def answer_with_a_key(route: Any) -> None:
    """The server would ask everyone for a key once there is one."""
    if route.request.method == "POST":
        route.fulfill(json={"name": "Sam", "key": "sus_123456789abc_secret"})
    else:
        route.continue_()


@LOOKS
def test_axe_finds_no_serious_fault_while_an_alert_is_judged(busy, pages, axe, scheme, screen):
    busy.post("/activity_alert", json={"event_type": "fire", "camera_id": "axe-1"})
    page = open_for_axe(pages, busy.url, scheme, screen)
    live(page)
    page.get_by_text("Filter", exact=True).click()
    found = [f"filter: {one}" for one in faults(page, axe)]
    page.get_by_text("Filter", exact=True).click()
    row(page, "axe-1").first.click()
    page.get_by_role("button", name="Unsure").click()
    page.get_by_text("Note (optional)").click()
    found += [f"reasons: {one}" for one in faults(page, axe)]
    if screen:
        page.get_by_role("button", name="Back to the list").click()
    page.get_by_role("button", name="All", exact=True).click()
    row(page, "Confirmed").first.click()
    expect(page.get_by_role("combobox", name="What became of it?")).to_be_visible()
    found += [f"outcome: {one}" for one in faults(page, axe)]
    assert found == []


def test_the_first_key_shows_a_way_past_the_navigation(busy, pages):
    page = pages.open(busy.url)
    live(page)
    page.keyboard.press("Tab")
    way = page.get_by_role("link", name="Skip to content")
    expect(way).to_be_focused()
    assert way.bounding_box()["width"] > 50
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


def test_the_policy_is_strict_and_nothing_is_inline_or_from_elsewhere(busy, pages):
    asked: list[str] = []
    page = pages.open("about:blank")
    page.on("request", lambda request: asked.append(request.url))
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(busy.url)
    live(page)
    own = (busy.url, busy.url.replace("http", "ws"), "data:", "blob:")
    assert [one for one in asked if not one.startswith(own)] == []
    assert complaints == []
    answer = busy.get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert "style=" not in answer.text
    assert "<script>" not in answer.text


def test_files_are_kept_by_browsers_and_the_first_view_is_small_and_quick(busy, pages):
    page = pages.open("about:blank")
    sizes: dict[str, int] = {}
    page.on("response", lambda answer: sizes.update({answer.url: len(answer.body())}))
    page.goto(busy.url)
    live(page)
    expect(row(page, "gate-1").or_(row(page, "hall-2")).first).to_be_visible()
    files = {url: size for url, size in sizes.items() if "/api/" not in url}
    assert sum(files.values()) < KILOBYTES * 1000
    script = next(url for url in files if url.endswith("main.js"))
    assert busy.get(script.removeprefix(busy.url)).headers["Content-Encoding"] == "gzip"
    plain = requests.get(script, headers={"Accept-Encoding": "identity"}, timeout=60)
    assert "Content-Encoding" not in plain.headers
    assert plain.text == busy.get(script.removeprefix(busy.url)).text
    assert "immutable" in busy.get(script.removeprefix(busy.url)).headers["Cache-Control"]
    assert busy.get("/static/0123456789abcdef/js/main.js").status_code == 404
    index = busy.get("/")
    assert index.headers["Cache-Control"] == "no-cache"
    again = requests.get(busy.url, headers={"If-None-Match": index.headers["ETag"]}, timeout=60)
    assert again.status_code == 304


def test_many_alerts_at_once_are_all_there_in_order(busy, pages):
    """How long they keep the page busy is measured by `benchmarks/page.py`."""
    page = pages.open(busy.url)
    live(page)
    cameras = [f"many-{number}" for number in range(100)]
    with requests.Session() as session:
        for camera in cameras:
            activity = {"event_type": "violence", "camera_id": camera}
            session.post(f"{busy.url}/activity_alert", json=activity, timeout=60)
    expect(row(page, "many-99")).to_be_visible()
    assert page.evaluate(ALL_SHOWN)[:100] == cameras[::-1]
    row(page, "many-99").click()
    for _ in range(5):
        page.keyboard.press("ArrowDown")
    expect(row(page, "many-94")).to_have_attribute("aria-selected", "true")
