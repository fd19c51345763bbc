"""Keeps each alert at the best evidence that its passage has given."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from susracker.models import Alert
from susracker.stores.base import Journal
from susracker.stores.improvements import is_better
from susracker.tracking.passage import Shown
from susracker.tracking.recogniser import Match


class Evidence:
    """Improves the alerts of passages. Safe to use from any thread: of several improvements of one
    alert, the journal keeps the best."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def improve(self, found: Collection[tuple[Alert, Match]]) -> None:
        """Give the alerts of passages the evidence of later matches, where that is better.

        Args:
            found: matches, with the alerts that would go out if there were no cooldown.

        Raises:
            StoreUnavailableError: nothing was stored; the next face of the passage tries again.
        """
        for alert, match in found:
            passage = match.passage
            shown = passage.shown if passage else None
            if passage and shown and is_better(alert.candidates, shown.candidates):
                is_sharper = alert.face is not None and match.quality > shown.quality
                face, quality = (alert.face, match.quality) if is_sharper else (None, shown.quality)
                self._journal.improve_alert(replace(alert, id=shown.alert_id, face=face))
                passage.shown = Shown(shown.alert_id, alert.candidates, quality)

    def note(self, stored: Collection[Alert], found: Collection[tuple[Alert, Match]]) -> None:
        """Note which alerts were stored, as the alerts of their passages."""
        stored_ids = {alert.id for alert in stored}
        for alert, match in found:
            # Without a cooldown nobody announces: each match has an alert of its own.
            if match.passage and match.passage.announcers and alert.id in stored_ids:
                match.passage.shown = Shown(alert.id, alert.candidates, match.quality)
