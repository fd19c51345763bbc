"""How quick the operators' page is in Chromium, on loopback.

    python benchmarks/page.py
    python benchmarks/page.py --history 10000 --loads 9 --alerts 500 --seconds 60 --json page.json

Prints the seconds until the first view can be used (the newest alert is shown, and the live
connection is up), the kilobytes that it takes without pictures, and the longest task that held the
page up: while alerts with real faces came, and then while an operator scrolled to the oldest of all
alerts, jumped about, filtered them, and judged one. Tasks are measured by the clock, and in CPU of
the page's own thread. Where these differ much, the thread waited for a core. Browser, server and
the camera share the cores, so measure on a machine with nothing else to do, and without `nice`:
Chromium sets priorities of its own, so the server would come first.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import requests
from PIL import Image
from playwright.sync_api import sync_playwright
from rich.console import Console

from susracker.demo.portraits import sample_people
from susracker.demo.process import ServerProcess
from susracker.demo.show import Show
from susracker.faces.images import crop, encode_jpeg
from susracker.models import Alert, Candidate
from susracker.plugins import open_detector, open_store

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SCREEN = {"width": 1366, "height": 768}
CAMERAS = 8
SECONDS = 120
"""To wait for the page at most."""

USABLE = """
new MutationObserver(() => {
    const isUp = document.querySelector(".link")?.textContent === "Live";
    if (isUp && document.querySelector("[role=option]")) window.usable ??= performance.now();
}).observe(document, { childList: true, subtree: true, characterData: true });
"""

TASK = "ThreadControllerImpl::RunTask"
LONG = 50
"""Milliseconds from which on a task counts as long, as in Chromium."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--loads", type=int, default=5, help="the median of so many is shown")
    parser.add_argument("--history", type=int, default=10_000, help="alerts that are there already")
    parser.add_argument("--alerts", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=60, help="in which the alerts come")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    options = parser.parse_args()
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        raise SystemExit("no Chromium here: install chromium")
    with tempfile.TemporaryDirectory(prefix="susracker-page-") as folder:
        show = Show(Path(folder), Console(quiet=True))
        show.enroll(sample_people())
        faces = [tight_crop(one.portrait) for one in sample_people()]
        store_history(show.store_url, faces, options.history)
        flags = ("--store", show.store_url, "--log-level", "error", "--cooldown-seconds", "0")
        # No recognition of one person waits for another: each face raises an alert of its own.
        flags += ("--passage-seconds", "0")
        with ServerProcess(*flags) as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
            found = measure(browser, server.url, faces, options)
            browser.close()
    Console().print(
        f"first view usable: {found['usable_s']:.2f} s (median of {options.loads})\n"
        f"transferred without pictures: {found['kilobytes']:.0f} KB\n"
        f"longest task while {found['shown']} alerts came in {found['took_s']:.0f} s: "
        f"{found['longest_ms']:.0f} ms, {found['longest_cpu_ms']:.0f} ms of CPU; "
        f"{found['long_tasks']} of {LONG} ms or more\n"
        f"CPU of the page's thread for each alert: {found['cpu_ms_each']:.1f} ms\n"
        f"events dropped by the page: {found['dropped']}"
    )
    Console().print(f"with {options.history + options.alerts:,} alerts, the longest task:")
    for name, task in found["history"].items():
        times = f"{task['longest_ms']:.0f} ms, {task['longest_cpu_ms']:.0f} ms of CPU"
        Console().print(f"  {name}: {times} (took {task['took_s']:.1f} s)")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))


