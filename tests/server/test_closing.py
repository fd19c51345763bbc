"""A closed application keeps nothing: no thread, no greenlet, no memory."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from susracker import open_tracker
from susracker.errors import OverloadedError
from susracker.server.pools import BoundedPool
from susracker.server.run import Requests
from susracker.server.service import EXTENSION
from tests.server.apps import running_app
from tests.waiting import wait_until

TASKS = Path("/proc/self/task")


@pytest.mark.skipif(not TASKS.exists(), reason="only Linux lists a process's native threads")
def test_the_threads_of_a_closed_application_end(tmp_path):
    with open_tracker(store=f"sqlite:///{tmp_path / 'site.db'}") as tracker:
        before = len(list(TASKS.iterdir()))
        with running_app(tracker) as app:
            parts = app.extensions[EXTENSION]
            parts.admission.start(after=lambda: None)
            assert app.test_client().get("/api/alerts").status_code == 200
            assert parts.work.call("gate", len, "face") == 4
            assert len(list(TASKS.iterdir())) > before + 2
        assert wait_until(lambda: len(list(TASKS.iterdir())) <= before, sleep=gevent.sleep)


def test_a_closed_application_is_forgotten(tmp_path):
    with open_tracker(store=f"sqlite:///{tmp_path / 'site.db'}") as tracker:
        with running_app(tracker) as app:
            app.extensions[EXTENSION].admission.start(after=lambda: None)
            assert app.test_client().get("/api/alerts").status_code == 200
        live = weakref.ref(app.extensions[EXTENSION].live)
        del app
        assert wait_until(lambda: gc.collect() >= 0 and live() is None, sleep=gevent.sleep)


class Answer:
    """What an application answers; it fails when it is read, or when it is closed."""

    def __init__(self, fails: str) -> None:
        self._fails = fails

    def __iter__(self) -> Iterator[bytes]:
        yield b"a part"
        if self._fails == "read":
            raise OSError("gone")

    def close(self) -> None:
        if self._fails == "close":
            raise OSError("gone")


@pytest.mark.parametrize("fails", ["call", "read", "close"])
def test_a_request_that_fails_holds_up_no_stop(fails):
    def app(environ, start_response):
        if fails == "call":
            raise OSError("gone")
        return Answer(fails)

    requests = Requests(app)
    with pytest.raises(OSError, match="gone"):
        list(requests({"PATH_INFO": "/"}, None))
    assert requests.wait_until_idle(0)


def test_a_closed_pool_finishes_what_it_accepted_and_takes_no_more():
    pool = BoundedPool(1, 10)
    running = [gevent.spawn(pool.call, time.sleep, 0.05) for _ in range(3)]
    gevent.sleep(0)
    pool.close()
    with pytest.raises(OverloadedError, match="too many requests are waiting"):
        pool.call(len, "face")
    gevent.joinall(running, timeout=60, raise_error=True)
    assert all(one.successful() for one in running)
    assert pool.in_flight == 0
