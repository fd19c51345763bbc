"""Judgements in memory, for a replay's journal."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import replace

from susracker.models import Alert
from susracker.oversight import Judgement
from susracker.stores.judgements import Judgements
from susracker.stores.refusals import judged_meanwhile, judgement_is_stored, no_alert


class ReplayJudgements(Judgements):
    """Judgements of the alerts of one replay, in memory."""

    def __init__(self) -> None:
        super().__init__()
        self._alerts: list[Alert] = []
        self._judgements: list[Judgement] = []
        self._last_judgement_seq = 0
        self._lock = threading.Lock()

    def add_judgement(self, judgement: Judgement, status: str, seen: int) -> Judgement:
        with self._lock:
            if all(one.id != judgement.alert_id for one in self._alerts):
                raise no_alert(judgement.alert_id)
            known = self.judgements([judgement.alert_id])
            if (known[-1].seq if known else 0) != seen:
                raise judged_meanwhile(judgement.alert_id)
            stored = replace(judgement, seq=self.last_judgement_seq() + 1)
            self._judgements.append(stored)
            self._last_judgement_seq = stored.seq
            self._alerts = [
                replace(one, status=status) if one.id == judgement.alert_id else one
                for one in self._alerts
            ]
            return stored

    def put_judgement(self, judgement: Judgement) -> None:
        with self._lock:
            if any(one.seq == judgement.seq for one in self._judgements):
                raise judgement_is_stored(judgement)
            self._judgements = sorted([*self._judgements, judgement], key=lambda one: one.seq)
            self._last_judgement_seq = max(self._last_judgement_seq, judgement.seq)

    def judgements(self, alert_ids: Collection[str]) -> list[Judgement]:
        return [one for one in self._judgements if one.alert_id in alert_ids]

    def judgements_after(self, seq: int = 0, limit: int = 100) -> list[Judgement]:
        return [one for one in self._judgements if one.seq > seq][: max(limit, 0)]

    def last_judgement_seq(self) -> int:
        return self._last_judgement_seq
