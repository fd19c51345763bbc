"""What becomes of a detection: its alerts pass the cooldown, and it is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta

from susracker.cooldowns.base import Cooldown
from susracker.errors import RecentAlertError
from susracker.models import Alert, Detection, Event, Outcome, OutcomeKind
from susracker.stores.base import Journal
from susracker.tracking.alerts import new_sighting, token_of
from susracker.tracking.passage import Passage
from susracker.tracking.passages import Passages


class OutcomeRecorder:
    """Stores outcomes with the alerts that the cooldown lets through.

    The cooldown is asked first, because it answers without the journal. The journal has the last
    word: it knows the alerts of other servers, even of those that share no cooldown. What it
    refuses, the cooldown holds back from then on.

    Args:
        moves_last_seen: whether a sighting moves `last_seen_*` of the person.
    """

    def __init__(
        self,
        journal: Journal,
        cooldown: Cooldown,
        passages: Passages,
        *,
        moves_last_seen: bool = True,
    ) -> None:
        self._journal = journal
        self._cooldown = cooldown
        self._passages = passages
        self._span = timedelta(seconds=cooldown.seconds)
        self._moves_last_seen = moves_last_seen

    def record(
        self,
        detection: Detection,
        found: Sequence[Alert],
        otherwise: OutcomeKind,
        received_at: datetime,
        passages: Mapping[str, Passage] | None = None,
        lasted: timedelta = timedelta(),
    ) -> Outcome:
        """Store what became of a detection; if that fails, nothing of it is held back.

        Args:
            found: the alerts that would go out if there were no cooldown.
            otherwise: the kind of an outcome without any.
            passages: by the ids of alerts, the passages that they are of. A passage raises one
                alert, or none if the cooldown holds that back.
            lasted: how much longer the cooldown is in the journal: an alert of a whole passage is
                held back by one that another server raised during it.

        Raises:
            DuplicateError: the event was handled before.
            NotFoundError: someone was removed after being recognised.
            StoreUnavailableError: nothing was stored.
        """
        token = token_of(detection)
        with ExitStack() as undo:
            first = [alert for alert in found if self._announce(alert, passages, token, undo)]
            passed = [alert for alert in first if self._acquire(alert, token)]
            undo.callback(self._release, passed, token)
            # Each refusal leaves fewer alerts, and without alerts nothing is refused.
            while True:
                outcome = _outcome(found, passed, otherwise)
                try:
                    stored = self._store(detection, outcome, received_at, lasted)
                    break
                except RecentAlertError as error:
                    self._hold_back(passed, error.recent, token)
            undo.pop_all()
        return replace(outcome, alerts=stored)

    def remember(self, stored: Alert) -> None:
        """Hold back what comes too soon after a stored alert, without asking the journal."""
        self._cooldown.try_acquire(stored.cooldown_key, stored.occurred_at, stored.id)

    def _announce(
        self, alert: Alert, passages: Mapping[str, Passage] | None, token: str, undo: ExitStack
    ) -> bool:
        """Whether an alert is the first of its passage; `undo` takes that back. Without a cooldown,
        every match is alerted."""
        passage = (passages or {}).get(alert.id)
        if passage is None or not self._span:
            return True
        if not self._passages.announce(passage, token):
            return False
        undo.callback(self._passages.withdraw, passage, token)
        return True

    def _acquire(self, alert: Alert, token: str) -> bool:
        """Whether the cooldown lets an alert through.

        A repeat of an event that is being handled takes what the other one took, so that either
        may be stored first. Whichever is refused gives back its own part only.
        """
        return self._cooldown.try_acquire(alert.cooldown_key, alert.occurred_at, token)

    def _release(self, passed: Sequence[Alert], token: str) -> None:
        for alert in passed:
            self._cooldown.release(alert.cooldown_key, token)

    def _hold_back(self, passed: list[Alert], recent: Mapping[str, Alert], token: str) -> None:
        """Move the keys of refused alerts over to the stored ones, and leave these alerts out of
        `passed`."""
        refused = [alert for alert in passed if alert.id in recent]
        passed[:] = [alert for alert in passed if alert.id not in recent]
        self._release(refused, token)
        for alert in refused:
            self.remember(recent[alert.id])

    def _store(
        self, detection: Detection, outcome: Outcome, received_at: datetime, lasted: timedelta
    ) -> tuple[Alert, ...]:
        event = None
        if detection.event_id is not None:
            event = Event(detection.camera_id, detection.event_id, outcome.kind, received_at)
        if not (outcome.sightings or outcome.alerts or event):
            return ()
        return self._journal.record(
            outcome.sightings,
            outcome.alerts,
            event,
            cooldown=self._span and self._span + lasted,
            moves_last_seen=self._moves_last_seen,
        )


def _outcome(found: Sequence[Alert], passed: Sequence[Alert], otherwise: OutcomeKind) -> Outcome:
    """The outcome of a detection, with its alerts as they are before they are stored."""
    through = {alert.id for alert in passed}
    return Outcome(
        "alert" if passed else "cooldown" if found else otherwise,
        tuple(passed),
        tuple(
            new_sighting(alert, suppressed=alert.id not in through)
            for alert in found
            if alert.kind == "face"
        ),
    )
