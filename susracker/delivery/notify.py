"""Alerts to people, by whatever apprise can reach: email, messengers, SMS gateways.

https://github.com/caronc/apprise
"""

from __future__ import annotations

import logging
from typing import Any

import apprise
from apprise.attachment.memory import AttachMemory

from susracker.delivery.base import Channel, Message, Result, Taken, TryLater
from susracker.delivery.messages import text_of, title_of
from susracker.delivery.rules import NotifyOptions
from susracker.errors import ConfigError

log = logging.getLogger(__name__)


class Notify(Channel):
    """Writes to one or more recipients.

    Whom it could reach already is left out when the message is tried again, as long as the process
    lives.

    Raises:
        ConfigError: apprise does not know one of the URLs.
    """

    def __init__(self, options: NotifyOptions) -> None:
        self._recipients = [_recipient(url, n) for n, url in enumerate(options.urls, 1)]
        self._message_id = ""
        self._reached: set[int] = set()
        # It would log titles, which have names in them.
        logging.getLogger("apprise").setLevel(logging.CRITICAL)

    def send(self, message: Message) -> Result:
        if message.id != self._message_id:
            self._message_id, self._reached = message.id, set()
        for number, recipient in enumerate(self._recipients):
            if number not in self._reached and _notify(recipient, message):
                self._reached.add(number)
        missed = [n + 1 for n in range(len(self._recipients)) if n not in self._reached]
        if missed:
            which = ", ".join(map(str, missed))
            return TryLater(f"could not reach urls {which} of {len(self._recipients)}")
        return Taken()

    def close(self) -> None:
        """There is nothing to close: apprise connects for each message."""


def _recipient(url: str, number: int) -> apprise.NotifyBase:
    found = apprise.Apprise.instantiate(url)
    if found is None:
        raise ConfigError(
            f"apprise does not know urls {number}: its documentation lists what it knows"
        )
    if found.request_rate_per_sec == apprise.NotifyBase.request_rate_per_sec:
        # A pause of 5.5 s where apprise knows of no limit; a site sets `per_minute`.
        found.request_rate_per_sec = 0
    return found


def _notify(recipient: apprise.NotifyBase, message: Message) -> bool:
    faces = [alert.face for alert in message.alerts if alert.face]
    make: Any = AttachMemory  # apprise has no types here
    attached = [make(face, name="face.jpg", mimetype="image/jpeg") for face in faces]
    fits = recipient.attachment_support and attached
    return bool(
        recipient.notify(
            body=text_of(message),
            title=title_of(message),
            attach=apprise.AppriseAttachment(attached) if fits else None,
        )
    )
