"""Posting one event to a server."""

from __future__ import annotations

import json
import logging
import random
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import requests

from susracker.errors import ConfigError
from susracker.passwords import told_without_password, without_password

log = logging.getLogger(__name__)

PATH = "/api/detections"

TIMEOUT = (5.0, 60.0)
"""Seconds to connect, and to wait for the answer: a full queue takes less."""

FIRST_WAIT, LONGEST_WAIT = 0.25, 30.0
"""Seconds between attempts."""

LONGEST_RETRY_AFTER = 600.0
"""Longest Retry-After that is heeded, so that a mistaken one cannot silence a camera for a day."""

REFUSED = frozenset({400, 413, 415, 422})
"""With these the server says that it will never take the event, so it is given up. Everything else
is tried again, wrong keys and addresses included: somebody will put them right."""

FAULTS_PER_EVENT = 8
"""An event on which the server fails (500) so many times is given up, so that it does not hold up
all others for ever: an event that no server can take costs 15 to 30 seconds. While a server fails
on everything, the waits grow to 30 seconds, so that a camera gives up 15 to 30 events an hour."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The server answered.

    Attributes:
        answer: its JSON, which says what became of the event.
    """

    answer: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """The server will never take the event, for a reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class TryLater:
    """The event was not taken this time, for a reason.

    Attributes:
        retry_after: seconds that the server asked the camera to wait, or 0.
        is_fault: the server failed on the event (500), rather than being unavailable.
    """

    reason: str
    retry_after: float = 0
    is_fault: bool = False


def check_server(url: str) -> None:
    """Refuse what cannot be the URL of a server.

    Raises:
        ConfigError: it is none.
    """
    if not url.startswith(("http://", "https://")):
        raise ConfigError(
            f"{without_password(url)!r} is not the URL of a server: it must be like "
            "http://server:5000"
        )


def wait_after(failures: int, first: float, longest: float) -> float:
    """Seconds to wait after one more failure. They double each time, and half of each is random so
    that several senders do not all come back at once ("equal jitter", AWS Architecture Blog, 2015).

    Args:
        failures: how many there were before.
        first: the longest wait after the first failure.
        longest: the longest wait after any.
    """
    return min(longest, first * 2.0 ** min(failures, 30)) * random.uniform(0.5, 1)


class Waits:
    """How long to wait after each failure: longer and longer, see `wait_after`."""

    def __init__(self) -> None:
        self._failures = 0

    def succeeded(self) -> None:
        """Start with short waits again."""
        self._failures = 0

    def next(self, retry_after: float) -> float:
        """Seconds to wait after one more failure."""
        wait = wait_after(self._failures, FIRST_WAIT, LONGEST_WAIT)
        self._failures += 1
        return max(retry_after, wait)


class Faults:
    """Counts how often the server failed on the event that is sent now."""

    def __init__(self) -> None:
        self._number, self._count = -1, 0

    def give_up(self, number: int, result: TryLater) -> bool:
        """Count an attempt. Returns whether it was the last for the event of that number."""
        if not result.is_fault:
            return False
        self._count = self._count + 1 if number == self._number else 1
        self._number = number
        return self._count >= FAULTS_PER_EVENT


class Delivery:
    """Posts events to a server over a persistent connection. For one thread.

    Args:
        ca: a file of certificates, as PEM; by default the authorities that browsers trust.
    """

    def __init__(self, url: str, key: str | None = None, ca: str | Path | None = None) -> None:
        self._url = url.rstrip("/") + PATH
        self._shown_url = without_password(self._url)
        self._session = requests.Session()
        self._session.headers["Content-Type"] = "application/json"
        self._ca = str(ca) if ca else None
        if key:
            self._session.headers["Authorization"] = f"Bearer {key}"

    def post(self, body: bytes) -> Delivered | Refused | TryLater:
        """Try to deliver an event, once."""
        try:
            # `Session.verify` would yield to the environment variable REQUESTS_CA_BUNDLE.
            answer = self._session.post(
                self._url, data=body, timeout=TIMEOUT, allow_redirects=False, verify=self._ca
            )
        except requests.RequestException as error:
            told = _told(error, self._shown_url)
            log.debug("%s: %s", told, told_without_password(error, self._url))
            return TryLater(told)
        if answer.status_code in REFUSED:
            return Refused(_reason(answer))
        if answer.status_code != 200:
            retry_after = retry_after_seconds(answer.headers.get("Retry-After"))
            return TryLater(_reason(answer), retry_after, answer.status_code == 500)
        try:
            return Delivered(dict(answer.json()))
        except (ValueError, TypeError, RecursionError):
            return TryLater(
                f"{self._shown_url} is not a susracker server: its answer is not a JSON object"
            )

    def close(self) -> None:
        """Close the connection."""
        self._session.close()


def _told(error: requests.RequestException, url: str) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return (
            f"no TLS connection to {url}: its certificate is not trusted (name its authority with"
            " --ca, or ca= in Python), is for another name, or the server speaks no TLS"
        )
    return (
        f"{'no answer from' if isinstance(error, requests.Timeout) else 'no connection to'} {url}"
    )


def _reason(answer: requests.Response) -> str:
    try:
        return f"{answer.status_code}, {json.loads(answer.content)['error']}"
    except (ValueError, TypeError, KeyError, RecursionError):
        return f"{answer.status_code} {answer.reason}"


def retry_after_seconds(value: str | None) -> float:
    """Seconds to wait, given in a header as a number or a date (RFC 9110, 10.2.3), at most
    `LONGEST_RETRY_AFTER`; 0 if it says neither."""
    if not value:
        return 0
    try:
        seconds = float(value) if value.isdigit() else _until(value)
    except ValueError:
        return 0
    return min(max(seconds, 0), LONGEST_RETRY_AFTER)


def _until(date: str) -> float:
    moment: datetime = parsedate_to_datetime(date)
    return float((moment - datetime.now(moment.tzinfo or timezone.utc)).total_seconds())
