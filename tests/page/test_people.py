"""People on the page: added, edited, found, followed and removed."""

from __future__ import annotations

import re
from typing import Any

from tests.page.looks import eventually, expect, live
from tests.pictures import encoded, portrait
from tests.server.conftest import COLLINS, HOPPER


def open_people(pages: Any, site: Any) -> Any:
    page = pages.open(f"{site.url}/#/people")
    expect(page.get_by_role("heading", name="People")).to_be_visible()
    return page


def jpeg_file(name: str, content: bytes) -> dict[str, Any]:
    return {"name": name, "mimeType": "image/jpeg", "buffer": content}


def choose(page: Any, *files: Any) -> None:
    page.locator("input[type=file][accept]").set_input_files(files)


def test_a_person_is_added_with_a_photo_that_is_judged_at_once_and_is_then_recognised(
    empty_site, faces, pages
):
    page = open_people(pages, empty_site)
    expect(page.get_by_text("Nobody is on the watch-list")).to_be_visible()
    page.get_by_role("button", name="Add a person").click()
    page.get_by_label("Name", exact=True).fill("Grace")
    page.get_by_label("Wanted for").fill("forgery\npiracy")
    page.get_by_label("Threat").select_option("High threat")
    wall = jpeg_file("wall.jpg", faces["wall"])
    choose(page, wall, jpeg_file("hopper.jpg", HOPPER.portrait.read_bytes()))
    expect(page.get_by_text(re.compile("Cannot be used: no face"))).to_be_visible()
    expect(page.get_by_text(re.compile("Face found. Quality: good"))).to_be_visible()
    expect(page.locator(".new-photo .box")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Grace")).to_be_visible()
    expect(page.get_by_role("img", name="Photo 1 of Grace")).to_be_visible()
    expect(page.get_by_text("forgery, piracy")).to_be_visible()
    expect(page.get_by_text("Not seen by any camera yet.")).to_be_visible()
    for camera in ("north", "south"):
        empty_site.upload(faces["hopper"], camera, f"{camera} gate")
    stops = page.get_by_role("region", name="Track").get_by_role("listitem")
    expect(stops.filter(has_text="south gate")).to_be_visible()
    expect(stops.filter(has_text="north gate")).to_be_visible()
    way = page.get_by_role("img", name="north gate, south gate")
    expect(way).to_be_visible()
    page.get_by_role("region", name="Alerts").get_by_role("link").first.click()
    expect(page.get_by_role("region", name="Grace", exact=True)).to_be_visible()


def test_an_edit_changes_what_was_changed_and_a_conflict_is_told(site, pages):
    where = f"/api/criminals/{site.ids['collins']}"
    page = pages.open(f"{site.url}/#/person/{site.ids['collins']}")
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Case reference").fill("K-12")
    page.get_by_label("Wanted until").fill("2999-12-31")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("K-12")).to_be_visible()
    now = site.get(where).json()
    assert (now["case_reference"], now["crimes"], now["threat"]) == ("K-12", ["forgery"], "medium")
    assert now["expires_at"].startswith("2999-12-31")
    page.get_by_role("button", name="Edit").click()
    put(site, where, {"age": 40})
    page.get_by_label("Case reference").fill("K-13")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text(re.compile("Somebody else changed this person"))).to_be_visible()
    assert site.get(where).json()["case_reference"] == "K-12"


def put(site: Any, where: str, body: dict[str, Any]) -> None:
    import requests

    assert requests.put(site.url + where, json=body, timeout=60).status_code == 200


def test_a_person_is_found_by_a_part_of_the_name_set_apprehended_and_removed(fresh_site, pages):
    page = open_people(pages, fresh_site)
    table = page.get_by_role("table", name="People")
    expect(table.get_by_role("row")).to_have_count(3)
    page.get_by_role("searchbox").fill("collin")
    expect(table.get_by_role("row")).to_have_count(2)
    table.get_by_role("link", name=COLLINS.name).click()
    page.get_by_role("button", name="Mark as apprehended").click()
    expect(page.get_by_text("Apprehended", exact=True)).to_be_visible()
    page.get_by_role("button", name="Remove", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text(re.compile("cannot be undone"))).to_be_visible()
    dialog.get_by_role("button", name="Remove").click()
    expect(table.get_by_role("row")).to_have_count(2)
    assert fresh_site.get(f"/api/criminals/{fresh_site.ids['collins']}").status_code == 404


