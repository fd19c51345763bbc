"""The log as JSON: one object in each line."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from susracker.runtime.logs import JsonFormatter, request_id


@pytest.fixture(autouse=True)
def outside_of_a_request():
    """A test client whose answer was not closed leaves its request's id behind."""
    token = request_id.set("")
    yield
    request_id.reset(token)


def line(message: str, *args: object, **more: object) -> dict[str, str]:
    record = logging.LogRecord("susracker.x", logging.WARNING, "x.py", 1, message, args, None)
    record.__dict__.update(more)
    told = JsonFormatter().format(record)
    assert "\n" not in told
    return json.loads(told)


def test_a_line_has_what_a_collector_looks_for():
    told = line("camera %r\nis away", "gate", created=1767225600.25)
    assert told == {
        "time": "2026-01-01T00:00:00.250000+00:00",
        "level": "warning",
        "logger": "susracker.x",
        "message": "camera 'gate'\nis away",
    }


def test_a_traceback_is_in_the_same_line():
    try:
        raise ValueError("no good")
    except ValueError:
        told = line("failed", exc_info=sys.exc_info())
    assert told["exception"].startswith("Traceback")
    assert told["exception"].endswith("ValueError: no good")


def test_the_request_is_named_while_there_is_one():
    token = request_id.set("abc")
    try:
        assert line("x")["request_id"] == "abc"
    finally:
        request_id.reset(token)
    assert "request_id" not in line("x")
