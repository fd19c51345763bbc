"""Who may say what about an alert, and what follows from it."""

from __future__ import annotations

from itertools import count

import pytest

from susracker.errors import InputError, JudgedError, NotFoundError
from susracker.judgement.judging import Judged, Judging
from susracker.plugins import open_store
from susracker.testing.race import race
from susracker.testing.records import MINUTE, NOON, activity

JO, ALEX, SAM = "Jo (k1)", "Alex (k2)", "os:sam"


@pytest.fixture
def alert_id(journal) -> str:
    return journal.record([], [activity()])[0].id


@pytest.fixture
def judging(journal):
    minutes = count()
    return Judging(journal, 1, lambda: NOON + next(minutes) * MINUTE)


@pytest.fixture
def by_two(journal):
    return Judging(journal, 2)


def verdicts(judged: Judged) -> list[tuple[str, str]]:
    return [(one.verdict, one.made_by) for one in judged.reviews]


def test_a_review_says_by_whom_when_and_why(judging, alert_id):
    judged = judging.review(
        alert_id, verdict="confirmed", reason=" same scar ", note="left\ncheek", made_by=JO
    )
    assert judged.alert.status == "confirmed"
    (made,) = judged.reviews
    assert (made.reason, made.note, made.made_by, made.made_at) == (
        "same scar",
        "left\ncheek",
        JO,
        NOON,
    )
    assert judging.judged(alert_id) == judged


@pytest.mark.parametrize("verdict", ["confirmed", "dismissed", "unsure"])
def test_the_status_is_that_of_the_verdict(judging, alert_id, verdict):
    judged = judging.review(alert_id, verdict=verdict, reason="seen", made_by=JO)
    assert judged.alert.status == verdict


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"verdict": "guilty"}, "verdict must be one of: confirmed, dismissed, unsure"),
        ({"reason": "  "}, "reason is missing"),
        ({"reason": "x" * 201}, "reason is too long: 201 characters, at most 200"),
        ({"reason": "two\nlines"}, "reason must not contain control characters"),
        ({"note": "x" * 2001}, "note is too long"),
        ({"note": "a\0b"}, "note must not contain control characters"),
    ],
)
def test_a_review_that_is_wrong_is_refused(judging, alert_id, given, message):
    fields = {"verdict": "confirmed", "reason": "seen", "made_by": JO} | given
    with pytest.raises(InputError, match=message):
        judging.review(alert_id, **fields)
    assert judging.judged(alert_id).reviews == ()


def test_the_longest_texts_are_accepted(judging, alert_id):
    fields = {"reason": "x" * 200, "note": "y" * 2000}
    assert judging.review(alert_id, verdict="unsure", made_by=JO, **fields).reviews


def test_an_unknown_alert_is_not_found(judging):
    with pytest.raises(NotFoundError):
        judging.review("unknown", verdict="unsure", reason="seen", made_by=JO)


def test_a_change_names_what_it_replaces_and_keeps_the_history(judging, alert_id):
    first = judging.review(alert_id, verdict="confirmed", reason="scar", made_by=JO).reviews[0]
    changed = judging.review(
        alert_id, verdict="dismissed", reason="taller", made_by=ALEX, replaces=first.id
    )
    assert changed.alert.status == "dismissed"
    assert verdicts(changed) == [("confirmed", JO), ("dismissed", ALEX)]


@pytest.mark.parametrize("by", [JO, ALEX])
@pytest.mark.parametrize("verdict", ["confirmed", "dismissed"])
def test_a_change_that_names_nothing_is_refused_and_says_by_whom(judging, alert_id, by, verdict):
    judging.review(alert_id, verdict="confirmed", reason="scar", made_by=JO)
    with pytest.raises(JudgedError, match=r"'confirmed', by Jo \(k1\) on 2026-05-04 12:00 UTC"):
        judging.review(alert_id, verdict=verdict, reason="seen", made_by=by)
    assert verdicts(judging.judged(alert_id)) == [("confirmed", JO)]


def test_a_change_of_what_is_replaced_already_is_refused(judging, alert_id):
    first = judging.review(alert_id, verdict="confirmed", reason="scar", made_by=JO).reviews[0]
    fields = {"reason": "taller", "replaces": first.id}
    judging.review(alert_id, verdict="dismissed", made_by=ALEX, **fields)
    with pytest.raises(JudgedError, match="'dismissed', by Alex"):
        judging.review(alert_id, verdict="unsure", made_by=JO, **fields)


def test_what_is_not_there_cannot_be_replaced(judging, alert_id):
    with pytest.raises(JudgedError, match="no review to replace"):
        judging.review(alert_id, verdict="unsure", reason="x", made_by=JO, replaces="unknown")


# -- two people ----------------------------------------------------------------------------------


def test_a_confirmation_takes_two_people_where_it_is_set(by_two, alert_id):
    first = by_two.review(alert_id, verdict="confirmed", reason="scar", made_by=JO)
    assert first.alert.status == "to be confirmed"
    second = by_two.review(alert_id, verdict="confirmed", reason="gait", made_by=ALEX)
    assert second.alert.status == "confirmed"
    assert verdicts(second) == [("confirmed", JO), ("confirmed", ALEX)]
    with pytest.raises(JudgedError):
        by_two.review(alert_id, verdict="confirmed", reason="me too", made_by=SAM)


def test_one_person_does_not_count_twice(by_two, alert_id):
    first = by_two.review(alert_id, verdict="confirmed", reason="scar", made_by=JO)
    with pytest.raises(JudgedError):
        by_two.review(alert_id, verdict="confirmed", reason="sure", made_by=JO)
    again = by_two.review(
        alert_id, verdict="confirmed", reason="sure", made_by=JO, replaces=first.reviews[0].id
    )
    assert again.alert.status == "to be confirmed"