def test_a_person_is_erased_only_with_a_reason_and_the_name_typed(fresh_site, faces, pages):
    fresh_site.upload(faces["hopper"], "gate")
    alert = fresh_site.all_alerts()[-1]
    hold = f"/api/alerts/{alert['id']}/hold"
    put(fresh_site, hold, {"reason": "case 7/26"})
    page = pages.open(f"{fresh_site.url}/#/person/{fresh_site.ids['hopper']}")
    page.get_by_role("button", name="Erase").click()
    dialog = page.get_by_role("dialog")
    button = dialog.get_by_role("button", name="Erase for good")
    dialog.get_by_label("Reason").fill("court order 12/26")
    dialog.get_by_label("type the name").fill("Grace")
    expect(button).to_be_disabled()
    dialog.get_by_label("type the name").fill(HOPPER.name)
    despite = dialog.get_by_label("End the holds")
    expect(despite).to_be_hidden()
    button.click()
    expect(dialog.get_by_role("alert")).to_contain_text("held")
    despite.check()
    button.click()
    expect(dialog.get_by_role("status")).to_contain_text("Erased: 1 photo and 1 sighting.")
    expect(dialog.get_by_text(re.compile("backups and copies"))).to_be_visible()
    dialog.get_by_role("button", name="Close").last.click()
    expect(page.get_by_role("link", name=COLLINS.name)).to_be_visible()
    expect(page.get_by_role("link", name=HOPPER.name)).to_have_count(0)
    shown = fresh_site.get(f"/api/alerts/{alert['id']}").json()
    assert (shown["name"], shown["detected_face"]) == (None, None)
    noted = fresh_site.get("/api/audit", limit=1000).json()["entries"]
    reasons = [one["reason"] for one in noted if one["action"] == "criminal.erase"]
    assert reasons == ["court order 12/26"]


