"""Alerts that are kept beyond their time, and whom they name."""

from __future__ import annotations

from susracker.errors import ConflictError, InputError, NotFoundError
from susracker.oversight import Hold
from susracker.stores.base import Store

MAX_REASON = 500
"""Characters of the reason of a hold."""


def check_reason(reason: str) -> str:
    """The reason of a hold, without spaces around it.

    Raises:
        InputError: it is empty, too long, or not one line.
    """
    text = reason.strip()
    if not 0 < len(text) <= MAX_REASON or not text.isprintable():
        raise InputError(f"reason: say why in one line of up to {MAX_REASON} characters")
    return text


def held_about(store: Store, criminal_id: str) -> list[Hold]:
    """The holds of alerts that someone is the match or a candidate of."""
    holds = store.holds()
    naming = set(store.alerts_naming(criminal_id)) if holds else set()
    return [one for one in holds if one.alert_id in naming]


def refuse_if_shown(store: Store, photo_id: str, instead: str) -> None:
    """Refuse to remove an enrolment photo that a held alert shows beside the face.

    Args:
        instead: what to do about it.

    Raises:
        ConflictError: such an alert is held.
    """
    for hold in store.holds():
        if _shown_by(store, hold) == photo_id:
            raise ConflictError(
                f"the photo is in the alert {hold.alert_id}, which is held ({hold.reason}); "
                f"{instead}"
            )


def _shown_by(store: Store, hold: Hold) -> str | None:
    """Id of the enrolment photo that a held alert shows; None where there is none."""
    try:
        return store.alert(hold.alert_id).photo_id
    except NotFoundError:  # it was released and forgotten meanwhile
        return None


def refuse_if_held(store: Store, criminal_id: str, instead: str) -> None:
    """Refuse to remove someone whom a held alert names: it would lose the face and the name.

    Args:
        instead: what to do about it.

    Raises:
        ConflictError: such an alert is held.
    """
    if holds := held_about(store, criminal_id):
        held = ", ".join(f"{one.alert_id} ({one.reason})" for one in holds)
        raise ConflictError(f"{criminal_id!r} is in alerts that are held: {held}; {instead}")
