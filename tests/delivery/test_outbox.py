"""What a channel is sent, and when: limits, escalation, what is late, what is given up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from susracker.delivery.base import Gone
from susracker.delivery.outbox import FAULTS, LONGEST_WAIT, Courier
from susracker.delivery.rules import Rule
from susracker.delivery.selection import Alerts
from susracker.plugins import open_store
from susracker.stores.base import Store
from susracker.testing.records import activity, criminal, face_alert, judgement
from tests.delivery.receiver import ANSWERS, EVERYTHING, Receiver, Time, options


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'store.db'}") as opened:
        yield opened


class Site:
    """A store, a channel and a worker on a clock that is moved by hand."""

    def __init__(self, store: Store, rules=EVERYTHING, **fields) -> None:
        self.store, self.time, self.receiver = store, Time(), Receiver()
        self.options = options(**fields)
        self.courier = Courier(
            store, "phone", Alerts(store, self.options, rules), self.receiver, self.time.clock
        )

    def alert(self, **fields):
        times = {"occurred_at": self.time.now, "received_at": self.time.now}
        (stored,) = self.store.record([], [activity(**times | fields)])
        return stored

    def work(self) -> float:
        """Everything that there is to do now. Returns how long there is nothing."""
        while not (wait := self.courier.step()):
            pass
        return wait

    def run(self, seconds: float, step: float = 1.0) -> None:
        for _ in range(int(seconds / step)):
            self.work()
            self.time.seconds += step
        self.work()

    @property
    def state(self):
        return self.store.channel("phone")


def test_500_alerts_in_a_minute_with_a_limit_of_10_are_eleven_messages(store):
    site = Site(store, per_minute=10)
    alerts = []
    for _ in range(50):
        alerts += [site.alert() for _ in range(10)]
        site.run(1)
    site.run(120)
    messages = site.receiver.messages
    assert [one.kind for one in messages] == ["alert"] * 10 + ["gathered"]
    assert len(messages[-1].alerts) == 490
    assert site.receiver.seqs() == [one.seq for one in alerts]


def test_a_flood_that_goes_on_is_gathered_each_minute(store):
    site = Site(store, per_minute=3)
    for _ in range(4):
        for _ in range(20):
            site.alert()
        site.run(60)
    site.run(120)
    assert len(site.receiver.messages) <= 3 * 6
    assert site.receiver.seqs() == list(range(1, 81))


def test_few_alerts_are_not_gathered(store):
    site = Site(store, per_minute=2)
    for _ in range(6):
        site.alert()
        site.run(40)
    site.run(120)
    assert {one.kind for one in site.receiver.messages} == {"alert"}
    assert len(site.receiver.messages) == 6


def test_an_unreviewed_alert_escalates_on_time_and_a_reviewed_one_does_not(store):
    site = Site(store, unreviewed_for=120)
    reviewed, left = site.alert(), site.alert()
    site.run(100)
    store.add_judgement(judgement(reviewed.id), "confirmed", 0)
    site.run(19)
    assert site.receiver.messages == []
    assert site.work() == pytest.approx(1)
    site.run(1)
    (message,) = site.receiver.messages
    assert (message.kind, message.id) == ("unreviewed", f"{left.id}-unreviewed")
    assert not message.is_stale


@pytest.mark.parametrize("is_letter", [False, True])
def test_an_alert_that_is_forgotten_while_its_face_is_read_is_left_out(
    store, monkeypatch, is_letter
):
    store.put_criminal(criminal())
    site = Site(store, rules=(Rule(to=["phone"], faces=True),))
    (gone,) = store.record([], [face_alert(occurred_at=site.time.now, received_at=site.time.now)])
    if is_letter:
        site.receiver.does = "refuses"
        site.work()
        (letter,) = store.dead_letters("phone")
        store.put_channel(site.state, add=[replace(letter, again=True)])
        site.receiver.does = "takes it"
    read = store.alert

    def forget_and_read(alert_id: str):
        store.forget("alerts", gone.received_at + timedelta(seconds=1), 1)
        return read(alert_id)

    with monkeypatch.context() as at_that_moment:
        at_that_moment.setattr(store, "alert", forget_and_read)
        site.work()
    assert site.receiver.messages == []
    site.alert()
    site.work()
    assert len(site.receiver.messages) == 1
    assert store.dead_letters("phone") == []


def test_a_late_alert_says_so(store):
    site = Site(store, stale_after=60)
    site.receiver.does = "is away"
    site.alert()
    site.run(50)
    site.alert()
    site.run(15)
    site.receiver.does = "takes it"
    site.run(LONGEST_WAIT)
    assert site.receiver.messages[0].is_stale
    site.alert()
    site.work()
    assert not site.receiver.messages[-1].is_stale


def test_a_late_alert_is_left_out_if_that_is_asked_for(store):
    site = Site(store, stale_after=60, stale="skip")
    late = site.alert(occurred_at=site.time.now - timedelta(hours=1))
    new = site.alert()
    site.work()
    assert site.receiver.seqs() == [new.seq]
    assert late.seq < new.seq == site.state.cursor


def test_a_receiver_that_is_away_holds_up_and_loses_nothing(store):
    site = Site(store)
    site.receiver.does = "is away"
    alerts = [site.alert() for _ in range(3)]
    site.run(3600)
    assert site.receiver.messages == []
    assert (site.state.cursor, site.state.problem) == (0, "no connection")
    assert 12 < site.state.failures < 40
    assert site.courier.problem == "no connection"
    site.receiver.does = "takes it"
    site.run(LONGEST_WAIT + 1)
    assert site.receiver.seqs() == [one.seq for one in alerts]
    assert (site.state.problem, site.state.failures, site.courier.problem) == ("", 0, None)


def test_what_a_receiver_refuses_is_put_aside_and_can_be_sent_again(store):
    site = Site(store)
    site.receiver.does = "refuses"
    bad = site.alert()
    site.work()
    site.receiver.does = "takes it"
    good = site.alert()
    site.work()
    (letter,) = store.dead_letters("phone")
    assert (letter.seq, letter.reason) == (bad.seq, "422 no")
    assert site.receiver.seqs() == [good.seq]
    store.put_channel(site.state, add=[replace(letter, again=True)])
    site.work()
    assert site.receiver.seqs() == [good.seq, bad.seq]
    assert store.dead_letters("phone") == []
    assert site.state.cursor == good.seq


def test_a_message_on_which_the_receiver_fails_is_given_up(store):
    site = Site(store)
    site.receiver.does = "fails"
    bad = site.alert()
    for _ in range(FAULTS - 1):
        site.work()
        site.time.seconds += LONGEST_WAIT
    assert store.dead_letters("phone") == []
    site.work()
    assert [one.seq for one in store.dead_letters("phone")] == [bad.seq]


def test_a_receiver_that_wants_no_more_is_paused(store, monkeypatch):
    monkeypatch.setitem(ANSWERS, "is gone", (False, Gone("it answers 410")))
    site = Site(store)
    site.receiver.does = "is gone"
    alert = site.alert()
    site.work()
    assert site.state.paused == "it answers 410"
    assert site.courier.problem == "paused: it answers 410"
    site.receiver.does = "takes it"
    site.run(10)
    assert site.receiver.messages == []
    store.put_channel(replace(site.state, paused=""))
    site.work()
    assert site.receiver.seqs() == [alert.seq]


def test_a_bug_of_a_channel_neither_ends_nor_holds_up_the_deliveries(store, caplog):
    site = Site(store)

    def fail() -> None:
        raise TypeError("a name: Ada")

    bad = site.alert()
    for _ in range(FAULTS):
        site.receiver.during = fail
        site.work()
        site.time.seconds += LONGEST_WAIT
    good = site.alert()
    site.work()
    assert [one.seq for one in store.dead_letters("phone")] == [bad.seq]
    assert store.dead_letters("phone")[0].reason == "unexpected TypeError"
    assert site.receiver.seqs() == [good.seq]


def test_a_person_who_pauses_during_a_delivery_is_heard_and_it_counts(store):
    site = Site(store)
    first, second = site.alert(), site.alert()
    site.receiver.during = lambda: store.put_channel(replace(site.state, paused="lunch"))
    site.work()
    assert site.receiver.seqs() == [first.seq]
    assert (site.state.paused, site.state.cursor) == ("lunch", first.seq)
    store.put_channel(replace(site.state, paused=""))
    site.work()
    assert site.receiver.seqs() == [first.seq, second.seq]


def test_a_face_is_sent_only_where_a_rule_asks_for_it(store):
    store.put_criminal(criminal("c1", threat="high"))
    rules = (
        Rule(to=["phone"], cameras=["gate-*"], faces=True, threat=["high"]),
        Rule(to=["phone"]),
    )
    site = Site(store, rules)
    for camera in ("gate-1", "yard"):
        store.record([], [face_alert("c1", camera_id=camera, face=b"jpeg")])
    site.work()
    assert [one.alerts[0].face for one in site.receiver.messages] == [b"jpeg", None]


def test_people_who_were_removed_are_not_told_of(store):
    store.put_criminal(criminal("c1"))
    site = Site(store)
    site.receiver.does = "is away"
    store.record([], [face_alert("c1")])
    site.work()
    store.remove_criminal("c1")
    left = site.alert()
    site.receiver.does = "takes it"
    site.run(LONGEST_WAIT)
    assert site.receiver.seqs() == [left.seq]


def test_a_dead_letter_of_someone_who_was_removed_is_dropped(store):
    store.put_criminal(criminal("c1"))
    site = Site(store)
    site.receiver.does = "refuses"
    store.record([], [face_alert("c1")])
    site.work()
    store.remove_criminal("c1")
    (letter,) = store.dead_letters("phone")
    store.put_channel(site.state, add=[replace(letter, again=True)])
    site.receiver.does = "takes it"
    site.work()
    assert (site.receiver.messages, store.dead_letters("phone")) == ([], [])


def test_unwanted_alerts_cost_no_write_each(store):
    site = Site(store, (Rule(to=["phone"], cameras=["gate"]),))
    for _ in range(100):
        site.alert(camera_id="yard")
    site.work()
    assert site.state.revision == 0
    site.alert(camera_id="gate")
    site.work()
    assert (site.state.cursor, site.state.holder) == (101, "")
    assert site.state.revision == 2
