"""What a channel is told after an alert: reviews that a rule asks for, and what has changed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from susracker.delivery.followups import Improved, Reviews, selections
from susracker.delivery.messages import cloud_event, text_of, title_of
from susracker.delivery.outbox import LEASE_SECONDS, LONGEST_WAIT, Courier
from susracker.delivery.rules import MqttOptions, Rule
from susracker.delivery.selection import Alerts
from susracker.plugins import open_store
from susracker.stores.base import Store
from susracker.stores.outbox import IMPROVEMENTS, REVIEWS
from susracker.stores.tally import Tally
from susracker.stores.transfer_outbox import copy_outbox
from susracker.testing.records import activity, criminal, face_alert, judgement
from tests.delivery.receiver import ANSWERS, Receiver, Time, options
from tests.delivery.test_outbox_model import Died, Mortal
from tests.state_machines import machine_settings

GATES = Rule(to=["phone"], cameras=["gate-*"])
ASKED = (GATES.model_copy(update={"reviews": True}),)
BROKER = {"kind": "mqtt", "url": "mqtt://broker"}


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'store.db'}") as opened:
        yield opened


class Site:
    """A store, a channel, and a worker for each log that it follows."""

    def __init__(self, store: Store, rules=ASKED, made=options, **fields) -> None:
        self.store, self.time, self.receiver = store, Time(), Receiver()
        self.followed = selections(store, "phone", made(**fields), rules)
        self.couriers = [
            Courier(store, *one, self.receiver, self.time.clock) for one in self.followed.items()
        ]

    def alert(self, camera_id: str = "gate-1"):
        times = {"occurred_at": self.time.now, "received_at": self.time.now}
        (stored,) = self.store.record([], [activity(camera_id=camera_id, **times)])
        return stored

    def review(self, alert, verdict: str = "dismissed", **fields):
        seen = max((one.seq for one in self.store.judgements([alert.id])), default=0)
        made = judgement(alert.id, verdict=verdict, made_at=self.time.now, **fields)
        status = verdict if made.kind == "review" else "new"
        return self.store.add_judgement(made, status, seen)

    def work(self) -> None:
        while not min(courier.step() for courier in self.couriers):
            pass

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            self.work()
            self.time.seconds += 1
        self.work()

    def kinds(self) -> list[str]:
        return [one.kind for one in self.receiver.messages]


def broker(**fields) -> MqttOptions:
    return MqttOptions.model_validate(BROKER | fields)


def test_a_review_is_sent_after_its_alert_where_a_rule_asks_for_it(store):
    site = Site(store)
    at_the_gate, elsewhere = site.alert(), site.alert("yard")
    made = site.review(at_the_gate, note="not him")
    site.review(elsewhere)
    site.work()
    assert site.kinds() == ["alert", "reviewed"]
    event = cloud_event(site.receiver.messages[1], site.time.now)
    assert (event["id"], event["type"]) == (f"{made.id}-review", "susracker.alert.reviewed")
    assert (event["subject"], event["time"]) == ("gate-1", made.made_at.isoformat())
    assert (event["data"]["id"], event["data"]["status"]) == (at_the_gate.id, "dismissed")
    said = {"id": made.id, "verdict": "dismissed", "reason": "same scar", "note": "not him"}
    by = {"made_by": "Jo (k1)", "made_at": made.made_at.isoformat()}
    assert event["data"]["review"] == said | by


def test_no_review_is_sent_where_no_rule_asks_for_it(store):
    site = Site(store, rules=(GATES,))
    site.review(site.alert())
    site.work()
    assert site.kinds() == ["alert"]
    assert [one.name for one in store.channels()] == ["phone"]


def test_only_the_reviews_of_alerts_that_the_asking_rule_chooses_are_sent(store):
    yard = Rule(to=["phone"], cameras=["yard"])
    site = Site(store, rules=(*ASKED, yard))
    site.review(site.alert("yard"))
    asked = site.review(site.alert("gate-1"))
    site.work()
    assert [one.id for one in site.receiver.messages[2:]] == [f"{asked.id}-review"]


def test_an_outcome_is_not_a_review(store):
    site = Site(store)
    site.review(site.alert(), kind="outcome", verdict="lost")
    site.work()
    assert site.kinds() == ["alert"]


def test_a_review_waits_for_an_alert_that_is_not_taken_yet(store):
    site = Site(store)
    site.receiver.does = "is away"
    alert = site.alert()
    site.work()
    site.review(alert)
    site.work()
    site.receiver.does = "takes it"
    site.run(5)
    assert site.kinds() == ["alert", "reviewed"]


def test_a_review_waits_while_the_channel_is_paused(store):
    site = Site(store)
    alert = site.alert()
    site.work()
    store.put_channel(replace(store.channel("phone"), paused="lunch"))
    site.review(alert)
    site.run(5)
    assert site.kinds() == ["alert"]
    store.put_channel(replace(store.channel("phone"), paused=""))
    site.run(5)
    assert site.kinds() == ["alert", "reviewed"]


def test_a_repeated_review_has_the_same_id(store):
    site = Site(store)
    alert = site.alert()
    site.work()
    site.receiver.does = "takes it, and the answer is lost"
    site.review(alert)
    site.work()
    site.receiver.does = "takes it"
    site.run(5)
    first, second = site.receiver.messages[1:]
    assert (first.id, first.kind) == (second.id, second.kind)


def test_reviews_beyond_the_limit_wait_for_the_next_minute(store):
    site = Site(store, per_minute=2)
    alerts = [site.alert() for _ in range(2)]
    made = [site.review(alert, verdict) for alert in alerts for verdict in ("unsure", "dismissed")]
    site.work()
    assert sorted(site.kinds()) == ["alert", "alert", "reviewed", "reviewed"]
    site.run(61)
    sent = [one.review.id for one in site.receiver.messages if one.review]
    assert sent == [one.id for one in made]


def test_a_channel_for_unreviewed_alerts_hears_only_of_what_it_was_told(store):
    site = Site(store, unreviewed_for=60)
    in_time, late = site.alert(), site.alert()
    site.review(in_time)
    site.run(61)
    review = site.review(late)
    site.run(5)
    assert site.kinds() == ["unreviewed", "reviewed"]
    assert site.receiver.messages[1].review.id == review.id


def test_a_late_review_says_so(store):
    site = Site(store, stale_after=60)
    alert = site.alert()
    site.run(100)
    site.review(alert)
    site.run(1)
    site.receiver.does = "is away"
    site.review(alert, "confirmed")
    site.run(70)
    site.receiver.does = "takes it"
    site.run(int(LONGEST_WAIT))
    assert [one.is_stale for one in site.receiver.messages] == [False, False, True]


def test_a_removed_person_and_a_forgotten_alert_have_no_reviews(store):
    site = Site(store, rules=(Rule(to=["phone"], reviews=True),))
    store.put_criminal(criminal("c1"), [], [])
    (alert,) = store.record([], [face_alert(occurred_at=site.time.now)])
    site.work()
    site.review(alert)
    store.remove_criminal("c1")
    site.work()
    assert site.kinds() == ["alert"]


def test_people_read_what_was_said(store):
    site = Site(store)
    site.review(site.alert(), note="wears a cap")
    site.work()
    message = site.receiver.messages[1]
    assert title_of(message) == "Reviewed as dismissed: violence at Main gate"
    assert "dismissed: same scar" in text_of(message)
    assert "wears a cap" in text_of(message)
    assert "Jo (k1)" in text_of(message)


# -- a broker --------------------------------------------------------------------------------------


def improve(store: Store, alert) -> None:
    """Better evidence for an alert."""
    best, *rest = alert.candidates
    better = replace(best, fpir=best.fpir / 2, score=best.score + 1)
    assert store.improve_alert(replace(alert, candidates=(better, *rest), score=better.score))


def recorded_face(site: Site):
    for one in ("c1", "c2", "c3"):
        site.store.put_criminal(criminal(one), [], [])
    times = {"occurred_at": site.time.now, "received_at": site.time.now}
    (alert,) = site.store.record([], [face_alert(camera_id="gate-1", **times)])
    return alert


def test_a_broker_is_told_of_reviews_and_better_evidence(store):
    site = Site(store, rules=(GATES,), made=broker)
    assert [type(one) for one in site.followed.values()] == [Alerts, Reviews, Improved]
    alert = recorded_face(site)
    site.work()
    improve(store, alert)
    site.work()
    site.review(alert)
    site.work()
    assert site.kinds() == ["alert", "updated", "updated"]
    _, improved, reviewed = site.receiver.messages
    assert improved.alerts[0].score == alert.candidates[0].score + 1
    assert (reviewed.alerts[0].status, reviewed.review) == ("dismissed", None)
    assert improved.id == f"{alert.id}-better-1"


def test_a_broker_has_the_words_of_a_review_only_if_a_rule_asks_for_them(store):
    site = Site(store, made=broker)
    made = site.review(site.alert())
    site.work()
    assert site.kinds() == ["alert", "reviewed"]
    assert site.receiver.messages[1].review.id == made.id


def test_a_broker_is_told_of_no_alert_that_its_rules_leave_out(store):
    site = Site(store, rules=(Rule(to=["phone"], cameras=["yard"]),), made=broker)
    alert = recorded_face(site)
    improve(store, alert)
    site.review(alert)
    site.run(3)
    assert site.receiver.messages == []


# -- whatever happens ------------------------------------------------------------------------------


class ReviewsMachine(RuleBasedStateMachine):
    """Two servers share a channel with reviews; both die at any moment."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = open_store(f"sqlite:///{Path(self.folder.name) / 'store.db'}")
        self.time, self.receiver = Time(), Receiver()
        self.alerts: list = []
        self.wanted: list[str] = []
        self.accidents = 0
        self.nodes = [self.new_node() for _ in range(2)]

    def new_node(self):
        mortal = Mortal(self.store)
        followed = selections(mortal, "phone", options(), ASKED)
        made = [Courier(mortal, *one, self.receiver, self.time.clock) for one in followed.items()]
        return mortal, made

    def step(self, number, which):
        mortal, couriers = self.nodes[number]
        try:
            couriers[which].step()
        except Died:
            self.accidents += 1
            self.nodes[number] = self.new_node()
        else:
            mortal.writes_left = None

    @rule(cameras=st.lists(st.sampled_from(["gate-1", "yard"]), min_size=1, max_size=3))
    def alerts_are_stored(self, cameras):
        times = {"occurred_at": self.time.now, "received_at": self.time.now}
        self.alerts += self.store.record([], [activity(camera_id=one, **times) for one in cameras])

    @precondition(lambda self: self.alerts)
    @rule(data=st.data(), kind=st.sampled_from(["review", "review", "outcome"]))
    def someone_judges(self, data, kind):
        alert = data.draw(st.sampled_from(self.alerts))
        seen = max((one.seq for one in self.store.judgements([alert.id])), default=0)
        verdict = "dismissed" if kind == "review" else "lost"
        made = judgement(alert.id, kind=kind, verdict=verdict, made_at=self.time.now)
        self.store.add_judgement(made, "dismissed" if kind == "review" else "new", seen)
        if kind == "review" and alert.camera_id != "yard":
            self.wanted.append(made.id)

    @rule(number=st.integers(0, 1), which=st.integers(0, 1), steps=st.integers(1, 4))
    def a_node_works(self, number, which, steps):
        for _ in range(steps):
            self.step(number, which)

    @rule(
        number=st.integers(0, 1),
        which=st.integers(0, 1),
        writes=st.integers(0, 2),
        last=st.booleans(),
    )
    def a_node_dies_at_work(self, number, which, writes, last):
        mortal, _ = self.nodes[number]
        mortal.writes_left, mortal.writes_last = writes, last
        self.a_node_works(number, which, 3)

    @rule(does=st.sampled_from([one for one in ANSWERS if one not in ("refuses", "fails")]))
    def the_receiver_changes(self, does):
        self.receiver.does = does
        self.accidents += does == "takes it, and the answer is lost"

    @rule(seconds=st.sampled_from([1.0, LEASE_SECONDS, LONGEST_WAIT]))
    def time_passes(self, seconds):
        self.time.seconds += seconds

    def teardown(self):
        self.receiver.does = "takes it"
        for _ in range(6):
            for _ in range(len(self.alerts) + len(self.wanted) + 3):
                for number in range(2):
                    self.step(number, 0)
                    self.step(number, 1)
            self.time.seconds += LONGEST_WAIT
        self.check()
        self.store.close()
        self.folder.cleanup()

    def check(self):
        messages = self.receiver.messages
        reviews = [one for one in messages if one.kind == "reviewed"]
        heard = list(dict.fromkeys(one.review.id for one in reviews))
        assert heard == self.wanted, "lost, unwanted or out of order"
        assert all(one.id == f"{one.review.id}-review" for one in reviews)
        first = {one.id: number for number, one in reversed(list(enumerate(messages)))}
        assert all(first[one.alerts[0].id] < first[one.id] for one in reviews), "before its alert"
        if not self.accidents:
            assert len(first) == len(messages)


@pytest.mark.timeout(0)
def test_no_review_is_lost_and_none_is_told_before_its_alert():
    run_state_machine_as_test(ReviewsMachine, settings=machine_settings(steps_per_run=30))


def test_a_copy_leaves_out_how_far_it_has_come_in_a_log_that_it_does_not_have(store, tmp_path):

    Site(store, made=broker)
    with open_store(f"sqlite:///{tmp_path / 'copy.db'}") as copy:
        copy_outbox(store, copy, Tally())
        assert [one.name for one in copy.channels()] == ["phone", "phone" + REVIEWS]
    assert "phone" + IMPROVEMENTS in [one.name for one in store.channels()]
