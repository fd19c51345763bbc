"""One fault at a time, while cameras post: is it noticed, is nothing lost, does it heal?"""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from susracker.plugins import open_store
from tests.torture.checks import all_alerts, check_cameras, check_traces
from tests.torture.figures import Figures, milliseconds
from tests.torture.load import Camera, Ledger
from tests.torture.people import wanted
from tests.torture.site import READY_SECONDS, Site
from tests.waiting import wait_until

CAMERAS = 3
EVENTS_A_SECOND = 4.0
COOLDOWN_SECONDS = 1.0
NOTICED_SECONDS = 2.0
"""Within what time `/readyz` must know."""


class Place(Protocol):
    """Where a server runs, and what it needs.

    Attributes:
        site: the server, whose cooldown lasts `COOLDOWN_SECONDS`.
        strangers: pictures that must leave no trace.
    """

    site: Site
    strangers: list[bytes]


@dataclass(frozen=True)
class Fault:
    """What happens to a server.

    Attributes:
        harm: does something to a place, and undoes it in the end.
        words: what `/readyz` says, as a regular expression; empty if the server works on.
        restarts: whether somebody starts the server again to heal it.
    """

    harm: Callable[[Any], AbstractContextManager[None]]
    words: str
    restarts: bool = False


class Trial:
    """One fault, while cameras post."""

    def __init__(self, place: Place, name: str, fault: Fault, figures: Figures) -> None:
        self._place, self._name, self._fault, self._figures = place, name, fault, figures
        self._ledger = Ledger()
        self._cameras = [
            Camera(
                place.site.url,
                f"{name} {number}".replace(" ", "-"),
                [*wanted().values(), *place.strangers],
                self._ledger,
                per_second=EVENTS_A_SECOND,
            )
            for number in range(CAMERAS)
        ]

    def run(self, seconds: float, noticed_seconds: float) -> None:
        """Let the fault last so long once it is noticed, and heal it."""
        for camera in self._cameras:
            camera.start()
        wait_until(lambda: len(self._ledger.answered) > CAMERAS, READY_SECONDS)
        with self._fault.harm(self._place):
            if self._fault.words:
                self._see_it_noticed(noticed_seconds)
            before = len(self._ledger.answered)
            time.sleep(seconds)
            during = len(self._ledger.answered) - before
        self._see_it_healed()
        for camera in self._cameras:
            camera.stop()
        for camera in self._cameras:
            camera.join()
        self._show(during)

    def _see_it_noticed(self, seconds: float) -> None:
        began = time.monotonic()
        told = wait_until(self._is_told, READY_SECONDS)
        took = time.monotonic() - began
        shown = f"after {took:.1f} s: {self._problem()}"
        self._promise("/readyz knows", shown, told and took <= seconds)

    def _problem(self) -> str:
        """What `/readyz` says is wrong; nothing if it is ready."""
        answer = self._place.site.get("/readyz")
        return str(answer.json()["problem"]) if answer.status_code != 200 else ""

    def _is_told(self) -> bool:
        return re.search(self._fault.words, self._problem()) is not None

    def _see_it_healed(self) -> None:
        began = time.monotonic()
        ready = wait_until(lambda: not self._problem(), READY_SECONDS)
        answered = len(self._ledger.answered)
        works = wait_until(lambda: len(self._ledger.answered) > answered + CAMERAS, READY_SECONDS)
        took = time.monotonic() - began
        self._promise("heals by itself", f"after {took:.1f} s", ready and works)

    def _show(self, during: int) -> None:
        ledger = self._ledger
        self._figures.note(f"{self._name}: answered with 200 meanwhile", during)
        self._figures.note(f"{self._name}: with 503 and Retry-After", milliseconds(ledger.refused))
        # While it is started again, nobody answers.
        other = [one for one in ledger.other if ":" in one or not self._fault.restarts]
        self._promise("other answers", Counter(other) or "none", not other)
        with open_store(self._place.site.store_url) as store:
            check_cameras(store, ledger, all_alerts(store), COOLDOWN_SECONDS, self._figures)

    def _promise(self, what: str, value: object, kept: bool) -> None:
        self._figures.promise(f"{self._name}: {what}", value, kept)


def suffer(
    place: Place,
    faults: Mapping[str, Fault],
    figures: Figures,
    seconds: float,
    noticed_seconds: float = NOTICED_SECONDS,
) -> None:
    """Let a server suffer one fault after the other, and stop it.

    Args:
        seconds: how long each lasts once it is noticed.
        noticed_seconds: within what time `/readyz` must know.
    """
    for name, fault in faults.items():
        print(name, file=sys.stderr, flush=True)
        Trial(place, name, fault, figures).run(seconds, noticed_seconds)
    site = place.site
    status, traces = site.stop(), site.log_text().count("Traceback")
    figures.promise("exit status", status, status == 0)
    figures.promise("tracebacks in the log", traces, not traces)
    check_traces(site.folder, place.strangers, figures)
