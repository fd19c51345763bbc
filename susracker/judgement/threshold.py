"""What reviews say about the threshold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

import numpy as np

from susracker.benchmark.metrics import Numbers, threshold_for
from susracker.config import MAX_SHIFT
from susracker.errors import InputError
from susracker.judgement.finding import alert_pages
from susracker.judgement.rates import FalseAlertRate
from susracker.models import Alert, CameraDay
from susracker.oversight import CONFIRMED
from susracker.stores.base import Journal

DISMISSED_NEEDED = 20
"""Dismissed alerts that are needed to propose a shift. The true rate is then between 0.6 and 1.6
times the observed one, 19 times in 20."""

DECIMALS = 3


@dataclass(frozen=True, slots=True)
class Proposal:
    """A threshold with which reviewed alerts would have kept the promise.

    Attributes:
        shift: for the setting `threshold_shift`.
        false_alerts: dismissed alerts that would have remained.
        lost: confirmed alerts that would not have been raised.
    """

    shift: float
    false_alerts: int
    lost: int


@dataclass(frozen=True, slots=True, eq=False)
class ReviewedScores:
    """Scores of alerts for faces, on days on which searches were counted.

    Attributes:
        dismissed: of alerts that people found to be false (non-mated searches), shape (n,).
        confirmed: of those they found to be right (mated searches), shape (n,).
        undecided: of all others, shape (n,).
        searches: how many passages, or faces, were compared with the watch-list on those days.
    """

    dismissed: Numbers
    confirmed: Numbers
    undecided: Numbers
    searches: int

    def rate_at(self, threshold: float) -> FalseAlertRate:
        """The false alert rate of alerts whose score reaches a threshold.

        Raises:
            InputError: no searches were counted.
        """
        if not self.searches:
            raise InputError(
                "no searches were counted yet, so there is no rate to measure: the server counts "
                "them from now on"
            )
        dismissed, undecided = (
            int(np.sum(scores >= threshold)) for scores in (self.dismissed, self.undecided)
        )
        return FalseAlertRate(self.searches, dismissed, undecided)

    def propose(self, threshold: float, shift: float, promised: float) -> Proposal:
        """The shift that brings the false alert rate to the promise.

        It is never lower than the present one: what scored below the threshold raised no alert, so
        nobody knows how much of it would have been false.

        Args:
            threshold: the present one.
            shift: the setting `threshold_shift`, which is part of it.
            promised: the FPIR.

        Raises:
            InputError: too few alerts were dismissed, there are not too many false alerts, or no
                allowed shift would be enough.
        """
        observed = self.rate_at(threshold)
        if observed.dismissed < DISMISSED_NEEDED:
            raise InputError(
                f"that takes {DISMISSED_NEEDED} dismissed alerts that reach the threshold, and "
                f"there are {observed.dismissed}: review more alerts"
            )
        if observed.rate <= promised:
            raise InputError(
                "there are no more false alerts than promised, and what scores below the "
                "threshold is not stored: measure a lower threshold with photos of your own, by "
                "susracker benchmark FOLDER --apply"
            )
        false = self.dismissed[self.dismissed >= threshold]
        raised = threshold_for(false, promised * self.searches / len(false))
        # Rounded up: a shift that is a little too low would not keep the promise.
        proposed = math.ceil((shift + raised - threshold) * 10**DECIMALS) / 10**DECIMALS
        if proposed > MAX_SHIFT:
            raise InputError(
                f"a threshold_shift of {proposed:g} would be needed, and {MAX_SHIFT:g} is the "
                "largest: something else is wrong, so look at who is taken for whom"
            )
        return self._effect(proposed, threshold, threshold + proposed - shift)

    def _effect(self, shift: float, before: float, after: float) -> Proposal:
        lost = (self.confirmed >= before) & (self.confirmed < after)
        return Proposal(shift, int(np.sum(self.dismissed >= after)), int(np.sum(lost)))


def reviewed_scores(journal: Journal, since: date | None = None) -> ReviewedScores:
    """Read the scores of all alerts for faces.

    Args:
        since: only days from this one on, in UTC, such as the day when the threshold was changed.
    """
    days = {
        (one.camera_id, one.day): one
        for one in journal.camera_days()
        if since is None or one.day >= since
    }
    by_status: dict[str, list[float]] = {"dismissed": [], CONFIRMED: [], "": []}
    for page in alert_pages(journal):
        for alert in page:
            if alert.score is not None and _was_counted(alert, days):
                status = alert.status if alert.status in by_status else ""
                by_status[status].append(alert.score)
    searches = sum(day.searches for day in days.values())
    scores = {name: np.array(found, np.float64) for name, found in by_status.items()}
    return ReviewedScores(scores["dismissed"], scores[CONFIRMED], scores[""], searches)


def _was_counted(alert: Alert, days: dict[tuple[str, date], CameraDay]) -> bool:
    return (alert.camera_id, alert.received_at.date()) in days
