"""What the tests of the page look for."""

from __future__ import annotations

from typing import Any


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
