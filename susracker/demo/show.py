"""Runs the demo from beginning to end, and prints what happens."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from susracker.demo.camera import Shot, post
from susracker.demo.operator import Operator
from susracker.demo.portraits import SamplePerson
from susracker.demo.process import ServerProcess
from susracker.enrolment.enroller import Enroller
from susracker.enrolment.fields import criminal_from_fields
from susracker.errors import SusrackerError
from susracker.loading import load_settings
from susracker.plugins import open_detector, open_encoder, open_store_of

SUPPRESSED = "Match found but in cooldown"

ANSWER_STYLES = {"Match found": "bold red", SUPPRESSED: "yellow", "Alert sent": "bold red"}


class Show:
    """Enrols the sample people, starts the server, and runs the cameras and the operator.

    Args:
        folder: where to put the demo's database.

    Attributes:
        store_url: of that database.
    """

    def __init__(self, folder: Path, console: Console) -> None:
        self.store_url = f"sqlite:///{(folder / 'demo.db').as_posix()}"
        self._console = console
        self._face_alerts = threading.Event()

    def say(self, text: str) -> None:
        """Print a line of Rich markup."""
        self._console.print(text, highlight=False, soft_wrap=True)

    def run(
        self,
        people: list[SamplePerson],
        shots: Iterable[Shot],
        interval: float,
        limit: float | None,
    ) -> None:
        """Run until interrupted, or until `shots` end.

        With a limit, stop as soon as a face has raised an alert and a repeat was suppressed.

        Args:
            people: who to enrol.
            interval: seconds between two detections.
            limit: seconds within which that alert and that repeat must come.

        Raises:
            SusrackerError: they did not come in time, or the server did not start.
        """
        self.enroll(people)
        with (
            ServerProcess("--store", self.store_url, "--log-level", "warning") as server,
            Operator(server.url, self._on_alert),
        ):
            self.say(f"[bold]server[/bold]    listens on {server.url}; Ctrl-C ends the demo")
            self.say(f"[bold]page[/bold]      open {server.url} to see and judge the alerts")
            self._film(shots, server.url, interval, limit)

    def enroll(self, people: list[SamplePerson]) -> None:
        """Put the sample people on the watch-list."""
        settings = load_settings({"store": self.store_url}).settings
        with open_store_of(settings) as store:
            detector = open_detector(settings.detector)
            enroller = Enroller(store, open_encoder(settings.encoder), detector)
            for person in people:
                criminal = criminal_from_fields({"name": person.name, "crimes": [person.crime]})
                enroller.enroll(criminal, [enroller.prepare(person.portrait.read_bytes())])
                self.say(f"[bold]enrolled[/bold]  {escape(person.name)}")

    def _film(self, shots: Iterable[Shot], url: str, interval: float, limit: float | None) -> None:
        started = time.monotonic()
        suppressed = False
        for shot in shots:
            answer = post(url, shot)
            self._print_answer(shot, answer)
            suppressed = suppressed or answer == SUPPRESSED
            if limit is not None:
                if suppressed and self._face_alerts.is_set():
                    return
                if time.monotonic() - started > limit:
                    raise SusrackerError(f"no alert with a suppressed repeat within {limit:g} s")
            time.sleep(interval)

    def _print_answer(self, shot: Shot, answer: str) -> None:
        style = ANSWER_STYLES.get(answer, "dim")
        self.say(
            f"[cyan]camera[/cyan]    {shot.camera_id:<7} sees {escape(shot.what):<24}"
            f" -> [{style}]{answer}[/{style}]"
        )

    def _on_alert(self, alert: dict[str, Any]) -> None:
        """Print an alert. The Socket.IO client calls this on its own thread."""
        if alert["alert_type"] == 1:
            what = f"{alert['name']}, confidence {alert['confidence']}"
            self._face_alerts.set()
        else:
            what = alert["event_type"]
        self.say(
            f"[bold white on red] ALERT {alert['seq']} [/] {escape(what)}, on"
            f" {escape(alert['camera_id'])} ({escape(alert['camera_location'])})"
        )
