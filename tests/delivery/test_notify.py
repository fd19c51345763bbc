"""Messages to people, over a real SMTP server."""

from __future__ import annotations

import email
from collections.abc import Iterator
from contextlib import closing
from email.message import Message as Mail
from email.policy import default

import pytest
from aiosmtpd.controller import Controller

from susracker.delivery.base import Message, Taken, TryLater
from susracker.delivery.notify import Notify
from susracker.delivery.rules import NotifyOptions
from susracker.errors import ConfigError
from susracker.testing.records import activity, face_alert
from tests.services.servers import free_port


class Postbox:
    """A handler of aiosmtpd that keeps each mail, and refuses some recipients."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.refused = ""

    async def handle_RCPT(  # noqa: N802
        self, server, session, envelope, address, options
    ):
        if address == self.refused:
            return "451 try later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.mails.append(email.message_from_bytes(envelope.content, policy=default))
        return "250 OK"


@pytest.fixture
def postbox() -> Iterator[tuple[Postbox, int]]:
    box = Postbox()
    server = Controller(box, "127.0.0.1", free_port())
    server.start()
    yield box, server.port
    server.stop()


def notify(port: int, *recipients: str) -> Notify:
    urls = [f"mailto://127.0.0.1:{port}?from=site@example.org&to={one}" for one in recipients]
    return Notify(NotifyOptions.model_validate({"kind": "notify", "urls": urls}))


def test_people_read_who_where_and_when(postbox):
    box, port = postbox
    alert = face_alert(face=None)
    with closing(notify(port, "jo@example.org")) as channel:
        assert channel.send(Message(alert.id, "alert", (alert,), is_stale=True)) == Taken()
    (mail,) = box.mails
    assert mail["Subject"] == "Possible match: Ada Nowak at Main gate (late)"
    text = mail.get_body().get_content()
    for told in ("cam-1", "1.00% of strangers", "not a verdict", alert.id, "Late"):
        assert told in text
    assert not list(mail.iter_attachments())


def test_a_face_is_attached_where_the_alert_has_one(postbox):
    box, port = postbox
    alert = face_alert(face=b"\xff\xd8\xff\xe0 face")
    with closing(notify(port, "jo@example.org")) as channel:
        assert channel.send(Message(alert.id, "alert", (alert,))) == Taken()
    (attached,) = box.mails[0].iter_attachments()
    assert attached.get_content_type() == "image/jpeg"
    assert attached.get_content() == b"\xff\xd8\xff\xe0 face"


def test_gathered_alerts_are_summed_up(postbox):
    box, port = postbox
    alerts = tuple(activity(seq=n) for n in range(490))
    with closing(notify(port, "jo@example.org")) as channel:
        channel.send(Message("gathered-1-490", "gathered", alerts))
    assert box.mails[0]["Subject"] == "490 more alerts"
    assert "490 x violence at Main gate" in box.mails[0].get_body().get_content()


def test_whoever_was_reached_is_not_written_to_again(postbox):
    box, port = postbox
    box.refused = "mo@example.org"
    alert = activity()
    with closing(notify(port, "jo@example.org", "mo@example.org")) as channel:
        result = channel.send(Message(alert.id, "alert", (alert,)))
        assert result == TryLater("could not reach urls 2 of 2")
        box.refused = ""
        assert channel.send(Message(alert.id, "alert", (alert,))) == Taken()
    assert [mail["To"] for mail in box.mails] == ["jo@example.org", "mo@example.org"]


def test_what_apprise_does_not_know_is_refused():
    options = NotifyOptions.model_validate({"kind": "notify", "urls": ["pigeon://loft"]})
    with pytest.raises(ConfigError, match="does not know urls 1"):
        Notify(options)
