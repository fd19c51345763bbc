"""Alerts that are kept beyond their time, and whom they name."""

from __future__ import annotations

from susracker.errors import ConflictError
from susracker.models import Hold
from susracker.stores.base import Store


def held_about(store: Store, criminal_id: str) -> list[Hold]:
    """The holds of alerts that someone is the match or a candidate of."""
    holds = store.holds()
    naming = set(store.alerts_naming(criminal_id)) if holds else set()
    return [one for one in holds if one.alert_id in naming]


def refuse_if_held(store: Store, criminal_id: str, instead: str) -> None:
    """Leave someone alone whom a held alert names: it would lose the face and the name.

    Args:
        instead: what to do about it.

    Raises:
        ConflictError: such an alert is held.
    """
    if holds := held_about(store, criminal_id):
        held = ", ".join(f"{one.alert_id} ({one.reason})" for one in holds)
        raise ConflictError(f"{criminal_id!r} is in alerts that are held: {held}; {instead}")
