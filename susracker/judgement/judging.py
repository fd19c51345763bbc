"""Judges alerts: reviews, and the outcomes of encounters."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from susracker.errors import ConflictError, JudgedError
from susracker.judgement.rules import check_judgement, refusal, status_after
from susracker.models import Alert
from susracker.oversight import Judgement, JudgementKind
from susracker.runtime.clock import Clock, utc_now
from susracker.stores.base import Journal

log = logging.getLogger(__name__)

ATTEMPTS = 20
"""How many times a judgement is tried while others judge the same alert."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An alert with everything that people said about it, oldest first."""

    alert: Alert
    reviews: tuple[Judgement, ...]
    outcomes: tuple[Judgement, ...]


class Judging:
    """Stores judgements that the rules accept. Safe to use from any thread.

    Args:
        required_by: how many different people a confirmation takes: 1 or 2.
    """

    def __init__(
        self,
        journal: Journal,
        required_by: int,
        clock: Clock = utc_now,
    ) -> None:
        self._journal = journal
        self._required_by = required_by
        self._clock = clock

    def review(
        self,
        alert_id: str,
        *,
        verdict: str,
        reason: str,
        note: str = "",
        made_by: str,
        replaces: str | None = None,
        id: str | None = None,
    ) -> Judged:
        """Review an alert.

        Args:
            replaces: id of the review that is changed, which must be the newest.
            id: of the new review; by default one that no record has.

        Raises:
            InputError: see `check_judgement`.
            NotFoundError: there is no such alert.
            JudgedError: someone else was faster, or there is a review that `replaces` does not
                name; nothing was changed.
        """
        made = self._new(id, "review", alert_id, verdict, reason, note, made_by)
        return self._judge(made, replaces)

    def record_outcome(
        self,
        alert_id: str,
        *,
        outcome: str,
        note: str = "",
        made_by: str,
        replaces: str | None = None,
        id: str | None = None,
    ) -> Judged:
        """Record what became of the encounter. The status of the alert stays as it is.

        Errors are those of `review`.
        """
        made = self._new(id, "outcome", alert_id, outcome, "", note, made_by)
        return self._judge(made, replaces)

    def judged(self, alert_id: str) -> Judged:
        """An alert with its judgements.

        Raises:
            NotFoundError: there is no such alert.
        """
        # Before the alert: a review that comes between is a conflict then, and its status is not
        # taken back.
        made = self._journal.judgements([alert_id])
        (found,) = _beside([self._journal.alert(alert_id)], made)
        return found

    def _new(
        self,
        id: str | None,
        kind: JudgementKind,
        alert_id: str,
        verdict: str,
        reason: str,
        note: str,
        made_by: str,
    ) -> Judgement:
        made = Judgement(
            id=id or uuid.uuid4().hex,
            alert_id=alert_id,
            kind=kind,
            verdict=verdict,
            reason=reason.strip(),
            note=note.strip(),
            made_by=made_by,
            made_at=self._clock(),
        )
        check_judgement(made)
        return made

    def _judge(self, made: Judgement, replaces: str | None) -> Judged:
        for _ in range(ATTEMPTS - 1):
            try:
                return self._attempt(made, replaces)
            except JudgedError:
                raise
            except ConflictError:
                log.debug("the alert was judged meanwhile: the rules decide again on what is there")
        return self._attempt(made, replaces)

    def _attempt(self, made: Judgement, replaces: str | None) -> Judged:
        now = self.judged(made.alert_id)
        known = now.reviews if made.kind == "review" else now.outcomes
        if why := refusal(known, made, replaces, self._required_by):
            raise JudgedError(why, made.alert_id)
        status = now.alert.status
        if made.kind == "review":
            status = status_after([*known, made], self._required_by)
        seen = max((one.seq for one in (*now.reviews, *now.outcomes)), default=0)
        self._journal.add_judgement(made, status, seen)
        return self.judged(made.alert_id)


def with_judgements(journal: Journal, alerts: Sequence[Alert]) -> list[Judged]:
    """Each alert with its judgements."""
    return _beside(alerts, journal.judgements([alert.id for alert in alerts]))


def _beside(alerts: Sequence[Alert], made: Sequence[Judgement]) -> list[Judged]:
    by_alert: dict[str, list[Judgement]] = {alert.id: [] for alert in alerts}
    for one in made:
        by_alert[one.alert_id].append(one)
    return [
        Judged(
            alert,
            tuple(one for one in by_alert[alert.id] if one.kind == "review"),
            tuple(one for one in by_alert[alert.id] if one.kind == "outcome"),
        )
        for alert in alerts
    ]
