"""The threads that tell other servers, and hear from them."""

from __future__ import annotations

import time
from contextlib import closing
from unittest.mock import MagicMock

import pytest

from susracker.server.push import Push
from tests.waiting import wait_until


@pytest.mark.parametrize("work", ["telling news", "hearing news"])
def test_a_mistake_that_ends_a_thread_is_a_problem(work, caplog, capsys):
    redis = MagicMock()
    heard = redis.pubsub.return_value.__enter__.return_value
    heard.get_message.side_effect = lambda timeout: time.sleep(0.001)
    called = redis.publish if work == "telling news" else heard.get_message
    with closing(Push(redis)) as push:
        push.start(lambda: None)
        push.tell()
        assert push.problem is None
        called.side_effect = ValueError("a mistake")
        push.tell()
        assert wait_until(lambda: push.problem is not None)
        assert push.problem == f"{work} has stopped"
    assert push.problem is None
    assert caplog.messages == [f"{work} has stopped"]
    assert caplog.text.count("Traceback") == caplog.text.count("ValueError: a mistake") == 1
    assert capsys.readouterr().err == ""
