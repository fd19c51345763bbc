"""Better evidence in memory, for a replay's journal."""

from __future__ import annotations

import threading

from susracker.models import Alert
from susracker.stores.improvements import KEPT, Improvement, Improvements, improved


class ReplayImprovements(Improvements):
    """Improvements of the alerts of one replay, in memory."""

    _alerts: list[Alert]
    _lock: threading.Lock

    def __init__(self) -> None:
        super().__init__()
        self._improvements: list[Improvement] = []

    def improve_alert(self, alert: Alert) -> Alert | None:
        with self._lock:
            stored = next((one for one in self._alerts if one.id == alert.id), None)
            changed = improved(stored, alert) if stored else None
            if changed is None:
                return None
            self._alerts = [changed if one.id == alert.id else one for one in self._alerts]
            added = Improvement(self.last_improvement() + 1, alert.id)
            self._improvements = [*self._improvements, added][-KEPT:]
            return changed

    def improvements_after(self, number: int = 0, limit: int = 100) -> list[Improvement]:
        return [one for one in self._improvements if one.number > number][: max(limit, 0)]

    def last_improvement(self) -> int:
        return self._improvements[-1].number if self._improvements else 0
