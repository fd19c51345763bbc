"""What is different on a narrow screen."""

from __future__ import annotations

from typing import Any

from tests.page.looks import expect, live, row

PHONE = {"width": 390, "height": 844}


def open_on_a_phone(pages: Any, url: str) -> Any:
    page = pages.open(url, viewport=PHONE)
    live(page)
    return page


def test_all_views_can_be_reached(site, pages):
    for camera in ("nav-1", "nav-2"):
        site.post("/activity_alert", json={"event_type": "fire", "camera_id": camera})
    page = open_on_a_phone(pages, site.url)
    expect(page.locator("nav .count")).to_be_visible()
    links = page.get_by_role("navigation").get_by_role("link")
    boxes = [one.bounding_box() for one in links.all()]
    assert len(boxes) == 6
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"] for box in boxes)


def test_the_list_is_back_when_the_last_alert_was_judged(own_site, pages):
    site = own_site(enrolled=False)
    site.post("/activity_alert", json={"event_type": "fire", "camera_id": "last-1"})
    page = open_on_a_phone(pages, site.url)
    row(page, "last-1").click()
    page.get_by_role("button", name="Dismiss").click()
    page.get_by_role("button", name="Harmless").click()
    expect(page.get_by_role("button", name="To judge")).to_be_visible()
    expect(page.get_by_text("Nothing to judge").first).to_be_visible()
