"""What people said about alerts since the last look, whoever they said it to."""

from __future__ import annotations

from contextlib import suppress

from susracker.errors import NotFoundError
from susracker.judgement.judging import Judged, with_judgements
from susracker.models import Alert
from susracker.stores.base import Store

AT_ONCE = 100
"""Judgements that are read at once."""


class Updates:
    """Follows the store's log of judgements. Not for several threads at once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last_seq = 0

    def start(self) -> None:
        """Skip everything that was said until now.

        Raises:
            StoreUnavailableError: the store cannot be read.
        """
        self._last_seq = self._store.last_judgement_seq()

    def next(self) -> list[Judged]:
        """Alerts that were judged since the last call, as they are now; empty if none was.

        Raises:
            StoreUnavailableError: the store cannot be read. The next call reads the same again.
        """
        found: list[Judged] = []
        while not found and (page := self._store.judgements_after(self._last_seq, AT_ONCE)):
            found = with_judgements(self._store, self._alerts([one.alert_id for one in page]))
            self._last_seq = page[-1].seq
        return found

    def _alerts(self, alert_ids: list[str]) -> list[Alert]:
        """The alerts that are still there, each once."""
        found = []
        for alert_id in dict.fromkeys(alert_ids):
            with suppress(NotFoundError):
                found.append(self._store.alert(alert_id))
        return found
