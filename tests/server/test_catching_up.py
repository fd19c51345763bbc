"""An operator catches up and joins, whatever the log and the connection are like."""

from __future__ import annotations

from unittest.mock import Mock

import gevent
import pytest

from susracker.plugins import open_store
from susracker.server.live import ROOM, Live
from susracker.server.outgoing import _Queue
from susracker.server.tail import SIZE
from susracker.server.thumbnails import Thumbnails
from susracker.testing.records import activity
from tests.waiting import PATIENCE


class Log:
    """A store whose newest alert was taken back."""

    def __init__(self, store):
        self._store = store

    def last_seq(self):
        return self._store.last_seq() + 1

    def __getattr__(self, name):
        return getattr(self._store, name)


class Operators:
    """Stands in for Socket.IO."""

    def __init__(self):
        self.on_event = Mock()
        self.emit = Mock()
        self.server = Mock()
        self.connected = True
        self.server.manager.is_connected = lambda sid, namespace: self.connected
        self.server.eio._async = {}
        self.queue = _Queue()
        self.server.eio.sockets.get.return_value = Mock(queue=self.queue)

    def heard(self) -> list[int]:
        calls = self.emit.call_args_list
        return [call.args[1]["seq"] for call in calls if call.args[0] == "new_alert"]

    @property
    def joined(self) -> bool:
        return self.server.enter_room.called


@pytest.fixture
def store(tmp_path):
    with open_store(f"sqlite:///{tmp_path / 'site.db'}") as opened:
        for _ in range(3):
            opened.record([], [activity()])
        yield opened


def catch_up(operators, store, last_seq: int) -> None:
    live = Live(operators, store, Thumbnails(store), follow_seconds=60)
    live.start()
    catching_up = gevent.spawn(live._catch_up, "operator", last_seq)
    catching_up.join(PATIENCE)
    live.close()
    assert catching_up.successful()


@pytest.mark.parametrize("last_seq", [1, 3])
def test_the_last_alert_was_taken_back(store, last_seq):
    operators = Operators()
    catch_up(operators, Log(store), last_seq)
    assert operators.heard() == [2, 3][last_seq - 1 :]
    operators.server.enter_room.assert_called_once_with("operator", ROOM, namespace="/")


def test_whoever_reads_slowly_is_sent_no_more_than_a_page_ahead(store):
    for _ in range(5 * SIZE):
        store.record([], [activity()])
    operators = Operators()
    longest = 0

    def send(*args, **kwargs):
        nonlocal longest
        operators.queue.put(Mock(data=str(args)))
        longest = max(longest, operators.queue.qsize())

    def read():
        while True:
            operators.queue.get()
            gevent.sleep(0.002)

    operators.emit.side_effect = send
    reading = gevent.spawn(read)
    catch_up(operators, store, 0)
    reading.kill()
    assert operators.heard() == list(range(1, store.last_seq() + 1))
    assert longest <= 2 * SIZE


def test_whoever_has_left_is_sent_nothing_more(store):
    operators = Operators()
    operators.connected = False
    catch_up(operators, store, 0)
    assert operators.heard() == []
    assert not operators.joined


def test_whoever_leaves_while_catching_up_does_not_join(store):
    operators = Operators()
    operators.emit.side_effect = lambda *args, **kwargs: setattr(operators, "connected", False)
    catch_up(operators, store, 0)
    assert operators.heard() == [1, 2, 3]
    assert not operators.joined
