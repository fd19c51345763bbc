"""Webhooks: what is posted, how it is signed, and where it may not go."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
from contextlib import closing
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qsl, urlsplit

import pytest

from susracker.access.links import Link, PictureLinks
from susracker.delivery.addresses import PRIVATE, is_public
from susracker.delivery.base import Gone, Message, Refused, Taken, TryLater
from susracker.delivery.channels import face_link_of
from susracker.delivery.rules import WebhookOptions
from susracker.delivery.webhook import Webhook, signed
from susracker.testing.records import activity, face_alert

KEY, OLD_KEY = bytes(range(24)), bytes(range(32))
SECRET, OLD_SECRET = (f"whsec_{base64.b64encode(key).decode()}" for key in (KEY, OLD_KEY))
NOON = datetime(2026, 5, 4, 12, tzinfo=timezone.utc)


LINKS = PictureLinks(b"a key")


def webhook(url: str, **fields) -> Webhook:
    values = {"kind": "webhook", "url": url, "secrets": [SECRET], "allow_private": True}
    options = WebhookOptions.model_validate(values | fields)
    return Webhook(options, lambda: NOON, face_link_of("hook", options.pictures_at, LINKS))


def message(**fields) -> Message:
    alert = face_alert(face=None, seq=7)
    return Message(**{"id": alert.id, "kind": "alert", "alerts": (alert,)} | fields)


def send(url: str, what: Message | None = None, **fields):
    channel = webhook(url, **fields)
    try:
        return channel.send(what or message())
    finally:
        channel.close()


def test_an_alert_is_posted_as_a_cloud_event(web):
    sent = message(is_stale=True)
    assert send(web.url, sent) == Taken()
    ((headers, _),) = web.posts
    assert headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    (event,) = web.events()
    alert = sent.alerts[0]
    data = event.pop("data")
    assert event == {
        "specversion": "1.0",
        "id": alert.id,
        "source": "/susracker",
        "type": "susracker.alert",
        "time": alert.occurred_at.isoformat(),
        "subject": "cam-1",
        "datacontenttype": "application/json",
    }
    assert (data["seq"], data["name"], data["fpir"]) == (7, "Ada Nowak", 0.01)
    assert data["stale"] is True
    assert "detected_face" not in data


def test_a_face_is_sent_where_the_alert_has_one(web):
    send(web.url, Message("1", "alert", (face_alert(face=b"\xff\xd8 face"),)))
    assert base64.b64decode(web.events()[0]["data"]["detected_face"]) == b"\xff\xd8 face"


def test_a_face_is_sent_as_a_signed_link_that_ends(web):
    at = {"pictures": "link", "pictures_at": "https://x.example/", "pictures_for": 600}
    send(web.url, Message("1", "alert", (face_alert(id="a b", face=b"\xff\xd8 face"),)), **at)
    data = web.events()[0]["data"]
    assert "detected_face" not in data
    assert data["face_url_until"] == (NOON + timedelta(minutes=10)).isoformat()
    parts = urlsplit(data["face_url"])
    assert (parts.netloc, parts.path) == ("x.example", "/api/alerts/a%20b/face")
    said = dict(parse_qsl(parts.query))
    link = Link("a b", said["receiver"], int(said["until"]))
    assert (link.receiver, link.until) == ("hook", int(NOON.timestamp()) + 600)
    assert LINKS.is_signed(link, said["signature"])
    assert not PictureLinks(b"another").is_signed(link, said["signature"])


def test_there_is_no_link_without_a_face_and_none_where_pictures_are_not_sent(web):
    at = {"pictures": "link", "pictures_at": "https://x.example"}
    send(web.url, Message("1", "alert", (face_alert(face=None),)), **at)
    assert "face_url" not in web.events()[0]["data"]
    assert not webhook(web.url, pictures="none").carries_faces
    assert webhook(web.url, **at).carries_faces


def test_gathered_alerts_are_counted_and_listed(web):
    alerts = tuple(activity(seq=n, camera_id=f"cam-{n % 2}") for n in range(3, 8))
    send(web.url, Message("gathered-3-7", "gathered", alerts))
    (event,) = web.events()
    assert (event["id"], event["type"]) == ("gathered-3-7", "susracker.alerts.gathered")
    data = event["data"]
    assert (data["count"], data["first_seq"], data["last_seq"]) == (5, 3, 7)
    assert data["cameras"] == {"cam-0": 2, "cam-1": 3}
    assert data["activities"] == {"violence": 5}
    assert [one["seq"] for one in data["alerts"]] == [3, 4, 5, 6, 7]


def test_a_message_is_signed_with_both_secrets_while_they_are_replaced(web):
    sent = message()
    send(web.url, sent, secrets=[SECRET, OLD_SECRET])
    ((headers, body),) = web.posts
    assert headers["webhook-id"] == sent.id
    assert headers["webhook-timestamp"] == str(int(NOON.timestamp()))
    content = f"{sent.id}.{headers['webhook-timestamp']}.".encode() + body
    made = [hmac.new(key, content, hashlib.sha256).digest() for key in (KEY, OLD_KEY)]
    wanted = " ".join("v1," + base64.b64encode(one).decode() for one in made)
    assert headers["webhook-signature"] == wanted


def test_a_signature_is_what_the_library_of_standard_webhooks_makes():
    # Made by `standardwebhooks` 1.1.0: Webhook(secret).sign(id, time, data).
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    moment = datetime.fromtimestamp(1614265330, timezone.utc)
    body = b'{"test": 2432232314}'
    headers = signed("msg_p5jXN8AQM9LWM0D4loKWxJek", moment, body, [key])
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("status", "result"),
    [(200, Taken), (202, Taken), (400, Refused), (422, Refused), (410, Gone), (302, TryLater)],
)
def test_what_an_answer_means(web, status, result):
    web.status = status
    assert type(send(web.url)) is result


@pytest.mark.parametrize(("status", "is_fault"), [(500, True), (503, False), (429, False)])
def test_a_receiver_that_fails_or_is_busy_is_tried_again(web, status, is_fault):
    web.status, web.headers = status, {"Retry-After": "7"}
    result = send(web.url)
    assert isinstance(result, TryLater)
    assert (result.retry_after, result.is_fault) == (7, is_fault)
    assert result.reason == f"http://127.0.0.1:{web.port} answers {status}"


def test_a_redirect_is_not_followed(web):
    web.status, web.headers = 307, {"Location": web.url}
    assert isinstance(send(web.url), TryLater)
    assert len(web.posts) == 1


def test_a_receiver_that_is_away_is_tried_again():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/hook?token=secret"
    result = send(url)
    assert isinstance(result, TryLater)
    assert "no connection to" in result.reason
    assert "secret" not in result.reason


def test_headers_are_sent_and_not_shown(web):
    options = WebhookOptions.model_validate(
        {
            "kind": "webhook",
            "url": web.url,
            "secrets": [SECRET],
            "headers": {"Authorization": "Bearer t0ken"},
        }
    )
    assert "t0ken" not in repr(options)
    assert SECRET not in repr(options)
    send(web.url, headers={"Authorization": "Bearer t0ken"})
    assert web.posts[0][0]["authorization"] == "Bearer t0ken"


# -- where it may not go ---------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0x7f000001", "2130706433"])
def test_an_address_inside_the_network_is_not_connected_to(web, host):
    result = send(f"http://{host}:{web.port}/hook", allow_private=False)
    assert isinstance(result, TryLater)
    assert PRIVATE in result.reason or "no connection" in result.reason
    assert web.posts == []


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(web, monkeypatch):
    """A name that leads elsewhere when it is looked up again leads nowhere."""
    asked = []

    def look_up(host, port, *args, **options):
        asked.append(host)
        address = "203.0.113.7" if len(asked) > 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    result = send(f"http://rebinding.example:{web.port}/hook", allow_private=False)
    assert isinstance(result, TryLater)
    assert PRIVATE in result.reason
    assert (asked, web.posts) == (["rebinding.example"], [])


def test_one_private_address_among_several_is_enough_to_refuse(web, monkeypatch):
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, web.port))
        for one in ("93.184.216.34", "127.0.0.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: found)
    result = send(f"http://both.example:{web.port}/hook", allow_private=False)
    assert PRIVATE in result.reason


def test_a_proxy_of_the_environment_is_not_used(web, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert send(web.url) == Taken()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "64:ff9b::a00:1",
        "2002:7f00:1::",
    ],
)
def test_addresses_of_networks_are_known(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"])
def test_addresses_of_the_internet_are_known(address):
    assert is_public(address)


def test_the_body_is_json_that_is_signed_as_it_is(web):
    send(web.url, Message("1", "test"))
    ((_, body),) = web.posts
    assert json.loads(body)["type"] == "susracker.test"


@pytest.mark.parametrize("answer", [b"", b'{"ok": true}'])
def test_a_connection_is_kept(web, answer):
    web.status, web.answer = 200 if answer else 204, answer
    with closing(webhook(web.url)) as channel:
        for _ in range(3):
            assert channel.send(message()) == Taken()
    assert len(web.posts) == 3
    assert web.connections == 1


def test_a_long_answer_is_not_read(web):
    web.status, web.answer = 200, b"x" * 1_000_000
    with closing(webhook(web.url)) as channel:
        assert channel.send(message()) == Taken()
        assert channel.send(message()) == Taken()
    assert web.connections == 2


def test_an_answer_that_breaks_off_is_taken_by_its_status(web):
    web.status, web.answer, web.missing = 200, b"half", 4
    with closing(webhook(web.url)) as channel:
        assert channel.send(message()) == Taken()
        assert channel.send(message()) == Taken()
    assert web.connections == 2