def measure(
    browser: Any, url: str, faces: list[bytes], options: argparse.Namespace
) -> dict[str, Any]:
    """Everything, with one server and one browser."""
    loads = [load(browser, url) for _ in range(options.loads)]
    page = browser.new_page(viewport=SCREEN)
    page.goto(url)
    page.get_by_text("Live", exact=True).wait_for(timeout=1000 * SECONDS)
    page.wait_for_load_state("networkidle")
    before = count(page)
    browser.start_tracing(categories=["toplevel"])
    began = time.monotonic()
    camera = threading.Thread(target=send, args=(url, faces, options.alerts, options.seconds))
    camera.start()
    while camera.is_alive():
        page.wait_for_timeout(500)
    took = time.monotonic() - began
    end = time.monotonic() + SECONDS
    while (shown := count(page) - before) < options.alerts and time.monotonic() < end:
        page.wait_for_timeout(500)
    tasks = tasks_of_page(browser.stop_tracing())
    times = [task["dur"] / 1000 for task in tasks]
    cpu = [task["tdur"] / 1000 for task in tasks]
    return {
        "usable_s": statistics.median(seconds for seconds, _ in loads),
        "kilobytes": statistics.median(kilobytes for _, kilobytes in loads),
        "took_s": took,
        "shown": shown,
        "dropped": options.alerts - shown,
        "longest_ms": max(times),
        "longest_cpu_ms": max(cpu),
        "long_tasks": sum(time >= LONG for time in times),
        "cpu_ms_each": sum(cpu) / options.alerts,
        "history": look_through(browser, page, options.history + options.alerts),
    }


def look_through(browser: Any, page: Any, alerts: int) -> dict[str, dict[str, float]]:
    """What an operator does with a long history, by name."""
    person = page.get_by_role("searchbox", name="Person")
    steps: dict[str, Callable[[], None]] = {
        "scrolling to the oldest": lambda: scroll_to_the_oldest(page, alerts),
        "jumping about": lambda: jump(page, alerts),
        "a name typed into the filter": lambda: narrow(page, person, alerts),
        "all of them again": lambda: (person.fill(""), until(page, alerts)),
        "judging one": lambda: judge(page, alerts),
    }
    page.get_by_text("Filter", exact=True).click()
    page.mouse.move(200, 500)
    return {name: traced(browser, page, work) for name, work in steps.items()}


def traced(browser: Any, page: Any, work: Callable[[], None]) -> dict[str, float]:
    """How long some work took, and the page's longest task meanwhile."""
    browser.start_tracing(categories=["toplevel"])
    began = time.monotonic()
    work()
    took = time.monotonic() - began
    page.wait_for_timeout(500)
    tasks = tasks_of_page(browser.stop_tracing())
    return {
        "took_s": took,
        "longest_ms": max(task["dur"] for task in tasks) / 1000,
        "longest_cpu_ms": max(task["tdur"] for task in tasks) / 1000,
        "tasks_of_16_ms": sum(task["tdur"] >= 16_000 for task in tasks),
    }


def scroll_to_the_oldest(page: Any, alerts: int) -> None:
    """Turn the wheel as fast as people do, until the page has read everything."""
    while not page.locator(f"[aria-posinset='{alerts}']").count():
        page.mouse.wheel(0, 2000)
        page.wait_for_timeout(30)


def jump(page: Any, alerts: int) -> None:
    """Drag the scroll bar back and forth."""
    for share in (0.5, 0.1, 0.9, 0.3, 0):
        page.locator(".rows").evaluate("(one, at) => one.scrollTop = at * one.scrollHeight", share)
        page.locator(f"[aria-posinset='{1 + round(share * alerts) or 1}']").wait_for()
        page.wait_for_timeout(300)


