"""What differs between two runs of the same detections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from susracker.errors import InputError
from susracker.replay.results import Recognised, Result

ChangeKind = Literal["appears", "disappears", "now alerts", "now held back", "changes rank"]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs.

    Attributes:
        number: of the detection.
        name: who, or the activity.
        detail: scores, or ranks, before and after.
    """

    kind: ChangeKind
    number: int
    camera_id: str
    occurred_at: str
    name: str
    detail: str


def compare(before: Sequence[Result], after: Sequence[Result]) -> list[Change]:
    """What appears, disappears, is alerted or held back, and changes rank, in order.

    Raises:
        InputError: they are not of the same detections.
    """
    if len(before) != len(after) or any(
        _identity(old) != _identity(new) for old, new in zip(before, after, strict=True)
    ):
        raise InputError(
            "the results are not of the same detections, so they cannot be compared: "
            f"{len(before)} before, {len(after)} now"
        )
    return [
        change
        for old, new in zip(before, after, strict=True)
        for change in [*_people(old, new), *_activity(old, new)]
    ]


def _identity(result: Result) -> tuple[str, str, str]:
    return result.camera_id, result.event_type, result.occurred_at


def _people(old: Result, new: Result) -> list[Change]:
    before = {one.criminal_id: one for one in old.matches}
    after = {one.criminal_id: one for one in new.matches}
    changes = []
    for who in dict.fromkeys([*before, *after]):
        was, now = before.get(who), after.get(who)
        if was is None and now is not None:
            changes.append(_change("appears", new, now.name, f"score {now.score:.2f}"))
        elif now is None and was is not None:
            changes.append(_change("disappears", new, was.name, f"score was {was.score:.2f}"))
        elif was is not None and now is not None:
            changes += _same_person(new, was, now)
    return changes


def _same_person(new: Result, was: Recognised, now: Recognised) -> list[Change]:
    changes = []
    if was.suppressed != now.suppressed:
        kind: ChangeKind = "now held back" if now.suppressed else "now alerts"
        changes.append(_change(kind, new, now.name, f"score {now.score:.2f}"))
    if was.candidates != now.candidates:
        detail = f"{' > '.join(was.candidates)} is now {' > '.join(now.candidates)}"
        changes.append(_change("changes rank", new, now.name, detail))
    return changes


def _activity(old: Result, new: Result) -> list[Change]:
    if old.matches or new.matches or old.outcome == new.outcome:
        return []
    if "alert" not in (old.outcome, new.outcome):
        return []
    kind: ChangeKind = "now alerts" if new.outcome == "alert" else "now held back"
    return [_change(kind, new, new.event_type, f"{old.outcome} is now {new.outcome}")]


def _change(kind: ChangeKind, result: Result, name: str, detail: str) -> Change:
    return Change(kind, result.number, result.camera_id, result.occurred_at, name, detail)
