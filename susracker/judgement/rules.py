"""When a judgement is accepted, and what status an alert has after it. No store, no HTTP."""

from __future__ import annotations

import re
import typing
from collections.abc import Sequence
from itertools import takewhile

from susracker.errors import InputError
from susracker.models import NEW, TO_BE_CONFIRMED, AlertStatus
from susracker.oversight import CONFIRMED, Encounter, Judgement, Verdict

VERDICTS: tuple[Verdict, ...] = typing.get_args(Verdict)
ENCOUNTERS: tuple[Encounter, ...] = typing.get_args(Encounter)
STATUSES: tuple[AlertStatus, ...] = typing.get_args(AlertStatus)

MAX_REASON = 200
MAX_NOTE = 2000

_KEY_ID = re.compile(r" \([^()]*\)\Z")

_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def check_judgement(judgement: Judgement) -> None:
    """Check what someone says.

    Raises:
        InputError: the verdict is unknown, a review has no reason, or a text is too long or holds
            control characters; a note may have several lines.
    """
    is_review = judgement.kind == "review"
    name, verdicts = ("verdict", VERDICTS) if is_review else ("outcome", ENCOUNTERS)
    if judgement.verdict not in verdicts:
        raise InputError(f"{name} must be one of: {', '.join(verdicts)}")
    if is_review and not judgement.reason:
        raise InputError("reason is missing: say why, in a few words")
    _check_text("reason", judgement.reason, MAX_REASON, judgement.reason)
    _check_text("note", judgement.note, MAX_NOTE, re.sub(r"[\r\n\t]", "", judgement.note))


def status_after(reviews: Sequence[Judgement], required_by: int) -> AlertStatus:
    """The status of an alert with these reviews, oldest first.

    Args:
        required_by: how many different people a confirmation takes.
    """
    if not reviews:
        return NEW
    if reviews[-1].verdict != CONFIRMED:
        return typing.cast(AlertStatus, reviews[-1].verdict)
    return CONFIRMED if len(_confirming(reviews)) >= required_by else TO_BE_CONFIRMED


def refusal(
    known: Sequence[Judgement], judgement: Judgement, replaces: str | None, required_by: int
) -> str | None:
    """Why a judgement is not accepted after those of its kind that are known, oldest first; None
    if it is.

    A change has to name the judgement that it replaces, which must be the newest. Only the second
    confirmation of two that are required replaces nothing.
    """
    if not known:
        return f"there is no {judgement.kind} to replace" if replaces else None
    newest = known[-1]
    if replaces == newest.id or (
        replaces is None and _is_second_confirmation(known, judgement, required_by)
    ):
        return None
    return (
        f"the {newest.kind} is {newest.verdict!r}, by {newest.made_by} on"
        f" {newest.made_at:%Y-%m-%d %H:%M} UTC: to change it, say that you replace {newest.id}"
    )


def _is_second_confirmation(
    known: Sequence[Judgement], judgement: Judgement, required_by: int
) -> bool:
    return (
        judgement.kind == "review"
        and judgement.verdict == CONFIRMED
        and status_after(known, required_by) == TO_BE_CONFIRMED
        and _person(judgement) not in _confirming(known)
    )


def _confirming(reviews: Sequence[Judgement]) -> set[str]:
    """Who has confirmed since the last review that did not."""
    latest = takewhile(lambda one: one.verdict == CONFIRMED, reversed(reviews))
    return {_person(one) for one in latest}


def _person(judgement: Judgement) -> str:
    """Who judged: the name of the key without its id, for someone whose key was revoked gets
    another one, and stays one person."""
    return _KEY_ID.sub("", judgement.made_by).casefold()


def _check_text(name: str, text: str, longest: int, one_line: str) -> None:
    if len(text) > longest:
        raise InputError(f"{name} is too long: {len(text)} characters, at most {longest}")
    if _CONTROL_CHARACTERS.search(one_line):
        raise InputError(f"{name} must not contain control characters")
