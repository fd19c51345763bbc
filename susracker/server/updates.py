"""What changed about alerts since the last look, at whichever server: what people said about them,
and better evidence."""

from __future__ import annotations

from contextlib import suppress

from susracker.errors import NotFoundError
from susracker.judgement.judging import Judged, with_judgements
from susracker.models import Alert
from susracker.stores.base import Store

AT_ONCE = 100
"""Judgements or improvements that are read at once."""


class Updates:
    """Follows the store's logs of judgements and improvements. Not for several threads at once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last_seq = 0
        self._last_improvement = 0

    def start(self) -> None:
        """Skip everything that there was until now.

        Raises:
            StoreUnavailableError: the store cannot be read.
        """
        self._last_seq = self._store.last_judgement_seq()
        self._last_improvement = self._store.last_improvement()

    def judged(self) -> list[Judged]:
        """Alerts that were judged since the last call, as they are now; empty if none was.

        Raises:
            StoreUnavailableError: the store cannot be read. The next call reads the same again.
        """
        found: list[Judged] = []
        while not found and (page := self._store.judgements_after(self._last_seq, AT_ONCE)):
            found = with_judgements(self._store, self._alerts([one.alert_id for one in page]))
            self._last_seq = page[-1].seq
        return found

    def improved(self) -> list[Judged]:
        """Alerts that got better evidence since the last call, as they are now; empty if none did.

        Raises:
            StoreUnavailableError: the store cannot be read. The next call reads the same again.
        """
        found: list[Judged] = []
        after = self._store.improvements_after
        while not found and (page := after(self._last_improvement, AT_ONCE)):
            found = with_judgements(self._store, self._alerts([one.alert_id for one in page]))
            self._last_improvement = page[-1].number
        return found

    def _alerts(self, alert_ids: list[str]) -> list[Alert]:
        """The alerts that are still there, each once."""
        found = []
        for alert_id in dict.fromkeys(alert_ids):
            with suppress(NotFoundError):
                found.append(self._store.alert(alert_id))
        return found