def test_a_folder_of_people_is_added_and_who_is_refused_is_named(
    empty_site, faces, pages, tmp_path
):
    folder = tmp_path / "wanted"
    for name, content in {
        "Ada_Lovelace/1.jpg": COLLINS.portrait.read_bytes(),
        "Grace_Hopper_2.jpg": HOPPER.portrait.read_bytes(),
        "Blank (1).jpg": faces["wall"],
        "list.txt": b"no picture",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    page = open_people(pages, empty_site)
    dialog = choose_folder(page, folder)
    expect(dialog.get_by_text("3 people with 3 photos")).to_be_visible()
    dialog.get_by_role("button", name="Add 3 people").click()
    expect(dialog.get_by_text("2 of 3 people are on the watch-list now.")).to_be_visible()
    expect(dialog.get_by_role("listitem")).to_have_text(re.compile("Blank · .*: no face"))
    dialog.get_by_role("button", name="Close").click()
    for name in ("Ada Lovelace", "Grace Hopper"):
        expect(page.get_by_role("link", name=name)).to_be_visible()


def choose_folder(page: Any, folder: Any) -> Any:
    page.get_by_role("button", name="Add many").click()
    page.get_by_label("Folder with photos").set_input_files(folder)
    return page.get_by_role("dialog")


LOADED = """
[...document.querySelectorAll(".lookalikes figure > img")].every((one) => one.naturalWidth > 50)
"""


def test_whom_the_added_people_resemble_is_shown_and_decided(fresh_site, pages, tmp_path):
    folder = tmp_path / "wanted"
    folder.mkdir()
    for name, person in {"Amazing Grace": HOPPER, "Countess": COLLINS}.items():
        (folder / f"{name}.jpg").write_bytes(encoded(portrait(person.portrait)[::2, ::2]))
    page = open_people(pages, fresh_site)
    dialog = choose_folder(page, folder).first
    dialog.get_by_role("button", name="Add 2 people").click()
    expect(dialog.get_by_text("2 pairs look alike")).to_be_visible()
    pairs = dialog.get_by_role("region", name="Who looks alike").get_by_role("listitem")
    grace, countess = (pairs.filter(has_text=name) for name in (HOPPER.name, COLLINS.name))
    for name in ("Amazing Grace", HOPPER.name):
        expect(grace.get_by_role("img", name=f"Photo 1 of {name}")).to_be_visible()
    eventually(page, LOADED)
    expect(grace.get_by_text("New", exact=True)).to_have_count(1)
    pairs.nth(1).get_by_role("button", name=re.compile("Edit")).first.click()
    page.get_by_role("dialog").last.get_by_role("button", name="Save").click()
    expect(pairs.nth(1).get_by_role("button", name=re.compile("Keep both .* and "))).to_be_focused()
    grace.get_by_role("button", name=f"Edit {HOPPER.name}").click()
    form = page.get_by_role("dialog").last
    form.get_by_label("Case reference").fill("K-7")
    form.get_by_role("button", name="Save").click()
    expect(grace).to_contain_text("K-7")
    grace.get_by_role("button", name="Keep both").click()
    expect(pairs).to_have_count(1)
    countess.get_by_role("button", name="Remove Countess").click()
    page.get_by_role("dialog").last.get_by_role("button", name="Remove", exact=True).click()
    expect(dialog.get_by_text("All pairs are decided.")).to_be_focused()
    dialog.get_by_role("button", name="Close").click()
    table = page.get_by_role("table", name="People")
    expect(table.get_by_role("link")).to_have_text(["Amazing Grace", COLLINS.name, HOPPER.name])


LIST = """\ufeffphoto;name;crimes;threat;age\r
photos/ada.jpg;Ada;"piracy; fraud";high;\r
photos/grace.jpg;Grace;;;85\r
./photos/wall.jpg;Grace;;;\r
photos/nobody.jpg;Grace;;;\r
"""
BAD = "photos/x.jpg;Max;;;old\r\nphotos/y.jpg;;;;\r\n"


def test_a_list_in_the_folder_says_who_is_who_and_each_row_is_answered(
    empty_site, faces, pages, tmp_path
):
    folder = tmp_path / "wanted"
    (folder / "photos").mkdir(parents=True)
    (folder / "people.csv").write_bytes((LIST + BAD).encode())
    for name, content in {
        "ada": COLLINS.portrait.read_bytes(),
        "grace": HOPPER.portrait.read_bytes(),
        "wall": faces["wall"],
    }.items():
        (folder / "photos" / f"{name}.jpg").write_bytes(content)
    page = open_people(pages, empty_site)
    dialog = choose_folder(page, folder)
    expect(dialog.get_by_role("alert")).to_contain_text("2 rows are wrong")
    wrong = dialog.get_by_role("listitem")
    expect(wrong.nth(0)).to_have_text("people.csv, line 6: age: must be a whole number")
    expect(wrong.nth(1)).to_have_text("people.csv, line 7: name is missing")
    add = dialog.get_by_role("button", name="Add 2 people")
    expect(add).to_be_disabled()
    dialog.get_by_label("Add the others anyway").check()
    add.click()
    expect(dialog.get_by_text("2 of 2 people are on the watch-list now.")).to_be_visible()
    expect(dialog.get_by_text("2 photos enrolled, 2 refused.")).to_be_visible()
    refused = dialog.get_by_role("listitem")
    expect(refused.filter(has_text="wall.jpg")).to_have_text(re.compile("Grace · .*: no face"))
    expect(refused.filter(has_text="nobody.jpg")).to_have_text(re.compile("no such file"))
    people = {one["name"]: one for one in empty_site.get("/api/criminals").json()["criminals"]}
    assert (people["Ada"]["crimes"], people["Ada"]["threat"]) == (["piracy", "fraud"], "high")
    assert people["Grace"]["age"] == 85
    dialog.get_by_role("button", name="Close").click()
    (folder / "people.csv").write_bytes(LIST.encode())
    dialog = choose_folder(page, folder)
    dialog.get_by_role("button", name="Add 2 people").click()
    expect(dialog.get_by_text("2 photos enrolled, 2 refused.")).to_be_visible()
    dialog.get_by_text("Enrolled: 2 photos").click()
    expect(dialog.get_by_role("listitem").filter(has_text="ada.jpg")).to_have_text(
        re.compile("already enrolled")
    )
    again = empty_site.get("/api/criminals").json()["criminals"]
    assert {one["name"]: one for one in again} == people


def test_a_busy_server_is_asked_again_and_nothing_is_lost(empty_site, pages, tmp_path):
    (tmp_path / "wanted").mkdir()
    (tmp_path / "wanted" / "Ada.jpg").write_bytes(COLLINS.portrait.read_bytes())
    page = open_people(pages, empty_site)
    answers = iter([503, 429])

    def answer(route: Any) -> None:
        status = next(answers, None)
        route.continue_() if status is None else route.fulfill(status=status, json={})

    page.route("**/api/enrolments", answer)
    dialog = choose_folder(page, tmp_path / "wanted")
    dialog.get_by_role("button", name="Add 1 person").click()
    expect(dialog.get_by_text("1 of 1 person is on the watch-list now.")).to_be_visible()


def test_find_says_whom_a_photo_resembles(site, faces, pages):
    page = pages.open(f"{site.url}/#/find")
    choose(page, jpeg_file("x.jpg", faces["hopper"]))
    expect(page.get_by_text("A camera would raise an alert")).to_be_visible()
    expect(page.get_by_role("link", name=HOPPER.name)).to_be_visible()
    choose(page, jpeg_file("x.jpg", faces["wall"]))
    expect(page.get_by_text("No face was found in this photo.")).to_be_visible()
    choose(page, jpeg_file("x.jpg", b"no picture"))
    expect(page.get_by_role("alert")).to_be_visible()


MARKUP = "<img src=x onerror=document.title='broken'>"
TEXTS = {
    "name": f"\u202eEvil {MARKUP}\"'",
    "crimes": [f"<script>document.title='broken'</script>{MARKUP}"],
    "case_reference": "<b>K</b>&amp;",
}


def test_what_people_and_cameras_type_is_shown_as_text(empty_site, faces, pages):
    person = empty_site.post("/api/criminals", json=TEXTS).json()
    put(empty_site, f"/api/criminals/{person['id']}", {"images": [hopper_in_base64()]})
    empty_site.upload(faces["hopper"], MARKUP, f"{MARKUP} \u202e gate")
    empty_site.post("/activity_alert", json={"event_type": MARKUP, "camera_id": MARKUP})
    page = pages.open(f"{empty_site.url}/#/alerts")
    live(page)
    for view in ("alerts", "people", f"person/{person['id']}", "cameras", "numbers", "admin"):
        page.goto(f"{empty_site.url}/#/{view}")
        expect(page.get_by_text(MARKUP).first).to_be_visible() if view != "admin" else None
        assert page.locator("main [onerror], main script, main b").count() == 0
        assert page.title() != "broken"


FORGED = {
    "event_type": "violence",
    "camera_id": "forger",
    "camera_location": "Gate\u2069\u202e",
    "name": "Grace Hopper",
    "criminal_id": "0" * 32,
    "detected_face": 5,
    "candidates": 5,
    "held": 5,
    "reviews": 5,
    "outcomes": [{"outcome": "right person", "made_by": "the boss"}],
}


def test_what_a_camera_adds_to_an_activity_passes_for_nothing_else(own_site, pages):
    """Neither when it comes live, nor when the list is read."""
    site = own_site(enrolled=False)
    page = pages.open(site.url)
    live(page)
    site.post("/activity_alert", json=FORGED)
    for _ in range(2):
        expect(page.get_by_role("heading", name=re.compile("Activity: .*violence"))).to_be_visible()
        expect(page.get_by_role("button", name="Confirm")).to_be_visible()
        assert page.get_by_text("Grace Hopper").count() == 0
        assert page.get_by_text("the boss").count() == 0
        page.reload()
    place = page.locator(".alert-row .who > .muted")
    where = "one => [...one.querySelectorAll('bdi')].map(bdi => bdi.getBoundingClientRect().left)"
    location, camera = place.evaluate(where)
    assert location < camera


def hopper_in_base64() -> str:
    import base64

    return base64.b64encode(HOPPER.portrait.read_bytes()).decode()


def test_a_plan_of_the_site_shows_the_way_taken(site, faces, pages):
    for camera in ("plan-1", "plan-2"):
        site.upload(faces["hopper"], camera, f"{camera} door")
    page = pages.open(f"{site.url}/#/cameras")
    panel = page.get_by_role("region", name="Plan of the site")
    expect(panel.get_by_text("Drop a picture of the plan here")).to_be_visible()
    choose(page, jpeg_file("plan.jpg", faces["wall"]))
    plan = panel.get_by_role("img", name="Plan of the site")
    for camera, x in (("plan-1", 20), ("plan-2", 150)):
        expect(plan).to_be_visible()
        panel.get_by_role("combobox").select_option(camera)
        plan.click(position={"x": x, "y": 50})
        expect(panel.get_by_text(f"{camera} door", exact=True)).to_be_visible()
    places = {one["camera_id"]: one for one in site.get("/api/site").json()["places"]}
    assert places["plan-1"]["x"] < 0.3 < 0.6 < places["plan-2"]["x"]
    page.goto(f"{site.url}/#/person/{site.ids['hopper']}")
    track = page.get_by_role("region", name="Track")
    expect(track.locator(".mark.passed")).to_have_count(2)
    expect(track.locator(".plan line")).to_have_count(1)


def test_cameras_in_one_place_are_told_apart_by_their_ids(fresh_site, faces, pages):
    for camera, place in (("gate-1", "Main gate"), ("gate-2", "Main gate"), ("hall-1", "Hall")):
        fresh_site.upload(faces["hopper"], camera, place)
    page = pages.open(f"{fresh_site.url}/#/person/{fresh_site.ids['hopper']}")
    lanes = page.get_by_role("region", name="Track").locator(".lanes li")
    expect(lanes).to_have_text(["Main gategate-1", "Main gategate-2", "Hall"])
    cameras = page.get_by_role("region", name="Alerts").get_by_role("cell")
    expect(cameras.filter(has_text="Main gate")).to_have_text(
        [re.compile("Main gate.* · .*gate-2"), re.compile("Main gate.* · .*gate-1")]
    )
    expect(cameras.filter(has_text="Hall")).to_have_text("Hall")
