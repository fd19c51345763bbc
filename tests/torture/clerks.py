"""Clerks who enrol, edit and remove people, and reviewers; each keeps what was answered."""

from __future__ import annotations

import base64
import itertools
import re
import threading
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.server.conftest import HOPPER
from tests.torture.load import RETRY_SECONDS


class Worker(threading.Thread):
    """Sends requests, each again and again until it is answered, whatever happens to the server.

    Attributes:
        other: answers that nobody should get, as words.
    """

    def __init__(self, url: str, name: str, pause: float) -> None:
        super().__init__(name=name, daemon=True)
        self.other: list[str] = []
        self.stopping = threading.Event()
        self._url = url
        self._pause = pause

    def stop(self) -> None:
        """Finish what is being sent, and end."""
        self.stopping.set()

    def run(self) -> None:
        for number in itertools.count():
            try:
                self.work(number)
            except AssertionError as error:
                self.other.append(str(error))
            if self.stopping.wait(self._pause):
                return

    def work(self, number: int) -> None:
        """One piece of work."""
        raise NotImplementedError

    def ask(self, method: str, path: str, body: Any = None) -> requests.Response | None:
        """The answer that counts; None if there was none until it was told to stop."""
        while True:
            answer = self._try(method, path, body)
            if answer is not None and answer.status_code != 503:
                if answer.status_code >= 500:
                    self.other.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
                return answer
            if self.stopping.wait(RETRY_SECONDS):
                return None

    def _try(self, method: str, path: str, body: Any) -> requests.Response | None:
        try:
            return requests.request(method, self._url + path, json=body, timeout=60)
        except requests.RequestException:
            return None


@dataclass
class Person:
    """What a clerk was told of someone whom it enrolled.

    Attributes:
        cases: the values that `case_reference` may have: the last one that was answered, and one
            that was sent and not answered.
        status: "enrolled", "removing" when a removal was sent, "removed" once it was answered.
    """

    id: str
    cases: set[str] = field(default_factory=lambda: {""})
    status: str = "enrolled"


class Clerk(Worker):
    """Enrols people with a photo, edits them, and removes every other one.

    The photo is of someone who stands before the cameras, so that people are removed while they
    are recognised. Those who are not removed are taken off the watch-list.

    Attributes:
        people: those whose enrolment was answered, by name.
    """

    def __init__(self, url: str, pause: float = 0.5) -> None:
        super().__init__(url, "clerk", pause)
        self.people: dict[str, Person] = {}

    def work(self, number: int) -> None:
        name = f"Person {number}"
        body = {"name": name, "crimes": ["forgery"], "image": _photo(name)}
        answer = self.ask("POST", "/api/criminals", body)
        if answer is None:
            return
        person = Person(_enrolled_id(answer))
        self.people[name] = person
        self._edit(person, {"case_reference": f"case {number}", "status": "apprehended"})
        if number % 2:
            self._remove(person)

    def _edit(self, person: Person, fields: dict[str, str]) -> None:
        person.cases.add(fields["case_reference"])
        answer = self.ask("PUT", f"/api/criminals/{person.id}", fields)
        if answer is not None:
            assert answer.status_code == 200, answer.text
            person.cases = {fields["case_reference"]}

    def _remove(self, person: Person) -> None:
        person.status = "removing"
        answer = self.ask("DELETE", f"/api/criminals/{person.id}")
        if answer is not None:
            # It is not there any more if the answer to an earlier try was lost.
            assert answer.status_code in (204, 404), answer.text
            person.status = "removed"


class Reviewer(Worker):
    """Reviews one alert after the other.

    Attributes:
        answered: pairs of an alert's id and the reason that was given, which is unique.
    """

    def __init__(self, url: str, pause: float = 0.05) -> None:
        super().__init__(url, "reviewer", pause)
        self.answered: list[tuple[str, str]] = []
        self._seq = 0

    def work(self, number: int) -> None:
        page = self.ask("GET", f"/api/alerts?after={self._seq}&limit=1")
        if page is None or not page.json()["alerts"]:
            return
        alert = page.json()["alerts"][0]
        self._seq = alert["seq"]
        said = {"verdict": "unsure", "reason": f"review {number}"}
        answer = self.ask("POST", f"/api/alerts/{alert['id']}/review", said)
        if answer is not None:
            # It is judged already if the answer to an earlier try was lost.
            assert answer.status_code in (200, 409), answer.text
            self.answered.append((alert["id"], said["reason"]))


def _photo(name: str) -> str:
    """A portrait as a data URI, with a comment in it that makes it another file."""
    comment = name.encode()
    segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
    content = HOPPER.portrait.read_bytes()
    return base64.b64encode(content[:2] + segment + content[2:]).decode()


def _enrolled_id(answer: requests.Response) -> str:
    """Whom an enrolment made, in this try or an earlier one whose answer was lost."""
    if answer.status_code == 201:
        return str(answer.json()["id"])
    assert answer.status_code == 409, answer.text
    found = re.search(r"a photo of '(\w+)'", answer.json()["error"])
    assert found, answer.text
    return found[1]
