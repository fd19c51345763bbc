"""What was said about alerts, which of them are held, and counts by day: to another store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, replace

from susracker.errors import InputError, NotFoundError
from susracker.oversight import Judgement
from susracker.stores.journal import Journal
from susracker.stores.tally import PAGE, Tally


def refuse_other_judgements(source: Journal, target: Journal) -> None:
    """Judgements in the target must be those that an earlier copy left there.

    Raises:
        InputError: they are others.
    """
    newest = target.last_judgement_seq()
    there = target.judgements_after(newest - 1) if newest else []
    if there and source.judgements_after(newest - 1, len(there)) != there:
        raise InputError("the target holds judgements of its own: name an empty store")


def copy_judgements(source: Journal, target: Journal, tally: Tally) -> None:
    """Copy judgements, holds and the counts of each day; the alerts are there already."""
    known = target.last_judgement_seq()
    for judgement in _judgements(source):
        if judgement.seq > known:
            target.put_judgement(judgement)
        tally.add("judgements", asdict(judgement))
    for hold in source.holds():
        with suppress(NotFoundError):  # the alert was stored after the others had been read
            target.hold_alert(hold)
            tally.add("holds", asdict(hold))
    _copy_days(source, target, tally)


def add_judgements(store: Journal, tally: Tally) -> None:
    """Sum up judgements, holds and the counts of each day."""
    for judgement in _judgements(store):
        tally.add("judgements", asdict(judgement))
    for hold in store.holds():
        tally.add("holds", asdict(hold))
    for day in store.camera_days():
        tally.add("days", asdict(day))


def _copy_days(source: Journal, target: Journal, tally: Tally) -> None:
    there = {(day.camera_id, day.day): day for day in target.camera_days()}
    missing = []
    for day in source.camera_days():
        tally.add("days", asdict(day))
        known = there.get((day.camera_id, day.day))
        if known is None:
            missing.append(day)
        elif known != day:
            counts = ("detections", "searches", "alerts")
            more = {name: getattr(day, name) - getattr(known, name) for name in counts}
            missing.append(replace(day, **more))
    for start in range(0, len(missing), PAGE):
        target.count_cameras([], missing[start : start + PAGE])


def _judgements(store: Journal) -> Iterator[Judgement]:
    after = 0
    while page := store.judgements_after(after, PAGE):
        yield from page
        after = page[-1].seq
