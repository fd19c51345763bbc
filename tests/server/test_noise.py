"""Clients cannot flood the log."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import websocket

from susracker.server.noise import Malformed
from tests.pictures import HOPPER, encoded, portrait

MALFORMED = ["9zz", "4", "49{", "42[", '451-["a"]', "42{}", "b!!!", "42[{}]", "43[1]", "40/x,"]


def connected(site) -> websocket.WebSocket:
    address = site.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    connection = websocket.create_connection(address, timeout=60)
    connection.recv()
    connection.send("40")
    assert connection.recv().startswith("40")
    return connection


def test_malformed_messages_take_a_few_lines(own_site, faces, capfd):
    site = own_site()
    for message in MALFORMED * 5:
        connection = connected(site)
        connection.send(message)
        connection.close()
    # Pillow warns of each of these: their EXIF data are cut off.
    damaged = encoded(portrait(HOPPER), exif=b"Exif\0\0II*\0\x08\0\0\0\x05\0\x12\x01")
    for number in range(5):
        assert site.upload(damaged, f"exif-{number}").status_code == 200
    assert site.server.stop() == 0
    log = capfd.readouterr().err
    assert "Traceback" not in log
    assert len(log) < 2000, log


def record(error: Exception) -> logging.LogRecord:
    try:
        raise error
    except Exception as raised:
        info: Any = (type(raised), raised, raised.__traceback__)
    return logging.LogRecord("engineio.server", logging.ERROR, "", 0, "failed", (), info)


def test_malformed_messages_are_counted(monkeypatch):
    filtering, now = Malformed(), [0.0]
    monkeypatch.setattr("susracker.server.noise.time.monotonic", lambda: now[0])
    first = record(ValueError("x"))
    assert filtering.filter(first)
    assert "messages of Socket.IO clients: 1, such as" in first.getMessage()
    assert not any(filtering.filter(record(ValueError("x"))) for _ in range(10))
    now[0] = 61
    later = record(KeyError("x"))
    assert filtering.filter(later)
    assert later.getMessage().endswith("clients: 11, such as one that raised KeyError")
    assert later.exc_info is None


def test_an_error_of_our_own_keeps_its_traceback():
    from susracker.passwords import without_password

    with pytest.raises(AttributeError) as caught:
        without_password(None)  # type: ignore[arg-type]
    info: Any = (caught.type, caught.value, caught.tb)
    ours = logging.LogRecord("engineio.server", logging.ERROR, "", 0, "failed", (), info)
    assert all(Malformed().filter(ours) for _ in range(3))
    assert ours.exc_info == info