def narrow(page: Any, person: Any, alerts: int) -> None:
    """Type the name of one of the two people, as fast as people do."""
    person.press_sequentially(sample_people()[0].name, delay=60)
    until(page, alerts // 2)


def judge(page: Any, alerts: int) -> None:
    """By key, the newest alert."""
    page.locator("[role=option]").first.click()
    page.keyboard.press("c")
    page.keyboard.press("1")
    until(page, alerts - 1)


def until(page: Any, alerts: int) -> None:
    """Wait until the list has so many."""
    page.locator(f"[aria-setsize='{alerts}']").first.wait_for(timeout=1000 * SECONDS)


def store_history(url: str, faces: list[bytes], alerts: int) -> None:
    """Put alerts into the store, one every ten seconds until a minute ago."""
    start = datetime.now(timezone.utc) - timedelta(seconds=10 * alerts + 60)
    with open_store(url) as store:
        people = {one.name: one for one in store.criminals()}
        order = [people[one.name] for one in sample_people()]
        for number in range(alerts):
            person, other = order[number % 2], order[1 - number % 2]
            at = start + timedelta(seconds=10 * number)
            candidates = (
                Candidate(person.id, person.name, 0.35, 7.5, 0.0002),
                Candidate(other.id, other.name, 0.9, 1.5, 0.4),
            )
            alert = Alert(
                f"{number:032x}", "face", "face", f"camera-{number % CAMERAS}", "Hall", at, at,
                criminal_id=person.id, name=person.name, distance=0.35, score=7.5,
                candidates=candidates, face=faces[number % 2],
                photo_id=store.photo_ids(person.id)[0],
            )  # fmt: skip
            store.record([], [alert])


def tasks_of_page(trace: bytes) -> list[dict[str, Any]]:
    """The tasks of the main thread of the page: of the renderer that did most."""
    events = json.loads(trace)["traceEvents"]
    mains = {
        (one["pid"], one["tid"])
        for one in events
        if one["name"] == "thread_name" and one["args"]["name"] == "CrRendererMain"
    }
    tasks: dict[tuple[int, int], list[dict[str, Any]]] = {main: [] for main in mains}
    for one in events:
        if one["name"] == TASK and (one["pid"], one["tid"]) in mains and "tdur" in one:
            tasks[one["pid"], one["tid"]].append(one)
    return max(tasks.values(), key=lambda some: sum(task["tdur"] for task in some))


def load(browser: Any, url: str) -> tuple[float, float]:
    """Seconds until the first view is usable, and its kilobytes, with nothing cached."""
    context = browser.new_context(viewport=SCREEN)
    page = context.new_page()
    page.add_init_script(USABLE)
    sizes: list[int] = []

    def add(request: Any) -> None:
        # Besides these two, nothing holds pictures.
        if not ("/photos/" in request.url or "/api/alerts/" in request.url):
            size = request.sizes()
            sizes.append(size["responseBodySize"] + size["responseHeadersSize"])

    page.on("requestfinished", add)
    page.goto(url)
    page.get_by_text("Live", exact=True).wait_for(timeout=1000 * SECONDS)
    page.locator("[role=option]").first.wait_for(timeout=1000 * SECONDS)
    page.wait_for_load_state("networkidle")
    usable = page.evaluate("window.usable") / 1000
    context.close()
    return usable, sum(sizes) / 1000


def count(page: Any) -> int:
    """How many alerts the list has."""
    return int(page.locator("[role=option]").first.get_attribute("aria-setsize"))


def tight_crop(path: Path) -> bytes:
    """The face of a portrait, as JPEG."""
    picture = np.asarray(Image.open(path).convert("RGB"))
    return encode_jpeg(crop(picture, open_detector().find(picture)[0].box, 0))


def send(url: str, faces: list[bytes], alerts: int, seconds: float) -> None:
    """Post faces evenly over some seconds, in turn from some cameras."""
    began = time.monotonic()
    with requests.Session() as session:
        for number in range(alerts):
            time.sleep(max(0.0, began + seconds * number / alerts - time.monotonic()))
            answer = session.post(
                f"{url}/face_upload",
                data={"camera_id": f"camera-{number % CAMERAS}", "camera_location": "Hall"},
                files={"file": ("face.jpg", faces[number % len(faces)], "image/jpeg")},
                timeout=SECONDS,
            )
            if answer.json()["message"] != "Match found":
                raise SystemExit(f"a face raised no alert: {answer.text}")


if __name__ == "__main__":
    main()
