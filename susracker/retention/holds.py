"""Alerts that are kept beyond their time, and whom they name."""

from __future__ import annotations

from susracker.errors import InputError, NotFoundError
from susracker.oversight import Hold
from susracker.stores.base import Store
from susracker.stores.refusals import named_while_held, shown_while_held

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


def refuse_if_shown(store: Store, photo_id: str) -> None:
    """Say before anything is removed what `Gallery.remove_photo` would refuse.

    Raises:
        HeldError: a held alert shows the photo beside the face.
    """
    for hold in store.holds():
        if _shown_by(store, hold) == photo_id:
            raise shown_while_held(hold)


def _shown_by(store: Store, hold: Hold) -> str | None:
    """Id of the enrolment photo that a held alert shows; None where there is none."""
    try:
        return store.alert(hold.alert_id).photo_id
    except NotFoundError:  # it was released and forgotten meanwhile
        return None


def refuse_if_held(store: Store, criminal_id: str, instead: str = "release them first") -> None:
    """Say before anything is removed or noted what `Gallery.remove_criminal` would refuse.

    Args:
        instead: what to do about it.

    Raises:
        HeldError: a held alert names the person.
    """
    if holds := held_about(store, criminal_id):
        raise named_while_held(criminal_id, holds, instead)
