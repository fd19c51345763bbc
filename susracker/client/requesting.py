"""Requests of an operator's client: repeated while it makes sense, with errors as exceptions."""

from __future__ import annotations

import json
import logging
import time
import uuid
from pathlib import Path
from typing import Any

import requests

from susracker.client.delivery import TIMEOUT, Waits, check_server, retry_after_seconds
from susracker.errors import (
    ConflictError,
    InputError,
    KeyRequiredError,
    NotAllowedError,
    NotFoundError,
    ServerUnavailableError,
    SusrackerError,
)
from susracker.passwords import told_without_password, without_password

log = logging.getLogger(__name__)

LATER = frozenset({408, 429, 502, 503, 504})
"""Statuses after which the same request may succeed."""

ERRORS: dict[int, type[SusrackerError]] = {
    401: KeyRequiredError,
    403: NotAllowedError,
    404: NotFoundError,
    409: ConflictError,
    412: ConflictError,
}


class Requesting:
    """Asks a server over a persistent connection. For one thread.

    A POST has an `Idempotency-Key`, so that a repeat after a broken connection does nothing again.

    Args:
        patience: seconds for which a request is repeated while the server is unavailable.
        ca: a file of certificates, as PEM; by default the authorities that browsers trust.

    Raises:
        ConfigError: the URL is wrong.
    """

    def __init__(
        self, url: str, key: str | None, patience: float, ca: str | Path | None = None
    ) -> None:
        check_server(url)
        self._url = url.rstrip("/")
        self._patience = patience
        self._session = requests.Session()
        self._ca = str(ca) if ca else None
        if key:
            self._session.headers["Authorization"] = f"Bearer {key}"

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """The JSON of an answer, or None if it is empty.

        Raises:
            SusrackerError: as `susracker.client.Operator` says.
        """
        headers = dict(more.pop("headers", {}))
        if method == "POST":
            headers["Idempotency-Key"] = uuid.uuid4().hex
        waits, until = Waits(), time.monotonic() + self._patience
        while True:
            try:
                return self._ask_once(method, path, headers=headers, **more)
            except ServerUnavailableError as error:
                wait = waits.next(error.retry_after)
                if time.monotonic() + wait > until:
                    raise
                log.debug("asking again in %.1f s: %s", wait, error)
                time.sleep(wait)

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def _ask_once(self, method: str, path: str, **more: Any) -> Any:
        try:
            answer = self._session.request(
                method,
                self._url + path,
                timeout=TIMEOUT,
                allow_redirects=False,
                verify=self._ca,
                **more,
            )
        except requests.RequestException as error:
            told = told_without_password(error, self._url)
            raise ServerUnavailableError(
                f"no answer from {without_password(self._url)}: {told}"
            ) from error
        if answer.status_code >= 300:
            raise _error(answer)
        return _json(answer) if answer.content else None


def _json(answer: requests.Response) -> Any:
    try:
        return json.loads(answer.content)
    except ValueError as error:
        raise ServerUnavailableError("what answers there is not a susracker server") from error


def _error(answer: requests.Response) -> SusrackerError:
    try:
        message = str(json.loads(answer.content)["error"])
    except (ValueError, TypeError, KeyError):
        message = f"{answer.status_code} {answer.reason}"
    if answer.status_code in LATER:
        wait = retry_after_seconds(answer.headers.get("Retry-After"))
        return ServerUnavailableError(message, wait)
    if answer.status_code >= 500 or answer.status_code < 400:
        return ServerUnavailableError(message)
    return ERRORS.get(answer.status_code, InputError)(message)
