"""The operator of the demo."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator

import pytest
import socketio
from werkzeug.serving import make_server

from susracker.demo.operator import Operator
from tests.waiting import PATIENCE

SLOW_SECONDS = 1.5


@pytest.fixture
def slow() -> Iterator[tuple[socketio.Server, str]]:
    """A server that takes its time to let someone in, and its address."""
    server = socketio.Server(async_mode="threading")
    server.on("connect", lambda sid, environ: time.sleep(SLOW_SECONDS))
    http = make_server("127.0.0.1", 0, socketio.WSGIApp(server), threaded=True)
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    yield server, f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    thread.join()
    http.server_close()


def test_it_waits_for_a_server_that_is_slow_to_let_it_in(slow):
    server, url = slow
    heard: queue.Queue[dict[str, str]] = queue.Queue()
    with Operator(url, heard.put):
        server.emit("new_alert", {"id": "one"})
        assert heard.get(timeout=PATIENCE) == {"id": "one"}
