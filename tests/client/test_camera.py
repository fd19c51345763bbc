"""A camera against a server that answers in every way a server can."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from contextlib import closing
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from susracker.client import Camera, Counts, delivery
from susracker.client.delivery import (
    LONGEST_WAIT,
    Delivery,
    Refused,
    TryLater,
    Waits,
    retry_after_seconds,
    wait_after,
)
from susracker.client.spool import Spool
from susracker.errors import ConfigError
from tests.waiting import PATIENCE, wait_until

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
OK = (200, {}, b'{"message": "No match found"}')


class Web:
    """A server whose answers a test chooses; it keeps what it was sent."""

    def __init__(self) -> None:
        self.heard: list[dict] = []
        self.keys: list[str | None] = []
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.keys.append(self.headers["Authorization"])
                outer.heard.append(json.loads(body))
                status, headers, content = outer.answers.pop(0) if outer.answers else OK
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def web():
    one = Web()
    yield one
    one.stop()


@pytest.fixture
def open_camera(web):
    opened: list[Camera] = []

    def open_one(**options) -> Camera:
        url = options.pop("url", web.url)
        opened.append(Camera(url, "gate/1", "Main gate", **options))
        return opened[-1]

    yield open_one
    for camera in opened:
        camera.close(timeout=0)


def test_events_arrive_in_order_with_their_time(web, open_camera):
    answers = []
    camera = open_camera(key="secret", on_answer=lambda *pair: answers.append(pair))
    ids = [camera.send_face(b"jpeg", NOON), camera.send_activity("violence", NOON)]
    assert camera.flush(PATIENCE)
    face, activity = web.heard
    assert (face["event_type"], face["image"], face["camera_id"]) == ("face", "anBlZw==", "gate/1")
    assert (activity["event_type"], activity["camera_location"]) == ("violence", "Main gate")
    assert [one["event_id"] for one in web.heard] == ids
    assert datetime.fromisoformat(face["timestamp"]) == NOON
    assert web.keys == ["Bearer secret"] * 2
    assert camera.counts == Counts(sent=2)
    assert answers == [(one, {"message": "No match found"}) for one in ids]


@pytest.mark.parametrize("status", [401, 404, 429, 500, 502, 503, 302])
def test_what_may_pass_is_tried_again_with_the_same_id(web, open_camera, status):
    web.answers = [(status, {}, b"")] * 2
    camera = open_camera()
    event_id = camera.send_activity("violence", NOON)
    camera.send_activity("fire", NOON)
    assert camera.flush(PATIENCE)
    assert [one["event_type"] for one in web.heard] == ["violence"] * 3 + ["fire"]
    assert {one["event_id"] for one in web.heard[:3]} == {event_id}
    assert camera.counts == Counts(sent=2)


def test_a_problem_is_logged_when_it_begins_and_when_it_ends(web, open_camera, caplog):
    web.answers = [(503, {}, b'{"error": "busy"}')] * 4
    camera = open_camera()
    camera.send_activity("violence", NOON)
    assert camera.flush(PATIENCE)
    assert camera.counts == Counts(sent=1)
    messages = [record.message for record in caplog.records]
    assert messages == [
        "503, busy; trying again until the server has taken the events",
        "the server answers again; events waiting: 1",
    ]


def test_an_answer_that_is_no_json_is_not_believed(web, open_camera):
    web.answers = [(200, {}, b"<html>a login page</html>"), (200, {}, b"[1]")]
    camera = open_camera()
    camera.send_activity("violence", NOON)
    assert camera.flush(PATIENCE)
    assert len(web.heard) == 3


def test_retry_after_is_heeded(web, open_camera):
    web.answers = [(503, {"Retry-After": "1"}, b"")]
    camera = open_camera()
    began = time.monotonic()
    camera.send_activity("violence", NOON)
    assert camera.flush(PATIENCE)
    assert time.monotonic() - began >= 1


def test_what_is_refused_does_not_hold_up_what_follows(web, open_camera, caplog):
    web.answers = [(400, {}, b'{"error": "Invalid image"}')]
    camera = open_camera()
    camera.send_face(b"no picture", NOON)
    camera.send_activity("violence", NOON)
    assert camera.flush(PATIENCE)
    assert camera.counts == Counts(sent=1, refused=1)
    assert "Invalid image" in caplog.text


def test_what_waits_on_disk_is_sent_by_the_next_camera(web, open_camera, tmp_path):
    away = open_camera(url="http://127.0.0.1:1", spool=tmp_path)
    sent = [away.send_activity(f"kind {number}", NOON) for number in range(20)]
    away.close(timeout=0)
    assert away.counts.waiting == 20
    back = open_camera(spool=tmp_path)
    sent.append(back.send_activity("kind 20", NOON))
    assert back.flush(PATIENCE)
    assert [one["event_id"] for one in web.heard] == sent


def test_a_full_spool_drops_the_oldest_and_says_so(open_camera, tmp_path, caplog):
    camera = open_camera(url="http://127.0.0.1:1", spool=tmp_path, spool_mb=0.01)
    with caplog.at_level(logging.ERROR):
        for _ in range(10):
            camera.send_face(b"x" * 2000, NOON)
    counts = camera.counts
    assert counts.dropped > 0
    assert counts.dropped + counts.waiting == 10
    assert "dropped" in caplog.text


def test_what_was_only_in_memory_is_counted_as_dropped(open_camera, caplog):
    camera = open_camera(url="http://127.0.0.1:1")
    camera.send_activity("violence", NOON)
    with caplog.at_level(logging.ERROR):
        camera.close(timeout=0.1)
    assert camera.counts == Counts(dropped=1)
    assert "closed before they were sent: 1" in caplog.text


@pytest.fixture
def silent_server(monkeypatch):
    """The URL of a server that takes connections, and answers nothing until the test is over."""
    monkeypatch.setattr(delivery, "TIMEOUT", (5, None))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", listener


def hear(listener: socket.socket) -> socket.socket:
    """Wait until a request came in."""
    connection = listener.accept()[0]
    assert connection.recv(10)
    return connection


def take(connection: socket.socket) -> None:
    """Answer that the event was taken."""
    content = b'{"message": "Alert sent"}'
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n\r\n"
    connection.sendall(head.encode() + content)


def test_closing_does_not_wait_for_a_server_that_hangs(
    open_camera, silent_server, tmp_path, caplog
):
    url, listener = silent_server
    answers = []
    camera = open_camera(url=url, spool=tmp_path, on_answer=lambda *one: answers.append(one))
    camera.send_activity("violence", NOON)
    with hear(listener) as connection:
        camera.close(timeout=0.2)  # with the answer to come, this must not wait for ever
        assert camera.counts == Counts(waiting=1)
        take(connection)
        camera._thread.join()
    assert answers == []
    assert not caplog.records
    with closing(Spool(tmp_path / "gate%2F1.db", 1000)) as kept:
        assert len(kept) == 1


def test_what_a_hanging_server_was_sent_from_memory_is_counted_as_dropped(
    open_camera, silent_server
):
    url, listener = silent_server
    camera = open_camera(url=url)
    camera.send_activity("violence", NOON)
    with hear(listener):
        camera.close(timeout=0)
    assert camera.counts == Counts(dropped=1)
    camera._thread.join()


def test_an_event_that_is_dropped_while_it_is_sent_and_taken_is_counted_as_sent(
    open_camera, silent_server
):
    url, listener = silent_server
    camera = open_camera(url=url, spool_mb=250e-6)
    camera.send_activity("violence", NOON)
    with hear(listener) as connection:
        camera.send_activity("violence", NOON)
        assert camera.counts == Counts(dropped=1, waiting=1)
        take(connection)
        assert wait_until(lambda: camera.counts == Counts(sent=1, waiting=1))
        camera.close(timeout=0)
    camera._thread.join()


def test_a_flush_waits_until_the_answer_was_handed_on_and_counted(open_camera):
    answered, may_go_on = threading.Event(), threading.Event()

    def on_answer(*answer: object) -> None:
        answered.set()
        assert may_go_on.wait(PATIENCE)

    camera = open_camera(on_answer=on_answer)
    camera.send_activity("violence", NOON)
    assert answered.wait(PATIENCE)
    assert not camera.flush(0.1)
    may_go_on.set()
    assert camera.flush(PATIENCE)
    assert camera.counts == Counts(sent=1)


def test_threads_may_send_at_once(web, open_camera):
    camera = open_camera()

    def send(number: int) -> None:
        for _ in range(10):
            camera.send_activity(f"kind {number}", NOON)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert camera.flush(PATIENCE)
    assert camera.counts == Counts(sent=80)
    assert len({one["event_id"] for one in web.heard}) == 80


@pytest.mark.parametrize("status", [200, 400, 500])
def test_an_answer_of_lists_without_end_is_no_answer(web, status):
    web.answers.append((status, {}, b"[" * 100_000))
    delivery = Delivery(web.url)
    assert isinstance(delivery.post(b"{}"), Refused if status == 400 else TryLater)
    delivery.close()


def test_waits_grow_and_differ():
    waits, others = Waits(), Waits()
    first = [waits.next(0) for _ in range(12)]
    second = [others.next(0) for _ in range(12)]
    assert first != second
    assert first[0] <= 0.25 < 2 < first[5]
    assert max(first) <= LONGEST_WAIT
    assert waits.next(99) == 99
    waits.succeeded()
    assert waits.next(0) <= 0.25


def test_waits_double_up_to_the_longest_and_are_spread():
    waits = [wait_after(failures, 1, 300) for failures in range(40)]
    assert 0.5 <= waits[0] <= 1
    assert 4 <= waits[3] <= 8
    assert all(150 <= one <= 300 for one in waits[9:])
    assert len(set(waits)) == len(waits)


def test_retry_after_in_seconds_or_as_a_date():
    soon = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=30), usegmt=True)
    assert retry_after_seconds("7") == 7
    assert 25 < retry_after_seconds(soon) <= 30
    assert retry_after_seconds(format_datetime(NOON - timedelta(days=900), usegmt=True)) == 0
    assert retry_after_seconds("999999") == 600
    assert retry_after_seconds("soon") == retry_after_seconds(None) == 0


@pytest.mark.parametrize(("url", "camera_id"), [("server:5000", "gate"), ("http://server", "")])
def test_what_is_wrong_is_said_at_once(url, camera_id):
    with pytest.raises(ConfigError):
        Camera(url, camera_id, "Main gate")


def test_an_event_that_the_server_fails_on_does_not_hold_up_the_others(web, monkeypatch, caplog):
    monkeypatch.setattr(delivery, "FIRST_WAIT", 0.001)
    web.answers = [(500, {}, b"")] * delivery.FAULTS_PER_EVENT
    with Camera(web.url, "gate", "Main gate") as camera:
        poisoned = camera.send_activity("violence", NOON)
        good = camera.send_activity("violence", NOON)
        assert camera.flush(PATIENCE)
        assert camera.counts == Counts(sent=1, refused=1)
    sent = [one["event_id"] for one in web.heard]
    assert sent == [poisoned] * delivery.FAULTS_PER_EVENT + [good]
    assert f"gave up event {poisoned}" in caplog.text


def test_a_fault_that_passes_loses_nothing(web, monkeypatch):
    monkeypatch.setattr(delivery, "FIRST_WAIT", 0.001)
    web.answers = [(500, {}, b"")] * (delivery.FAULTS_PER_EVENT - 1)
    with Camera(web.url, "gate", "Main gate") as camera:
        camera.send_activity("violence", NOON)
        assert camera.flush(PATIENCE)
        assert camera.counts == Counts(sent=1)


def test_an_unavailable_server_never_makes_a_camera_give_up(web, monkeypatch):
    monkeypatch.setattr(delivery, "FIRST_WAIT", 0.001)
    monkeypatch.setattr(delivery, "LONGEST_WAIT", 0.002)
    web.answers = [(503, {}, b""), (502, {}, b"")] * delivery.FAULTS_PER_EVENT
    with Camera(web.url, "gate", "Main gate") as camera:
        camera.send_activity("violence", NOON)
        assert camera.flush(PATIENCE)
        assert camera.counts == Counts(sent=1)
