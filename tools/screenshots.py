"""Takes the pictures of the operators' page for the README, from what the demo shows.

    python tools/screenshots.py

It needs Chromium and Playwright. All faces are the demo's two portraits, which are in the public
domain: strangers raise no alert.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright
from rich.console import Console

from susracker.demo.camera import Scene, post
from susracker.demo.portraits import sample_people
from susracker.demo.process import ServerProcess
from susracker.demo.show import Show

DOCS = Path(__file__).parent.parent / "docs"
SCREEN = {"width": 1366, "height": 768}
SHOTS = 12
QUALITY = 85
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    """Take both pictures."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        sys.exit("no Chromium here: install chromium")
    with tempfile.TemporaryDirectory(prefix="susracker-screenshots-") as folder:
        people = sample_people()
        show = Show(Path(folder), Console(quiet=True))
        show.enroll(people)
        flags = ("--store", show.store_url, "--log-level", "warning", "--cooldown-seconds", "0")
        with ServerProcess(*flags) as server, sync_playwright() as playwright:
            for shot in islice(Scene(people).shots(), SHOTS):
                post(server.url, shot)
                time.sleep(1)
            flags = ["--no-sandbox"]  # it opens this server's page and no other
            browser = playwright.chromium.launch(executable_path=program, args=flags)
            take(browser, server.url)
            browser.close()


def take(browser: Any, url: str) -> None:
    """Take the alerts and a person's track."""
    page = browser.new_page(viewport=SCREEN)
    page.goto(url)
    page.get_by_role("option").filter(has_text=sample_people()[0].name).first.click()
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(2000)
    save(page, "alerts.jpg")
    page.keyboard.press("p")
    page.get_by_role("region", name="Track").get_by_role("listitem").first.wait_for()
    page.wait_for_load_state("networkidle")
    page.mouse.move(0, 0)
    save(page, "track.jpg")


def save(page: Any, name: str) -> None:
    """Write a picture into the documentation."""
    page.screenshot(path=DOCS / name, type="jpeg", quality=QUALITY)
    print(f"docs/{name}")


if __name__ == "__main__":
    main()
