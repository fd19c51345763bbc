"""Who hears which alert: real greenlets, and sockets that keep what they are sent.

One loop runs everything, and switches only where something waits. So a test can say what happens
between two emits.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import replace
from types import SimpleNamespace

import flask
import gevent
import numpy as np
import pytest
from flask_socketio import ConnectionRefusedError
from gevent.event import Event

from susracker.errors import NotFoundError, StoreUnavailableError
from susracker.models import Photo
from susracker.replay.journal import ReplayJournal
from susracker.server.live import MAX_AHEAD, ROOM, Live
from susracker.server.tail import SIZE
from susracker.server.thumbnails import Thumbnails
from susracker.server.wire import alert_event, new_alert_event
from susracker.stores.base import Changes
from susracker.testing.records import activity, face_alert, photo
from tests.pictures import encoded
from tests.waiting import PATIENCE

NEVER = 3600
"""Seconds to wait for what has to come by other means."""


class Sockets:
    """Stands in for a `SocketIO` and its server.

    Attributes:
        heard: what each client was sent: pairs of the event's name and its data.
        dropped: clients that were disconnected.
        join: what a client that connects calls: `Live.join`.
        after_emit: called when an event is on its way to those who were in the room then.
    """

    def __init__(self) -> None:
        self.server = self.manager = self.eio = self
        self.sockets = {}  # nothing waits to be sent
        self._async = {}
        self.app = flask.Flask("sockets")
        self.app.extensions["socketio"] = self
        self.rooms = defaultdict(set)
        self.heard = defaultdict(list)
        self.dropped = []
        self.after_emit = lambda event: gevent.sleep(0)

    def emit(self, event, data, to) -> None:
        for sid in self.rooms[ROOM] if to == ROOM else [to]:
            self.heard[sid].append((event, data))
        self.after_emit(event)

    def is_connected(self, sid, namespace) -> bool:
        assert namespace == "/"
        return sid not in self.dropped

    def get_participants(self, namespace, room):
        assert namespace == "/"
        return [(sid, sid) for sid in sorted(self.rooms[room])]

    def leave_room(self, sid, room, namespace) -> None:
        assert namespace == "/"
        self.rooms[room].discard(sid)

    def eio_sid_from_sid(self, sid, namespace) -> str:
        assert namespace == "/"
        return sid

    def enter_room(self, sid, room, namespace) -> None:
        assert namespace == "/"
        self.rooms[room].add(sid)

    def disconnect(self, sid, namespace) -> None:
        assert namespace == "/"
        self.dropped.append(sid)

    def connect(self, sid: str, auth=None) -> None:
        with self.app.test_request_context():
            flask.request.sid, flask.request.namespace = sid, "/"
            self.join(auth)

    def wait_for(self, sid: str, alerts: int) -> None:
        until(lambda: len(self.heard[sid]) >= 2 * alerts)

    def wait_until_joined(self, sid: str) -> None:
        until(lambda: sid in self.rooms[ROOM])

    def seqs(self, sid: str) -> list[int]:
        """The alerts that a client was sent, if `alert` was sent with each."""
        names = [name for name, _ in self.heard[sid]]
        assert names == ["alert", "new_alert"] * (len(names) // 2)
        return [data["seq"] for name, data in self.heard[sid] if name == "new_alert"]


class Log(ReplayJournal):
    """A store in memory, of which Ann may be removed.

    Attributes:
        errors: what the next readings of alerts raise; None is a reading that works.
    """

    def __init__(self) -> None:
        super().__init__()
        self.errors = []
        self._photo = photo("ann", content=encoded(np.zeros((4, 4, 3), np.uint8)))
        self._edits = 0

    def alerts(self, *args, **kwargs):
        if self.errors and (error := self.errors.pop(0)):
            raise error
        return super().alerts(*args, **kwargs)

    def photo(self, photo_id: str) -> Photo:
        if self._edits:
            raise NotFoundError("removed")
        return self._photo

    def revision(self) -> int:
        return self._edits

    def changes(self, since: int) -> Changes:
        return Changes(self._edits, frozenset(["ann"] if since < self._edits else []))

    def remove_ann(self) -> None:
        self._edits += 1
        self._alerts = [replace(one, criminal_id=None, face=None) for one in self._alerts]


UNPLUGGED = StoreUnavailableError("unplugged")


@pytest.fixture(autouse=True)
def _no_test_hangs(monkeypatch):
    """Whoever waits for what does not come fails: nothing here takes more than milliseconds."""
    monkeypatch.setattr("susracker.server.live.ANSWER_WAIT", NEVER)
    with gevent.Timeout(PATIENCE):
        yield


@pytest.fixture
def sockets():
    return Sockets()


@pytest.fixture
def store():
    return Log()


@pytest.fixture
def open_live(sockets, store):
    opened = []

    def open_one(follow_seconds: float = NEVER, start: bool = True) -> Live:
        opened.append(Live(sockets, store, Thumbnails(store), follow_seconds))
        sockets.join = opened[-1].join
        if start:
            opened[-1].start()
        return opened[-1]

    yield open_one
    gevent.killall([one._greenlet for one in opened if one._greenlet])


@pytest.fixture
def live(open_live):
    return open_live()


def add(store, count: int = 1) -> list[int]:
    """Store alerts; their `seq`."""
    return [one.seq for one in store.record([], [activity() for _ in range(count)])]


def until(condition) -> None:
    while not condition():
        gevent.sleep(0.001)


def settle() -> None:
    """Let everyone run until they wait for something, the threads of `Live` included."""
    for _ in range(20):
        gevent.sleep(0.001)


# -- the broadcast ---------------------------------------------------------------------------


def test_an_alert_is_broadcast_as_both_events_with_the_photo(sockets, store, live):
    sockets.connect("one")
    (alert,) = store.record([], [face_alert("ann")])
    live.broadcast_up_to(alert.seq)
    (_, old), (_, new) = sockets.heard["one"]
    assert old["criminal_image"].startswith("data:image/jpeg;base64,")
    (pictured,) = Thumbnails(store).beside([alert])
    assert (old, new) == (alert_event(*pictured), new_alert_event(*pictured))


def test_whoever_answers_waits_until_all_up_to_the_alert_are_broadcast(sockets, store, live):
    sockets.connect("one")
    expected = add(store, SIZE + 5)
    live.broadcast_up_to(expected[-1])
    assert sockets.seqs("one") == expected
    assert live._awaited == {}


def test_whoever_answers_does_not_wait_for_what_was_broadcast(store, open_live):
    seqs = add(store, 2)
    live = open_live()
    for seq in seqs:
        live.broadcast_up_to(seq)
    assert live._awaited == {}


def test_whoever_answers_while_the_alert_goes_out_waits_too(sockets, store, live):
    reached, opened = Event(), Event()
    sockets.after_emit = lambda event: (reached.set(), opened.wait())
    (seq,) = add(store)
    answers = [gevent.spawn(live.broadcast_up_to, seq)]
    reached.wait()
    answers.append(gevent.spawn(live.broadcast_up_to, seq))
    settle()
    assert not any(one.dead for one in answers)
    opened.set()
    gevent.joinall(answers, raise_error=True)


def test_several_may_wait_for_one_alert(sockets, store, live):
    sockets.connect("one")
    (seq,) = add(store)
    waiting = [gevent.spawn(live.broadcast_up_to, seq) for _ in range(3)]
    gevent.joinall(waiting)
    assert all(one.successful() for one in waiting)
    assert sockets.seqs("one") == [seq]


def test_an_answer_waits_only_so_long_for_a_store_that_cannot_be_read(store, live, monkeypatch):
    monkeypatch.setattr("susracker.server.live.ANSWER_WAIT", 0.01)
    (seq,) = add(store)
    store.errors = [UNPLUGGED] * 2
    live.broadcast_up_to(seq)
    assert live._awaited == {}


def test_whoever_answers_does_not_wait_for_a_broadcast_that_never_started(store, open_live):
    open_live(start=False).broadcast_up_to(*add(store))


def test_whoever_answers_does_not_wait_for_a_broadcast_that_was_closed(store, live):
    live.close()
    live.broadcast_up_to(*add(store))


def test_whoever_waits_while_the_broadcast_is_closed_answers_at_once(sockets, store, live):
    sockets.connect("one")
    reached = Event()
    sockets.after_emit = lambda event: (reached.set(), Event().wait())
    answers = [gevent.spawn(live.broadcast_up_to, seq) for seq in add(store, 2)]
    reached.wait()
    settle()
    assert not any(one.dead for one in answers)
    live.close()
    gevent.joinall(answers, raise_error=True)
    assert live._awaited == {}


def test_whoever_waits_while_a_mistake_ends_the_broadcast_answers_at_once(store, live):
    (seq,) = add(store)
    store.errors = [ValueError("a mistake")]
    live.broadcast_up_to(seq)
    assert live.problem == "broadcasting stopped"


def test_alerts_from_before_the_start_are_not_broadcast(sockets, store, open_live):
    add(store, 3)
    live = open_live()
    sockets.connect("one")
    new = add(store, 2)
    live.broadcast_up_to(new[-1])
    assert sockets.seqs("one") == new


def test_an_alert_of_another_process_is_broadcast_after_a_while(sockets, store, open_live):
    open_live(follow_seconds=0.01)
    sockets.connect("one")
    for number in (1, 2):
        add(store)
        sockets.wait_for("one", number)
        assert sockets.seqs("one") == [1, 2][:number]


def test_a_store_that_cannot_be_read_delays_the_broadcast(sockets, store, open_live, caplog):
    live = open_live(follow_seconds=0.01)
    sockets.connect("one")
    store.errors = [UNPLUGGED, UNPLUGGED]
    expected = add(store, 3)
    live.broadcast_up_to(expected[-1])
    assert sockets.seqs("one") == expected
    assert live.problem is None
    assert caplog.messages == ["cannot read alerts to broadcast: unplugged"] * 2


def test_a_store_that_fails_between_two_pages_repeats_and_loses_nothing(sockets, store, open_live):
    live = open_live(follow_seconds=0.01)
    sockets.connect("one")
    expected = add(store, 2 * SIZE)
    store.errors = [None, UNPLUGGED]
    live.broadcast_up_to(expected[-1])
    assert sockets.seqs("one") == expected


def test_a_mistake_that_ends_the_broadcast_is_a_problem(store, open_live, caplog, capsys):
    live = open_live(start=False)
    assert live.problem == "not started"
    live.start()
    assert live.problem is None
    add(store)
    store.errors = [ValueError("a mistake")]
    live._news.set()
    until(lambda: live.problem)
    assert live.problem == "broadcasting stopped"
    assert caplog.messages == ["broadcasting stopped"]
    assert caplog.text.count("Traceback") == caplog.text.count("ValueError: a mistake") == 1
    assert capsys.readouterr().err == ""


def test_a_client_that_lags_gets_everything_at_its_own_pace(sockets, store, live):
    for sid in ("fast", "slow"):
        sockets.connect(sid)
    lag = SimpleNamespace(queue=SimpleNamespace(waiting=MAX_AHEAD))
    sockets.sockets = {"slow": lag}
    first = add(store)
    live.broadcast_up_to(first[0])
    assert sockets.seqs("slow") == first  # so much may wait
    lag.queue.waiting += 1
    more = add(store, 3)
    live.broadcast_up_to(more[-1])
    settle()
    assert sockets.seqs("fast") == first + more
    assert sockets.seqs("slow") == first
    assert sockets.rooms[ROOM] == {"fast"}
    lag.queue.waiting = 0
    sockets.wait_until_joined("slow")
    last = add(store)
    live.broadcast_up_to(last[0])
    assert sockets.seqs("slow") == first + more + last


# -- clients that join -----------------------------------------------------------------------


@pytest.mark.parametrize("auth", [None, {}, {"last_seq": None}, {"token": 5}, "5", 5, [1]])
def test_a_client_without_a_last_seq_hears_what_is_new_only(sockets, store, live, auth):
    live.broadcast_up_to(*add(store))
    sockets.connect("one", auth)
    assert sockets.rooms[ROOM] == {"one"}
    (new,) = add(store)
    live.broadcast_up_to(new)
    assert sockets.seqs("one") == [new]


@pytest.mark.parametrize("last_seq", ["5", "", -1, 1.5, True, False, [], {}])
def test_a_last_seq_that_is_none_is_refused(sockets, store, live, last_seq):
    add(store)
    with pytest.raises(ConnectionRefusedError, match=r"^last_seq must be a whole number$"):
        sockets.connect("one", {"last_seq": last_seq})
    settle()
    assert sockets.heard["one"] == []
    assert sockets.rooms[ROOM] == set()


@pytest.mark.parametrize("missed", [0, 1, 5, SIZE - 1, SIZE, SIZE + 1, 3 * SIZE + 7])
def test_a_client_gets_what_it_missed_page_by_page_and_then_what_is_new(
    sockets, store, live, missed
):
    sockets.connect("other")
    before = add(store, 3 * SIZE + 7)
    live.broadcast_up_to(before[-1])
    sockets.connect("one", {"last_seq": before[-1] - missed})
    assert sockets.heard["one"] == []  # it would arrive before the answer to the connection
    sockets.wait_until_joined("one")
    (new,) = add(store)
    live.broadcast_up_to(new)
    assert sockets.seqs("one") == [*before[len(before) - missed :], new]
    assert sockets.seqs("other") == [*before, new]


def test_a_last_seq_beyond_the_log_is_that_of_a_client_that_missed_nothing(sockets, store, live):
    live.broadcast_up_to(*add(store))
    sockets.connect("one", {"last_seq": 99})
    sockets.wait_until_joined("one")
    assert sockets.heard["one"] == []


def test_what_is_stored_but_not_broadcast_yet_comes_with_the_room(sockets, store, open_live):
    before = add(store, 3)
    live = open_live()
    waiting = add(store, 2)
    sockets.connect("one", {"last_seq": 1})
    sockets.wait_until_joined("one")
    assert sockets.seqs("one") == before[1:]
    live.broadcast_up_to(waiting[-1])
    assert sockets.seqs("one") == before[1:] + waiting


@pytest.mark.parametrize("paused_after", ["alert", "new_alert"])
def test_who_joins_while_an_alert_goes_out_gets_it(sockets, store, live, paused_after):
    """It is too late for the room, and must not be let in as if it had the alert."""
    (before,) = add(store)
    live.broadcast_up_to(before)
    reached, opened = Event(), Event()

    def pause(event) -> None:
        if event == paused_after:
            reached.set()
            opened.wait()

    sockets.after_emit = pause
    (seq,) = add(store)
    answer = gevent.spawn(live.broadcast_up_to, seq)
    reached.wait()
    sockets.connect("one", {"last_seq": before})
    settle()
    opened.set()
    answer.join()
    sockets.wait_until_joined("one")
    assert sockets.seqs("one") == [seq]


def test_whoever_joins_while_alerts_pour_in_gets_each_once_in_order(sockets, store, live):
    def pour() -> None:
        for _ in range(60):
            live.broadcast_up_to(add(store, 2)[-1])

    pouring = gevent.spawn(pour)
    sockets.connect("first")
    for number in range(12):
        sockets.wait_for("first", 8 * number)
        sockets.connect(f"c{number}", {"last_seq": 3 * number})
    assert not pouring.dead
    pouring.join()
    until(lambda: len(sockets.rooms[ROOM]) == 13)
    for number in range(12):
        assert sockets.seqs(f"c{number}") == list(range(3 * number + 1, 121))


def test_a_client_whose_missed_alerts_cannot_be_read_is_sent_away(
    sockets, store, open_live, caplog
):
    """It connects again by itself, with the `seq` that it got to."""
    before = add(store, 3 * SIZE)
    open_live()
    # The tail is read until it ends, and then an old page.
    store.errors = [None, None, None, UNPLUGGED]
    sockets.connect("one", {"last_seq": 0})
    until(lambda: sockets.dropped)
    assert sockets.dropped == ["one"]
    assert "one" not in sockets.rooms[ROOM]
    assert sockets.seqs("one") == before[:SIZE]
    assert caplog.messages == ["cannot read alerts that a client missed: unplugged"]
    sockets.connect("again", {"last_seq": sockets.seqs("one")[-1]})
    sockets.wait_until_joined("again")
    assert sockets.seqs("again") == before[SIZE:]


def test_a_client_that_cannot_be_sent_what_it_missed_is_disconnected(sockets, store, live, caplog):
    """It would hear nothing more, and not know."""
    live.broadcast_up_to(add(store, SIZE + 1)[-1])
    store.errors = [None, ValueError("a mistake")]
    sockets.connect("one", {"last_seq": 0})
    until(lambda: sockets.dropped)
    assert sockets.dropped == ["one"]
    assert caplog.messages == ["cannot send alerts that a client missed"]
    assert caplog.text.count("Traceback") == caplog.text.count("ValueError: a mistake") == 1


def test_who_catches_up_is_shown_nobody_who_was_removed(sockets, store, live, caplog):
    (alert,) = store.record([], [face_alert("ann")])
    live.broadcast_up_to(alert.seq)
    for sid in ("before", "after"):
        sockets.connect(sid, {"last_seq": 0})
        sockets.wait_until_joined(sid)
        store.remove_ann()
    shown = [sockets.heard[sid][0][1] for sid in ("before", "after")]
    assert [one["criminal_id"] for one in shown] == ["ann", None]
    assert [bool(one["detected_face"]) for one in shown] == [True, False]
    assert [bool(one["criminal_image"]) for one in shown] == [True, False]
    assert [one for one in caplog.records if one.levelno >= logging.ERROR] == []
