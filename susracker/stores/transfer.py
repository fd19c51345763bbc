"""A whole store to another, and whether both hold the same."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace

import numpy as np

from susracker.errors import InputError, NotFoundError
from susracker.models import Alert, Criminal, Template
from susracker.stores.base import Store

PAGE = 100

OnStep = Callable[[str, int, int], None]
"""Called with a step's name, how much of it is done, and how much it is."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a store holds, to compare it with another.

    Attributes:
        digest: SHA-256 of all of it, in an order that does not depend on the store.
    """

    criminals: int
    photos: int
    templates: int
    sightings: int
    alerts: int
    cameras: int
    digest: str


def copy_store(source: Store, target: Store, on_step: OnStep) -> Contents:
    """Copy everything but the ids of handled events, and check that it arrived.

    What is there already is left out, so a copy that was cut short is gone on with.

    Returns:
        what both hold.

    Raises:
        InputError: the target holds something else, or the source changed meanwhile.
    """
    _refuse_others(source, target)
    _copy_criminals(source, target, on_step)
    _copy_alerts(source, target, on_step)
    _copy_cameras(source, target)
    held = contents(source, on_step)
    if contents(target, on_step) != held:
        raise InputError(
            "the copy differs from the original: something was written meanwhile; stop what "
            "writes to both, and copy again"
        )
    return held


def contents(store: Store, on_step: OnStep) -> Contents:
    """Read a whole store, and sum it up."""
    digest = hashlib.sha256()
    counts: Counter[str] = Counter()

    def add(kind: str, record: object) -> None:
        counts[kind] += 1
        digest.update(json.dumps([kind, record], default=str).encode())

    criminals = _by_id(store)
    for number, criminal in enumerate(criminals, 1):
        add("criminals", asdict(criminal))
        for photo_id in store.photo_ids(criminal.id):
            photo = store.photo(photo_id)
            add("photos", [photo.id, photo.media_type, hashlib.sha256(photo.content).hexdigest()])
        for template in store.templates(criminal.id):
            add("templates", _template_fields(template))
        for sighting in store.sightings(criminal.id):
            add("sightings", asdict(sighting))
        on_step("checking", number, len(criminals))
    for alert in _alerts(store, 0):
        add("alerts", asdict(alert))
    for camera in store.cameras():
        add("cameras", asdict(camera))
    return Contents(
        criminals=counts["criminals"],
        photos=counts["photos"],
        templates=counts["templates"],
        sightings=counts["sightings"],
        alerts=counts["alerts"],
        cameras=counts["cameras"],
        digest=digest.hexdigest(),
    )


def _refuse_others(source: Store, target: Store) -> None:
    """What is in the target must be what an earlier copy left there."""
    for criminal in target.criminals():
        try:
            there = source.criminal(criminal.id)
        except NotFoundError:
            there = None
        if there != criminal:
            raise InputError(
                f"the target holds {criminal.name!r} ({criminal.id}), whom the original does not "
                "hold like that: name an empty store"
            )
    ours = source.alerts(limit=PAGE)
    if any(one not in ours for one in target.alerts(limit=len(ours))):
        raise InputError("the target holds alerts of its own: name an empty store")


def _copy_criminals(source: Store, target: Store, on_step: OnStep) -> None:
    criminals = _by_id(source)
    for number, criminal in enumerate(criminals, 1):
        known = set(target.photo_ids(criminal.id))
        ids = [one for one in source.photo_ids(criminal.id) if one not in known]
        made = [one for one in source.templates(criminal.id) if one.photo_id in ids]
        target.put_criminal(criminal, [source.photo(one) for one in ids], made)
        _copy_sightings(source, target, criminal)
        on_step("criminals", number, len(criminals))


def _copy_sightings(source: Store, target: Store, criminal: Criminal) -> None:
    known = {one.id for one in target.sightings(criminal.id)}
    missing = [one for one in source.sightings(criminal.id) if one.id not in known]
    for start in range(0, len(missing), PAGE):
        target.record(missing[start : start + PAGE], [])


def _copy_alerts(source: Store, target: Store, on_step: OnStep) -> None:
    last = source.last_seq()
    for alert in _alerts(source, target.last_seq()):
        target.put_alert(alert)
        on_step("alerts", alert.seq, last)


def _copy_cameras(source: Store, target: Store) -> None:
    there = {camera.id: camera for camera in target.cameras()}
    for camera in source.cameras():
        known = there.get(camera.id)
        target.count_cameras(
            [
                replace(
                    camera,
                    detections=camera.detections - (known.detections if known else 0),
                    alerts=camera.alerts - (known.alerts if known else 0),
                )
            ]
        )


def _by_id(store: Store) -> list[Criminal]:
    return sorted(store.criminals(), key=lambda one: one.id)


def _alerts(store: Store, after: int) -> Iterator[Alert]:
    while page := store.alerts(after=after, limit=PAGE):
        yield from page
        after = page[-1].seq


def _template_fields(template: Template) -> list[object]:
    vector = np.ascontiguousarray(template.vector, "<f4").tobytes().hex()
    return [template.photo_id, template.encoder_id, vector, asdict(template.quality)]