@pytest.mark.parametrize("other_key", ["Jo (k9)", "jo (k9)"])
def test_one_person_with_another_key_does_not_count_twice(by_two, alert_id, other_key):
    first = by_two.review(alert_id, verdict="confirmed", reason="scar", made_by=JO)
    with pytest.raises(JudgedError):
        by_two.review(alert_id, verdict="confirmed", reason="sure", made_by=other_key)
    again = by_two.review(
        alert_id,
        verdict="confirmed",
        reason="sure",
        made_by=other_key,
        replaces=first.reviews[0].id,
    )
    assert again.alert.status == "to be confirmed"


def test_who_disagrees_with_the_first_has_to_name_their_review(by_two, alert_id):
    first = by_two.review(alert_id, verdict="confirmed", reason="scar", made_by=JO).reviews[0]
    with pytest.raises(JudgedError):
        by_two.review(alert_id, verdict="dismissed", reason="taller", made_by=ALEX)
    fields = {"reason": "taller", "made_by": ALEX, "replaces": first.id}
    assert by_two.review(alert_id, verdict="dismissed", **fields).alert.status == "dismissed"


def test_confirmations_before_a_dismissal_do_not_count(by_two, alert_id):
    newest = None
    for verdict, by, status in (
        ("confirmed", JO, "to be confirmed"),
        ("dismissed", ALEX, "dismissed"),
        ("confirmed", ALEX, "to be confirmed"),
        ("confirmed", JO, "confirmed"),
    ):
        judged = by_two.review(alert_id, verdict=verdict, reason="x", made_by=by, replaces=newest)
        assert judged.alert.status == status
        newest = judged.reviews[-1].id


# -- outcomes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["right person", "wrong person", "not stopped", "lost"])
def test_an_outcome_needs_no_review_and_leaves_the_status(judging, alert_id, outcome):
    judged = judging.record_outcome(alert_id, outcome=outcome, note="at gate 3", made_by=JO)
    assert judged.alert.status == "new"
    assert [(one.verdict, one.note) for one in judged.outcomes] == [(outcome, "at gate 3")]
    assert judged.reviews == ()


def test_an_outcome_changes_by_the_same_rule(judging, alert_id):
    judging.review(alert_id, verdict="confirmed", reason="scar", made_by=JO)
    first = judging.record_outcome(alert_id, outcome="lost", made_by=JO).outcomes[0]
    with pytest.raises(JudgedError, match="the outcome is 'lost'"):
        judging.record_outcome(alert_id, outcome="right person", made_by=ALEX)
    changed = judging.record_outcome(
        alert_id, outcome="right person", made_by=ALEX, replaces=first.id
    )
    assert [one.verdict for one in changed.outcomes] == ["lost", "right person"]
    assert changed.alert.status == "confirmed"


def test_an_outcome_that_is_wrong_is_refused(judging, alert_id):
    with pytest.raises(InputError, match="outcome must be one of: right person, wrong person"):
        judging.record_outcome(alert_id, outcome="confirmed", made_by=JO)


# -- at once -------------------------------------------------------------------------------------


@pytest.mark.parametrize("people", [2, 8])
def test_of_people_who_review_at_once_one_wins_and_others_see_whom(tmp_path, people):
    with open_store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        (alert,) = store.record([], [activity()])
        judging = Judging(store, 1)
        results = race(
            lambda n: judging.review(
                alert.id, verdict="dismissed", reason="taller", made_by=f"operator {n}"
            ),
            people,
        )
        (won,) = (one for one in results if isinstance(one, Judged))
        lost = [one for one in results if one is not won]
        assert all(isinstance(one, JudgedError) for one in lost)
        assert all(won.reviews[0].made_by in str(one) for one in lost)


def test_two_who_confirm_at_once_are_the_two_that_are_needed(tmp_path):
    with open_store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        (alert,) = store.record([], [activity()])
        judging = Judging(store, 2)
        results = race(
            lambda n: judging.review(
                alert.id, verdict="confirmed", reason="scar", made_by=f"operator {n}"
            ),
            2,
        )
        assert all(isinstance(one, Judged) for one in results)
        assert store.alert(alert.id).status == "confirmed"


def test_a_review_and_an_outcome_at_once_are_both_stored(tmp_path):
    with open_store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        (alert,) = store.record([], [activity()])
        judging = Judging(store, 1)
        calls = (
            lambda: judging.review(alert.id, verdict="confirmed", reason="scar", made_by=JO),
            lambda: judging.record_outcome(alert.id, outcome="lost", made_by=ALEX),
        )
        assert all(isinstance(one, Judged) for one in race(lambda n: calls[n](), 2))
        judged = judging.judged(alert.id)
        assert judged.alert.status == "confirmed"
        assert (len(judged.reviews), len(judged.outcomes)) == (1, 1)


@pytest.mark.parametrize("reads", ["alert", "judgements"])
def test_a_review_between_the_reads_of_an_outcome_is_not_taken_back(tmp_path, monkeypatch, reads):
    """Whichever is read first: the alert, or what was said about it."""
    with open_store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        (alert,) = store.record([], [activity()])
        judging, read, made = Judging(store, 1), getattr(store, reads), []

        def read_and_review(asked):
            found = read(asked)
            if not made:
                made.append(asked)
                judging.review(alert.id, verdict="confirmed", reason="scar", made_by=JO)
            return found

        monkeypatch.setattr(store, reads, read_and_review)
        judging.record_outcome(alert.id, outcome="lost", made_by=ALEX)
        assert store.alert(alert.id).status == "confirmed"
