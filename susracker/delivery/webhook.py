"""Alerts to a program by HTTP: CloudEvents 1.0, signed as Standard Webhooks says.

https://cloudevents.io, https://www.standardwebhooks.com
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import requests
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

from susracker.client.delivery import REFUSED, retry_after_seconds
from susracker.delivery.addresses import PRIVATE, public_session
from susracker.delivery.base import Channel, Gone, Message, Refused, Result, Taken, TryLater
from susracker.delivery.messages import cloud_event, inline_face
from susracker.delivery.rules import WebhookOptions, shown_url, signing_key
from susracker.errors import ConfigError
from susracker.models import Alert
from susracker.runtime.clock import Clock, utc_now

FaceLink = Callable[[str, datetime], str]
"""Makes a link to the face of an alert, by its id, which ends at a moment."""

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"

TIMEOUT = (5.0, 15.0)
"""Seconds to connect, and to wait for the answer: Standard Webhooks recommends 15 to 30."""

SHORT = 4096
"""Bytes of an answer that are read; after a longer one, the next message needs a new connection."""

GONE = 410
"""With this the receiver says that it wants no more (Standard Webhooks)."""

FAULT = 500
"""With this the receiver says that it failed on the message; other answers of its kind, that it is
unavailable."""


class Webhook(Channel):
    """Posts each message to one URL.

    Args:
        face_link: makes a link to an alert's face; not needed if the options ask for none.

    Raises:
        ConfigError: it is needed, and there is none.
    """

    def __init__(
        self,
        options: WebhookOptions,
        now: Clock = utc_now,
        face_link: FaceLink | None = None,
    ) -> None:
        if options.pictures == "link" and face_link is None:
            raise ConfigError("links to pictures need a store, whose secret signs them")
        self.carries_faces = options.pictures != "none"
        self._face_link = face_link if options.pictures == "link" else None
        self._face_seconds = options.pictures_for
        self._url = options.url
        self._shown_url = shown_url(options.url)
        self._keys = [signing_key(secret) for secret in options.secrets]
        self._now = now
        self._session = requests.Session() if options.allow_private else public_session()
        # Neither proxies nor passwords that the environment has for other programs.
        self._session.trust_env = False
        self._session.headers.update(options.headers)
        self._ca = options.ca or None

    def send(self, message: Message) -> Result:
        now = self._now()
        body = json.dumps(cloud_event(message, now, self._face_of)).encode()
        headers = signed(message.id, now, body, self._keys) | {"Content-Type": CONTENT_TYPE}
        try:
            answer = self._session.send(
                self._request(body, headers),
                timeout=TIMEOUT,
                allow_redirects=False,
                verify=self._ca or True,
                # Of a long answer only its status is read: a body might never end.
                stream=True,
            )
        except requests.RequestException as error:
            return TryLater(self._told(error))
        with answer:
            _read_if_short(answer)
            return self._result(answer)

    def _request(self, body: bytes, headers: dict[str, str]) -> requests.PreparedRequest:
        request = self._empty.copy()
        request.headers.update(headers)
        request.prepare_body(body, None)
        return request

    @cached_property
    def _empty(self) -> requests.PreparedRequest:
        """What all requests have in common; to prepare that costs a tenth of one."""
        return self._session.prepare_request(requests.Request("POST", self._url))

    def close(self) -> None:
        self._session.close()

    def _face_of(self, alert: Alert) -> dict[str, Any]:
        if self._face_link is None or alert.face is None:
            return inline_face(alert)
        until = self._now() + timedelta(seconds=self._face_seconds)
        url = self._face_link(alert.id, until)
        return {"face_url": url, "face_url_until": until.isoformat()}

    def _result(self, answer: requests.Response) -> Result:
        status = answer.status_code
        reason = f"{self._shown_url} answers {status}"
        if 200 <= status < 300:
            return Taken()
        if status == GONE:
            return Gone(f"{reason}: it wants no more messages")
        if status in REFUSED:
            return Refused(reason)
        seconds = retry_after_seconds(answer.headers.get("Retry-After"))
        return TryLater(reason, seconds, is_fault=status == FAULT)

    def _told(self, error: requests.RequestException) -> str:
        if PRIVATE in str(error):
            return f"{self._shown_url} {PRIVATE}"
        if isinstance(error, requests.exceptions.SSLError):
            return f"{self._shown_url}: its certificate is not trusted"
        what = "no answer from" if isinstance(error, requests.ReadTimeout) else "no connection to"
        return f"{what} {self._shown_url}"


def _read_if_short(answer: requests.Response) -> None:
    """Read a short body, if one look is enough, so that the connection can be used again."""
    body: HTTPResponse = answer.raw
    length = body.length_remaining
    if length is None or length > SHORT:
        return
    with suppress(HTTPError):  # the status has come, and says what matters
        if not length or len(body.read1(length)) == length:
            body.read()  # nothing: urllib3 lets go of the connection


def signed(message_id: str, now: datetime, body: bytes, keys: Sequence[bytes]) -> dict[str, str]:
    """The headers of Standard Webhooks, with a signature by each key."""
    timestamp = str(int(now.timestamp()))
    content = b".".join((message_id.encode(), timestamp.encode(), body))
    made = (hmac.new(key, content, hashlib.sha256).digest() for key in keys)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{base64.b64encode(one).decode()}" for one in made),
    }
