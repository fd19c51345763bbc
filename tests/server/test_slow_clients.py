"""A client that does not read is cut off, holds nobody up, and gets the rest when it is back."""

from __future__ import annotations

import json
import os
import time

import gevent
import pytest
import websocket
from gevent.socket import socketpair

from susracker.plugins import open_store
from susracker.server.sending import STALLED_SECONDS, Connection
from susracker.testing.records import face_alert
from tests.server.conftest import Operator
from tests.waiting import PATIENCE, wait_until

ALERTS = 500


class Log:
    """What a server has written so far."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self._capfd, self._text = capfd, ""

    def text(self) -> str:
        self._text += self._capfd.readouterr().err
        return self._text


def store_alerts(site, count: int) -> list[int]:
    """Alerts with pictures that do not compress, as another server on the store would add them."""
    hopper = site.ids["hopper"]
    with open_store(site.store_url) as store:
        (photo_id,) = store.photo_ids_of([hopper])[hopper]
        alerts = [
            face_alert(hopper, photo_id=photo_id, face=os.urandom(20_000)) for _ in range(count)
        ]
        return [one.seq for one in store.record([], alerts)]


def test_who_stops_reading_is_cut_off_and_gets_the_rest_later(own_site, capfd):
    site = own_site()
    healthy, silent = silent_client(site), silent_client(site)
    seqs = store_alerts(site, ALERTS)
    heard = []
    while len(heard) < ALERTS:
        heard += seqs_in(healthy.recv())
    assert heard == seqs
    healthy.close()
    log = Log(capfd)
    assert wait_until(lambda: "cut off a client" in log.text())
    heard = all_until_the_end(silent)
    assert heard == seqs[: len(heard)]
    assert len(heard) < ALERTS
    back = Operator(site.url, auth={"last_seq": heard[-1] if heard else seqs[0] - 1})
    assert [back.next("new_alert")["seq"] for _ in seqs[len(heard) :]] == seqs[len(heard) :]
    back.client.disconnect()
    site.server.stop()
    assert log.text().count("cut off a client that has read nothing for 10 s") == 1
    assert "Traceback" not in log.text()


def test_who_reads_slowly_loses_nothing(own_site):
    """Old panels do not say what they have, so they must not be cut off."""
    site = own_site()
    slow = silent_client(site)
    seqs = store_alerts(site, ALERTS)
    time.sleep(STALLED_SECONDS / 2)
    heard = []
    while len(heard) < ALERTS:
        heard += seqs_in(slow.recv())
        time.sleep(0.002)
    assert heard == seqs
    slow.close()


def silent_client(site) -> websocket.WebSocket:
    """A client that is connected, and reads only what the test reads."""
    address = site.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    connection = websocket.create_connection(
        address,
        timeout=PATIENCE,
        skip_utf8_validation=True,  # which would take most of the time
    )
    connection.recv()
    connection.send("40")
    assert connection.recv().startswith("40")
    return connection


def all_until_the_end(connection: websocket.WebSocket) -> list[int]:
    heard = []
    try:
        while message := connection.recv():
            heard += seqs_in(message)
    except (websocket.WebSocketConnectionClosedException, ConnectionError):
        pass
    connection.close()
    return heard


def seqs_in(message: str) -> list[int]:
    is_alert = message.startswith('42["new_alert"')
    return [json.loads(message[2:])[1]["seq"]] if is_alert else []


def test_a_slow_client_gets_whole_messages():
    """gevent's own `send` would have sent what fits in the socket's buffer."""
    accepted, client = socketpair()
    sending = Connection(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
    messages = [bytes([65 + n]) * 3_000_000 for n in range(3)]
    senders = [gevent.spawn(sending.send, one) for one in messages]
    got = bytearray()
    while len(got) < 9_000_000:
        got += client.recv(100_000)
        gevent.sleep(0)
    assert bytes(got) == b"".join(messages)
    assert [one.get() for one in senders] == [3_000_000] * 3
    sending.close()
    client.close()


def test_a_client_that_takes_nothing_loses_its_connection(monkeypatch):
    monkeypatch.setattr("susracker.server.sending.STALLED_SECONDS", 0.1)
    accepted, client = socketpair()
    sending = Connection(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
    for _ in range(2):  # and what follows does not wait again
        with pytest.raises(BrokenPipeError):
            sending.send(bytes(3_000_000))
    assert sending.recv(1) == b""
    sending.close()
    client.close()
