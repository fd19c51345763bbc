"""A real Chromium that opens the page of a real server with real faces."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from tests.server.conftest import COLLINS, HOPPER, LASTING, Site, face_crop, faces, jpeg
from tests.waiting import PATIENCE

__all__ = ["face_crop", "faces", "jpeg"]

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

SCREEN = {"width": 1366, "height": 768}


@pytest.fixture(scope="session")
def webcam(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the browser's webcam sees: a portrait, as Motion JPEG."""
    picture = Image.new("RGB", (640, 480), "gray")
    portrait = Image.open(HOPPER.portrait).convert("RGB")
    portrait.thumbnail(picture.size)
    picture.paste(portrait, (100, 0))
    film = tmp_path_factory.mktemp("webcam") / "portrait.mjpeg"
    film.write_bytes(jpeg(picture) * 2)
    return film


@pytest.fixture(scope="session")
def browser(webcam: Path) -> Iterator[Any]:
    """The machine's own Chromium, driven by Playwright."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("CI has no Chromium, so the operators' page cannot be tested")
        pytest.skip("no Chromium here: install chromium to test the operators' page")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        flags = [
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-video-capture={webcam}",
        ]
        # Chromium refuses to sandbox itself for root.
        flags += ["--no-sandbox"] if os.geteuid() == 0 else []
        running = playwright.chromium.launch(executable_path=program, args=flags)
        yield running
        running.close()


class Pages:
    """Opens pages, each like another person's browser, and fails if one has an error."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser
        self._contexts: list[Any] = []
        self.errors: list[str] = []

    def open(self, url: str, *, script: str = "", **options: Any) -> Any:
        """A page; a script runs in it before its own do."""
        context = self._browser.new_context(
            **{"viewport": {"width": 1366, "height": 768}, **options}
        )
        self._contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.add_init_script(script)
        page.goto(url)
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture
def pages(browser: Any) -> Iterator[Pages]:
    opened = Pages(browser)
    yield opened
    opened.close()
    assert opened.errors == []


@pytest.fixture(scope="module")
def site(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One server without keys for the tests of a module; each test uses cameras of its own."""
    running = Site(tmp_path_factory.mktemp("site"), *LASTING, "--follow-seconds", "0.2")
    yield running
    running.server.stop()


@pytest.fixture(scope="module")
def _emptied(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    running = Site(tmp_path_factory.mktemp("empty"), enrolled=False)
    yield running
    running.server.stop()


@pytest.fixture
def empty_site(_emptied: Site) -> Site:
    """A server, the same for a module, on which nobody is enrolled when a test begins."""
    for person in _emptied.get("/api/criminals").json()["criminals"]:
        where = f"{_emptied.url}/api/criminals/{person['id']}"
        assert requests.delete(where, timeout=60).status_code == 204
    return _emptied


@pytest.fixture
def fresh_site(empty_site: Site) -> Site:
    """The same with both sample people, whom no camera has seen yet."""
    for short, person in (("hopper", HOPPER), ("collins", COLLINS)):
        photo = base64.b64encode(person.portrait.read_bytes()).decode()
        fields = {"name": person.name, "crimes": ["forgery"], "images": [photo]}
        empty_site.ids[short] = empty_site.post("/api/criminals", json=fields).json()["id"]
    return empty_site


@pytest.fixture
def own_site(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """A server that a test may stop, or with flags of its own."""
    running: list[Site] = []

    def start(*flags: str, enrolled: bool = True) -> Site:
        running.append(Site(tmp_path, *flags, enrolled=enrolled))
        return running[-1]

    yield start
    for one in running:
        one.server.stop()
