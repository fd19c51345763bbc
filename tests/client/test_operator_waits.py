"""The operators' client while there is no server."""

from __future__ import annotations

from typing import Any

import pytest

from susracker.client import Operator
from susracker.errors import ServerUnavailableError


class EnoughError(Exception):
    """Ends a look-out for alerts, which has no end."""


def test_who_follows_alerts_waits_between_two_looks_from_the_start_on(monkeypatch):
    away = ServerUnavailableError("no answer")
    answers = iter([away, away, {"last_seq": 7}, away, {"alerts": []}, EnoughError()])
    asked, waits = [], []

    def ask(method: str, path: str, params: dict[str, Any]) -> Any:
        asked.append(params["after"])
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr("susracker.client.operator.time.sleep", waits.append)
    with Operator("http://127.0.0.1:9", patience=0) as operator:
        monkeypatch.setattr(operator._http, "ask", ask)
        with pytest.raises(EnoughError):
            next(operator.alerts(every=2.5))
    assert asked == [0, 0, 0, 7, 7, 7]
    assert waits == [2.5] * 4


def test_who_does_not_follow_is_told_at_once():
    with (
        Operator("http://127.0.0.1:9", patience=0) as operator,
        pytest.raises(ServerUnavailableError),
    ):
        next(operator.alerts(follow=False))
