"""Work in the background goes on, whatever one call of it meets."""

from __future__ import annotations

import logging
import queue
import threading
from contextlib import closing

import pytest

from susracker.errors import StoreUnavailableError
from susracker.runtime.periodic import Periodic


class Work:
    """Does what it is told, one call at a time, and says which call it is about to do."""

    def __init__(self) -> None:
        self.orders: queue.Queue[Exception | None] = queue.Queue()
        self.begun: queue.Queue[None] = queue.Queue()
        self.finished = threading.Event()

    def __call__(self) -> None:
        if self.finished.is_set():
            return
        self.begun.put(None)
        if error := self.orders.get():
            raise error

    def finish(self) -> None:
        """Let the present call end, and each that follows."""
        self.finished.set()
        self.orders.put(None)


@pytest.fixture
def work():
    return Work()


@pytest.fixture
def periodic(work):
    periodic = Periodic("the work", 0.001, work)
    work.begun.get(timeout=60)
    with closing(periodic):
        yield periodic
        work.finish()


def after(work: Work, error: Exception | None) -> None:
    """Let the present call end, with an error or without, and wait for the next to begin."""
    work.orders.put(error)
    work.begun.get(timeout=60)


def logged(caplog: pytest.LogCaptureFixture, level: int) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.levelno == level]


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (StoreUnavailableError("the disk is full"), "the disk is full"),
        (KeyError("who"), "unexpected KeyError: 'who'"),
    ],
)
def test_a_problem_is_shown_until_a_call_succeeds(work, periodic, caplog, error, problem):
    caplog.set_level(logging.INFO)
    after(work, error)
    assert periodic.problem == problem
    after(work, error)
    assert periodic.problem == problem
    after(work, None)
    assert periodic.problem is None
    (failed,) = logged(caplog, logging.ERROR)
    assert failed.getMessage() == f"the work: {problem}"
    (recovered,) = logged(caplog, logging.INFO)
    assert recovered.getMessage() == "the work: works again"


def test_an_unexpected_error_is_logged_with_its_traceback(work, periodic, caplog):
    after(work, KeyError("who"))
    assert "test_periodic.py" in caplog.text
    assert "Traceback" in caplog.text


def test_an_expected_error_is_logged_in_one_line(work, periodic, caplog):
    after(work, StoreUnavailableError("the disk is full"))
    (failed,) = logged(caplog, logging.ERROR)
    assert failed.exc_info is None


def test_closing_stops_it(work, periodic):
    work.finish()
    periodic.close()
    assert periodic.problem == "the work has stopped"
