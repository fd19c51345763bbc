"""What the tests of the page look for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.waiting import wait_until

ALL_SHOWN = """async () => {
    const rows = document.querySelector(".rows");
    const found = new Map();
    for (let top = 0; top < rows.scrollHeight; top += rows.clientHeight / 2) {
        rows.scrollTop = top;
        await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        for (const row of rows.querySelectorAll("[role=option]"))
            found.set(Number(row.ariaPosInSet), row.querySelector("bdi:last-child").textContent);
    }
    rows.scrollTop = 0;
    return [...found].sort(([one], [other]) => one - other).map(([, camera]) => camera);
}"""
"""The cameras of all rows, from the top to the bottom."""


def expect(what: Any) -> Any:
    from playwright.sync_api import expect as expected

    return expected(what)


def live(page: Any) -> None:
    """Wait for the live connection."""
    expect(page.get_by_text("Live", exact=True)).to_be_visible()


def rows(page: Any) -> Any:
    return page.get_by_role("listbox").get_by_role("option")


def row(page: Any, text: str) -> Any:
    return rows(page).filter(has_text=text)


def _page_shows(page: Any, condition: Callable[[], bool]) -> bool:
    """Whether a condition comes true in time; the page goes on meanwhile."""
    return wait_until(condition, sleep=lambda seconds: page.wait_for_timeout(1000 * seconds))


def eventually(page: Any, script: str) -> None:
    """Wait until a script's value is true; `wait_for_function` needs what the policy forbids."""
    assert _page_shows(page, lambda: page.evaluate(script)), script


def first(page: Any, held: list[Any]) -> Any:
    """The first request that a page's route holds back, waited for."""
    assert _page_shows(page, lambda: bool(held))
    return held[0]
