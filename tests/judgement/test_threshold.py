"""A threshold that follows from what people said about alerts."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from susracker.errors import InputError
from susracker.judgement.rates import FalseAlertRate
from susracker.judgement.threshold import ReviewedScores, reviewed_scores
from susracker.testing.records import NOON, activity, camera_day, face_alert, judgement

THRESHOLD = 4.0


def scores(dismissed, confirmed=(), undecided=(), searches=1000) -> ReviewedScores:
    arrays = (np.array(one, np.float64) for one in (dismissed, confirmed, undecided))
    return ReviewedScores(*arrays, searches=searches)


def test_the_rate_is_that_of_alerts_at_the_present_threshold():
    measured = scores([3.9, 4.0, 4.5], [5.0], [3.0, 4.2])
    assert measured.rate_at(THRESHOLD) == FalseAlertRate(1000, dismissed=2, undecided=1)


def test_the_proposed_shift_brings_the_rate_to_the_promise():
    false = np.linspace(4.0, 5.0, 41)
    measured = scores(false, [4.1, 4.3, 4.9, 6.0, 7.0])
    proposal = measured.propose(THRESHOLD, 0.25, promised=0.01)
    after = THRESHOLD + proposal.shift - 0.25
    assert np.sum(false >= after) == proposal.false_alerts == 10
    assert proposal.lost == 2
    assert proposal.shift == pytest.approx(0.25 + 0.75, abs=0.026)


def test_equal_scores_are_kept_or_lost_together():
    measured = scores([4.5] * 30)
    proposal = measured.propose(THRESHOLD, 0.0, promised=0.01)
    assert proposal.false_alerts == 0
    assert proposal.shift == 0.501


@pytest.mark.parametrize("dismissed", [0, 19])
def test_too_few_dismissed_alerts_are_refused(dismissed):
    measured = scores([5.0] * dismissed + [3.0] * 100)
    with pytest.raises(InputError, match=f"takes 20 dismissed .* are {dismissed}: "):
        measured.propose(THRESHOLD, 0.0, promised=0.0001)


def test_a_lower_threshold_is_not_proposed():
    with pytest.raises(InputError, match="no more false alerts than promised"):
        scores([5.0] * 20).propose(THRESHOLD, 0.0, promised=0.02)


def test_a_shift_that_the_setting_does_not_allow_is_not_proposed():
    with pytest.raises(InputError, match=r"of 5\.9\d+ would be needed, and 5 is the largest"):
        scores(np.linspace(5.0, 10.0, 1001)).propose(THRESHOLD, 0.0, promised=0.01)


def test_without_searches_there_is_nothing_to_measure():
    with pytest.raises(InputError, match="no searches were counted"):
        scores([5.0] * 20, searches=0).rate_at(THRESHOLD)


def test_scores_are_those_of_reviewed_faces_on_counted_days(journal):
    day = timedelta(days=1)
    made = [
        face_alert(score=5.0, received_at=NOON),
        face_alert(score=6.0, received_at=NOON),
        face_alert(score=7.0, received_at=NOON),
        face_alert(score=8.0, received_at=NOON - day),
        activity(received_at=NOON),
    ]
    alerts = journal.record([], made)
    for alert, status in zip(
        alerts, ("dismissed", "confirmed", "unsure", "dismissed"), strict=False
    ):
        journal.add_judgement(judgement(alert.id), status, 0)
    journal.count_cameras([], [camera_day(searches=7), camera_day("hall", searches=3)])
    found = reviewed_scores(journal)
    assert (found.dismissed.tolist(), found.confirmed.tolist()) == ([5.0], [6.0])
    assert (found.undecided.tolist(), found.searches) == ([7.0], 10)
    assert reviewed_scores(journal, since=(NOON + day).date()).searches == 0
