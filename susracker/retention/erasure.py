"""Removes a person everywhere, and says what is out of reach."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from susracker.errors import HeldError, NotFoundError
from susracker.models import Criminal
from susracker.retention.holds import held_about, refuse_if_held
from susracker.stores.base import Store
from susracker.stores.refusals import held_again

INSTEAD = "release them first, or erase with --despite-holds"
"""What to do about holds."""

ATTEMPTS = 50
"""How often a removal is tried again after it was refused because of holds."""

PAUSE = 0.1
"""Seconds between two attempts if there was no hold to end."""


@dataclass(frozen=True, slots=True)
class Traces:
    """What a store holds of a person.

    Attributes:
        templates: of every encoder.
        alerts: that they are the match or a candidate of.
        held: how many of these are held.
        seen_at: when detections arrived in which they were recognised, in order.
    """

    photos: int
    templates: int
    sightings: int
    alerts: tuple[str, ...]
    held: int
    seen_at: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class Erased:
    """What was removed.

    Attributes:
        judgements: whose note, or a reason with the person's name, was emptied.
        holds: that were ended.
    """

    traces: Traces
    judgements: int
    holds: int


def traces_of(store: Store, criminal_id: str) -> Traces:
    """What a store holds of a person."""
    sightings = store.sightings(criminal_id)
    naming = store.alerts_naming(criminal_id)
    arrived = {one.received_at for one in sightings}
    for alert_id in naming:
        with suppress(NotFoundError):  # it was forgotten meanwhile
            arrived.add(store.alert(alert_id).received_at)
    return Traces(
        photos=len(store.photo_ids(criminal_id)),
        templates=len(store.templates(criminal_id)),
        sightings=len(sightings),
        alerts=tuple(naming),
        held=len(held_about(store, criminal_id)),
        seen_at=tuple(sorted(arrived)),
    )


def erase(
    store: Store,
    criminal: Criminal,
    *,
    despite_holds: bool = False,
    pause: Callable[[float], None] = time.sleep,
) -> Erased:
    """Remove someone, and what people wrote about them.

    As `Gallery.remove_criminal`; beyond that, the judgements of alerts that name them lose their
    notes, and the reasons in which their name occurs. A server follows within `follow_seconds`.

    Args:
        despite_holds: end the holds of alerts that name them.
        pause: called with seconds to wait.

    Raises:
        HeldError: such an alert is held; with `despite_holds`, held again and again.
        NotFoundError: someone else removed them meanwhile.
        StoreUnavailableError: what is left is removed when this is called again.
    """
    if not despite_holds:
        refuse_if_held(store, criminal.id, INSTEAD)
    traces = traces_of(store, criminal.id)
    written = store.judgements(traces.alerts)
    if despite_holds:
        ended = _remove_despite_holds(store, criminal.id, pause)
    else:
        ended = 0
        store.remove_criminal(criminal.id, strikes_judgements=True)
    struck = set(written) - set(store.judgements(traces.alerts))
    # Again, because of what was written meanwhile.
    later = store.strike_judgements(traces.alerts, criminal.name)
    return Erased(traces, len(struck) + later, ended)


def _remove_despite_holds(store: Store, criminal_id: str, pause: Callable[[float], None]) -> int:
    """Remove someone; returns how many holds were ended for it."""
    ended = 0
    for _ in range(ATTEMPTS):
        with suppress(HeldError):
            store.remove_criminal(criminal_id, strikes_judgements=True)
            return ended
        released = _end_holds(store, criminal_id)
        ended += released
        if not released:
            # A replica set refuses before the majority of its servers has the hold; only then can
            # it be read here.
            pause(PAUSE)
    raise held_again(criminal_id, ended)


def _end_holds(store: Store, criminal_id: str) -> int:
    ended = 0
    for one in held_about(store, criminal_id):
        with suppress(NotFoundError):  # someone else ended it meanwhile
            store.release_alert(one.alert_id)
            ended += 1
    return ended
