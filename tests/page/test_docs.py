"""The page of the API: every route is on it, can be read, and can be tried."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from tests.page.looks import expect
from tests.page.test_quality import axe, faults
from tests.waiting import wait_until

__all__ = ["axe"]


def operation(page: Any, name: str) -> Any:
    page.goto(f"{page.url.partition('#')[0]}#{name}")
    found = page.locator(f"details#{name}")
    expect(found.get_by_role("button", name="Send")).to_be_visible()
    return found


def answer(found: Any) -> Any:
    return json.loads(found.locator("[role=status] pre").last.text_content())


def test_every_route_and_object_is_on_it(site, pages):
    page = pages.open(f"{site.url}/docs")
    description = site.get("/openapi.json").json()
    expect(page.locator("h1")).to_be_visible()
    shown = set(page.locator("details").evaluate_all("all => all.map((one) => one.id)"))
    operations = [one for path in description["paths"].values() for one in path.values()]
    names = {one["operationId"] for one in operations} | description["components"]["schemas"].keys()
    assert shown == names
    page.locator("summary").evaluate_all("all => all.forEach((one) => one.click())")
    expect(page.get_by_role("button", name="Send")).to_have_count(len(operations))


def test_a_route_is_tried_with_parameters_a_body_and_a_file(site, pages, faces):
    page = pages.open(f"{site.url}/docs")
    added = operation(page, "criminals_enroll")
    area = added.locator("textarea")
    assert json.loads(area.input_value()) == {"name": ""}
    area.fill(json.dumps({"name": "Ada Nowak", "age": 40}))
    added.get_by_role("button", name="Send").click()
    expect(added.locator(".notice.good")).to_contain_text("201")
    person = answer(added)
    shown = operation(page, "criminals_show_criminal")
    shown.get_by_label("criminal_id (path)").fill(person["id"])
    shown.get_by_role("button", name="Send").click()
    expect(shown.locator(".notice.good")).to_contain_text("200")
    assert answer(shown)["name"] == "Ada Nowak"
    upload = operation(page, "detections_face_upload")
    picture = {"name": "face.jpg", "mimeType": "image/jpeg", "buffer": faces["hopper"]}
    upload.locator("input[type=file]").set_input_files(picture)
    upload.get_by_label("camera_id").fill("docs-1")
    upload.get_by_role("button", name="Send").click()
    expect(upload.locator(".notice.good")).to_contain_text("200")
    assert answer(upload)["message"] == "Match found"
    listed = operation(page, "criminals_list_criminals")
    listed.get_by_label("limit (query)").fill("0")
    listed.get_by_role("button", name="Send").click()
    expect(listed.locator(".notice.bad")).to_contain_text("400")
    assert "limit" in answer(listed)["error"]


def test_a_key_is_sent_and_not_kept(own_site, pages):
    site = own_site(enrolled=False)
    made = requests.post(f"{site.url}/api/keys", json={"role": "admin", "name": "Jo"}, timeout=60)
    assert wait_until(lambda: site.get("/api/cameras").status_code == 401)
    page = pages.open(f"{site.url}/docs")
    listed = operation(page, "alerts_cameras")
    listed.get_by_role("button", name="Send").click()
    expect(listed.locator(".notice.bad")).to_contain_text("401")
    page.get_by_label("Key", exact=True).fill(made.json()["key"])
    listed.get_by_role("button", name="Send").click()
    expect(listed.locator(".notice.good")).to_contain_text("200")
    kept = page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
    assert made.json()["key"] not in kept


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(site, pages, axe, scheme):
    page = pages.open(f"{site.url}/docs#alerts_alerts", color_scheme=scheme, bypass_csp=True)
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    assert faults(page, axe) == []


def test_nothing_is_inline_or_from_elsewhere(site, pages):
    answered = site.get("/docs")
    assert "require-trusted-types-for 'script'" in answered.headers["Content-Security-Policy"]
    assert "<style" not in answered.text
    assert " style=" not in answered.text
    page = pages.open("about:blank")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site.url}/docs")
    expect(page.locator("h1")).to_be_visible()
    assert len(asked) > 5
    assert all(one.startswith(site.url) for one in asked)
