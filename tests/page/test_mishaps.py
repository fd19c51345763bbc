"""Hurry and bad luck: double clicks, two desks with one alert, lost answers, unusable files."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.page.looks import expect, first, live, row
from tests.page.test_people import choose, jpeg_file
from tests.server.conftest import COLLINS, HOPPER

MEGABYTE = 1_000_000

LOST = "the server does not answer"


def reviews(site: Any, camera: str) -> list[tuple[str, str]]:
    """What was said of the only alert of a camera."""
    (one,) = [alert for alert in site.all_alerts() if alert["camera_id"] == camera]
    said = site.get(f"/api/alerts/{one['id']}").json()["reviews"]
    return [(review["verdict"], review["reason"]) for review in said]


def lose_answer(page: Any, where: str) -> None:
    """The server gets the next request and answers, but the page never hears of it."""

    def lose(route: Any) -> None:
        route.fetch()
        route.abort()

    page.route(where, lose, times=1)


def open_alert(pages: Any, site: Any, camera: str) -> Any:
    page = pages.open(site.url)
    live(page)
    row(page, camera).click()
    return page


def second_click(button: Any) -> None:
    """The second click of a double click, on what is under the pointer by then."""
    button.dispatch_event("click", {"detail": 2})


def test_the_second_click_of_a_double_click_judges_nothing(site, faces, pages):
    site.upload(faces["hopper"], "double-1")
    page = open_alert(pages, site, "double-1")
    page.get_by_role("button", name="Confirm").click()
    second_click(page.get_by_role("button", name="Same face"))
    page.get_by_role("button", name="Known to me").click()
    expect(row(page, "double-1")).to_have_count(0)
    assert reviews(site, "double-1") == [("confirmed", "Known to me")]


def test_the_second_click_of_a_double_click_removes_nobody(site, pages):
    page = pages.open(f"{site.url}/#/person/{site.ids['collins']}")
    page.get_by_role("button", name="Remove", exact=True).click()
    dialog = page.get_by_role("dialog")
    second_click(dialog.get_by_role("button", name="Remove"))
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("heading", name=COLLINS.name)).to_be_visible()
    assert site.get(f"/api/criminals/{site.ids['collins']}").status_code == 200


def test_who_chooses_a_reason_is_told_that_somebody_else_was_faster_and_loses_no_text(
    site, faces, pages
):
    site.upload(faces["hopper"], "desk-1")
    one, other = (open_alert(pages, site, "desk-1") for _ in range(2))
    one.keyboard.press("c")
    one.get_by_role("textbox", name="Another reason").fill("same scar")
    other.keyboard.press("d")
    other.keyboard.press("1")
    expect(one.get_by_text("Somebody else was faster: Dismissed")).to_be_visible()
    expect(one.get_by_role("button", name="Same face")).to_have_count(0)
    one.locator("main").focus()
    one.keyboard.press("1")
    one.get_by_role("button", name="Change the review").click()
    one.get_by_role("button", name="Confirm").click()
    expect(one.get_by_role("textbox", name="Another reason")).to_have_value("same scar")
    one.get_by_role("button", name="Save").click()
    expect(row(one, "desk-1")).to_have_count(0)
    assert reviews(site, "desk-1") == [
        ("dismissed", "Different person"),
        ("confirmed", "same scar"),
    ]


def test_a_review_whose_answer_is_lost_is_recorded_once_and_not_as_somebody_elses(
    site, faces, pages
):
    site.upload(faces["hopper"], "lost-1")
    page = open_alert(pages, site, "lost-1")
    page.get_by_role("button", name="All", exact=True).click()
    lose_answer(page, "**/review")
    page.keyboard.press("u")
    page.keyboard.press("1")
    expect(page.get_by_role("button", name="Change the review")).to_be_visible()
    assert page.get_by_text("Somebody else was faster").count() == 0
    assert reviews(site, "lost-1") == [("unsure", "Picture too poor")]


def test_a_review_is_sent_again_after_its_answer_was_lost(site, faces, pages):
    """While the live connection is away, too, so that nothing tells of it."""
    site.upload(faces["hopper"], "lost-2")
    page = pages.open(site.url, script="window.WebSocket = class { close() {} }")
    row(page, "lost-2").click()
    lose_answer(page, "**/review")
    page.keyboard.press("c")
    page.keyboard.press("1")
    expect(page.get_by_text(LOST)).to_be_visible()
    page.keyboard.press("1")
    expect(row(page, "lost-2")).to_have_count(0)
    assert page.get_by_text("Somebody else was faster").count() == 0
    assert reviews(site, "lost-2") == [("confirmed", "Same face")]


def add_form(pages: Any, site: Any, name: str) -> Any:
    page = pages.open(f"{site.url}/#/people")
    page.get_by_role("button", name="Add a person").click()
    page.get_by_label("Name", exact=True).fill(name)
    return page


def save(page: Any) -> None:
    page.get_by_role("button", name="Save").click()


def photos_of(site: Any, name: str) -> list[int]:
    """How many photos each person of a name has."""
    people = site.get("/api/criminals", query=name).json()["criminals"]
    return [len(one["photos"]) for one in people if one["name"] == name]


def test_a_person_whose_answer_is_lost_is_added_once(empty_site, pages):
    page = add_form(pages, empty_site, "Jo Lost")
    choose(page, jpeg_file("jo.jpg", HOPPER.portrait.read_bytes()))
    lose_answer(page, "**/api/criminals")
    save(page)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("alert").filter(has_text=LOST)).to_be_visible()
    save(page)
    expect(page.get_by_role("heading", name="Jo Lost")).to_be_visible()
    assert photos_of(empty_site, "Jo Lost") == [1]


def test_a_person_who_was_changed_after_the_answer_was_lost_is_not_added_again(empty_site, pages):
    page = add_form(pages, empty_site, "Jo Once")
    lose_answer(page, "**/api/criminals")
    save(page)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("alert").filter(has_text=LOST)).to_be_visible()
    page.get_by_label("Name", exact=True).fill("Jo Twice")
    save(page)
    expect(dialog.get_by_role("alert")).to_contain_text("may have been added")
    names = [one["name"] for one in empty_site.get("/api/criminals").json()["criminals"]]
    assert names == ["Jo Once"]


def test_a_photo_that_the_network_kept_from_the_check_is_saved_all_the_same(empty_site, pages):
    page = add_form(pages, empty_site, "Jo Photo")
    page.context.set_offline(True)
    choose(page, jpeg_file("jo.jpg", HOPPER.portrait.read_bytes()))
    expect(page.get_by_text(re.compile("Not checked yet"))).to_be_visible()
    save(page)
    expect(page.get_by_role("alert").filter(has_text=LOST)).to_be_visible()
    page.context.set_offline(False)
    save(page)
    expect(page.get_by_role("heading", name="Jo Photo")).to_be_visible()
    assert photos_of(empty_site, "Jo Photo") == [1]


def padded(file: Path, person: Any, megabytes: float, tail: bytes = b"\0") -> Path:
    """A portrait in a file that is as large as phones make them: the browser reads it from there,
    and it need not go through the driver."""
    photo = person.portrait.read_bytes()
    file.write_bytes(photo + tail * int(megabytes * MEGABYTE - len(photo)))
    return file


def test_more_photos_than_fit_into_a_request_are_saved_and_one_too_large_is_told(
    empty_site, pages, tmp_path
):
    page = add_form(pages, empty_site, "Jo Large")
    large = [padded(tmp_path / f"{n}.jpg", HOPPER, 7.5, bytes([n])) for n in range(3)]
    empty = tmp_path / "none.jpg"
    empty.touch()
    choose(page, *large, padded(tmp_path / "huge.jpg", HOPPER, 17), empty)
    ready = page.get_by_text(re.compile("Face found"))
    expect(ready).to_have_count(3)
    expect(page.get_by_text(re.compile("Cannot be used: .*Choose a smaller file"))).to_be_visible()
    expect(page.get_by_text(re.compile("Cannot be used: .*empty"))).to_be_visible()
    save(page)
    expect(page.get_by_role("heading", name="Jo Large")).to_be_visible()
    assert photos_of(empty_site, "Jo Large") == [3]


def test_what_was_stored_before_a_refusal_is_told_and_the_form_goes_on_from_there(
    empty_site, pages, tmp_path
):
    """A photo of another face in the second request."""
    page = add_form(pages, empty_site, "Jo Mixed")
    people = enumerate((HOPPER, COLLINS))
    choose(page, *(padded(tmp_path / f"{n}.jpg", one, 7.5) for n, one in people))
    expect(page.get_by_text(re.compile("Face found"))).to_have_count(2)
    save(page)
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("tick the box")
    page.get_by_label("Use photos even if").check()
    save(page)
    expect(page.get_by_role("heading", name="Jo Mixed")).to_be_visible()
    assert photos_of(empty_site, "Jo Mixed") == [2]


def test_a_file_that_cannot_be_read_any_more_is_told(site, pages, tmp_path):
    page = pages.open(f"{site.url}/#/find")
    photo = tmp_path / "gone.jpg"
    photo.write_bytes(HOPPER.portrait.read_bytes())
    page.route("**/api/find", lambda route: (photo.unlink(), route.abort()))
    choose(page, photo)
    expect(page.get_by_role("alert")).to_contain_text("the file cannot be read")


DROP = """(zone, {name, text}) => {
    const data = new DataTransfer();
    if (name) data.items.add(new File([text], name, { type: "image/jpeg" }));
    else data.setData("text/plain", text);
    const event = new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
    zone.dispatchEvent(event);
    return event.defaultPrevented;
}"""


def test_a_file_dropped_beside_its_place_does_not_replace_the_page(site, pages):
    page = pages.open(f"{site.url}/#/find")
    beside, zone = page.get_by_role("heading", name="Find"), page.locator(".drop")
    assert beside.evaluate(DROP, {"name": "x.jpg", "text": "x"}) is True
    assert beside.evaluate(DROP, {"name": "", "text": "words"}) is False
    expect(page.get_by_role("alert")).to_have_count(0)
    assert zone.evaluate(DROP, {"name": "x.jpg", "text": ""}) is True
    expect(page.get_by_role("alert")).to_contain_text("the picture is empty")


def test_the_photo_that_was_dropped_last_is_shown_though_an_earlier_one_takes_longer(
    site, faces, pages
):
    held: list[Any] = []
    page = pages.open(f"{site.url}/#/find")
    page.route("**/api/find", lambda route: held.append(route) if not held else route.continue_())
    choose(page, jpeg_file("first.jpg", faces["hopper"]))
    choose(page, jpeg_file("second.jpg", faces["wall"]))
    expect(page.get_by_text("No face was found in this photo.")).to_be_visible()
    with page.expect_response("**/api/find"):
        first(page, held).continue_()
    page.evaluate("() => new Promise(requestAnimationFrame)")
    expect(page.get_by_text("No face was found in this photo.")).to_be_visible()


def hold(page: Any, where: str | re.Pattern[str]) -> Callable[[], None]:
    """Hold requests until the returned function is called; fail if there is more than one."""
    held: list[Any] = []
    page.route(where, lambda route: held.append(route))

    def release() -> None:
        first(page, held)
        (one,) = held
        one.continue_()
        page.unroute(where)

    return release


def test_a_key_is_made_once_by_several_clicks(own_site, pages):
    site = own_site(enrolled=False)
    page = pages.open(f"{site.url}/#/admin", script=NO_CLIPBOARD)
    page.get_by_role("button", name="Make a key").click()
    page.get_by_label("Whose key it is").fill("Sam")
    dialog = page.get_by_role("dialog")
    button = dialog.get_by_role("button", name="Make a key")
    release = hold(page, "**/api/keys")
    button.click()
    expect(button).to_be_disabled()
    page.get_by_label("Whose key it is").press("Enter")
    release()
    dialog.get_by_role("button", name="Copy").click()
    expect(dialog.get_by_text("The browser did not copy it.")).to_be_visible()
    expect(dialog.get_by_role("textbox", name="The key")).to_be_focused()


def test_a_new_key_stays_on_the_screen_though_the_session_that_made_it_ends(own_site, pages):
    """With the first key of all, the server asks everyone for one."""
    site = own_site(enrolled=False)
    page = pages.open(f"{site.url}/#/admin")
    page.get_by_role("button", name="Make a key").click()
    page.get_by_label("Whose key it is").fill("Sam")
    page.get_by_role("dialog").get_by_role("button", name="Make a key").click()
    shown = page.get_by_role("dialog").get_by_role("textbox", name="The key")
    key = shown.input_value()
    page.evaluate(MODULE, "api.js")
    page.evaluate("() => window.tried.get('/api/keys').catch(() => {})")
    expect(page.get_by_label("Your key")).to_be_attached()
    expect(shown).to_have_value(key)
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    page.get_by_label("Your key").fill(key)
    page.get_by_role("button", name="Sign in").click()
    live(page)


NO_CLIPBOARD = "navigator.clipboard.writeText = () => Promise.reject(new Error('not allowed'));"


def made_up(number: int, person: str) -> dict[str, Any]:
    at = "2026-01-02T03:04:05+00:00"
    alert = {"id": f"{number:032x}", "seq": number, "alert_type": 1, "status": "new", "fpir": 0.001}
    where = {"camera_id": f"made-up-{number}", "camera_location": "Hall"}
    return {**alert, **where, "occurred_at": at, "received_at": at, "criminal_id": person}


def test_older_alerts_come_once_by_several_clicks(site, pages):
    person = site.ids["collins"]
    answers = [range(100, 50, -1), range(50, 0, -1), range(0)]
    held: list[Any] = []

    def answer(route: Any) -> None:
        if len(answers) == 2 and not held:
            held.append(route)
            return
        alerts = [made_up(number, person) for number in answers.pop(0)]
        route.fulfill(json={"alerts": alerts, "last_seq": 100})

    page = pages.open("about:blank")
    page.route(re.compile("/api/alerts.*criminal_id="), answer)
    page.goto(f"{site.url}/#/person/{person}")
    more = page.get_by_role("region", name="Alerts").first.get_by_role("button", name="Show more")
    more.click()
    expect(more).to_be_disabled()
    answer(first(page, held))
    cameras = page.locator("td.camera")
    expect(cameras).to_have_count(100)
    assert len(set(cameras.all_inner_texts())) == 100


@pytest.mark.parametrize("typed", ["Jo Doe", " Jo  Doe\u200f"])
def test_a_name_with_what_nobody_sees_can_be_typed_to_erase(empty_site, pages, typed):
    name = {"name": "Jo\u00a0 Doe\u200f"}
    person = empty_site.post("/api/criminals", json=name).json()
    page = pages.open(f"{empty_site.url}/#/person/{person['id']}")
    page.get_by_role("button", name="Erase").click()
    page.get_by_label("type the name").fill("Jo Do")
    button = page.get_by_role("button", name="Erase for good")
    expect(button).to_be_disabled()
    page.get_by_label("type the name").fill(typed)
    expect(button).to_be_enabled()


NEVER_OPENS = """
const Real = WebSocket;
let isFirst = true;
window.WebSocket = function (url) {
    if (!isFirst) return new Real(url);
    isFirst = false;
    return { readyState: Real.CONNECTING, close() {} };
};
window.WebSocket.OPEN = Real.OPEN;
"""


def test_a_connection_that_is_neither_made_nor_refused_is_given_up(site, pages):
    page = pages.open("about:blank", script=NEVER_OPENS)
    page.clock.install()
    page.goto(site.url)
    expect(page.get_by_role("button", name="To judge")).to_be_visible()
    expect(page.get_by_text("Connecting…")).to_be_visible()
    page.clock.fast_forward(20_000)
    expect(page.get_by_text("Not connected")).to_be_visible()
    page.clock.fast_forward(1000)
    live(page)


def test_the_way_back_leads_out_of_a_dialog(site, pages):
    page = pages.open(f"{site.url}/#/alerts")
    page.goto(f"{site.url}/#/people")
    page.get_by_role("button", name="Add a person").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("button", name="To judge")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


MODULE = """async (name) => {
    const main = document.querySelector("script[src$='main.js']").src;
    window.tried = await import(main.replace("main.js", name));
}"""


def test_a_length_of_time_has_no_sixty_seconds(site, pages):
    page = pages.open(site.url)
    page.evaluate(MODULE, "when.js")
    lengths = page.evaluate("[59.6, 179.6, 3599.7, 5400].map(window.tried.lasting)")
    assert lengths == ["1 min", "3 min", "1 h", "1 h 30 min"]


def test_more_people_than_fit_into_a_request_are_compared_and_no_pair_is_asked_about_twice(
    site, pages
):
    page = pages.open(site.url)
    asked: list[dict[str, Any]] = []

    def answer(route: Any) -> None:
        asked.append(route.request.post_data_json)
        route.fulfill(json={"pairs": [], "left_out": 0})

    page.route("**/api/enrolments/lookalikes", answer)
    page.evaluate(MODULE, "lookalikes.js")
    page.evaluate("""() => {
        const people = Array.from({ length: 2500 }, (_, number) => [`id-${number}`, true]);
        return new window.tried.Lookalikes(null, new Map(people)).read();
    }""")
    ids = [f"id-{number}" for number in range(2500)]
    assert [one["criminal_ids"] for one in asked] == [ids[:1000], ids[1000:2000], ids[2000:]]
    assert [one["compared"] for one in asked] == [[], ids[:1000], ids[:2000]]
