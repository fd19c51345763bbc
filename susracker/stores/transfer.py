"""A whole store to another, and whether both hold the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, replace

from susracker.errors import InputError, NotFoundError
from susracker.models import Alert, Photo
from susracker.stores.base import Journal, Store
from susracker.stores.rotation import OnStep
from susracker.stores.tally import PAGE, Contents, Person, Tally
from susracker.stores.transfer_access import (
    add_access,
    copy_access,
    refuse_other_access,
)
from susracker.stores.transfer_judgements import (
    add_judgements,
    copy_judgements,
    refuse_other_judgements,
)
from susracker.stores.transfer_outbox import add_outbox, copy_outbox


def copy_store(source: Store, target: Store, on_step: OnStep) -> Contents:
    """Copy everything but the ids of handled events and the secrets, and check that it arrived.

    Whoever has a copy could open sessions with the secret that signs them, so the target makes its
    own, and people sign in again.

    What is in the target already is left out, so an interrupted copy resumes. Others may write to
    the source meanwhile: of a store that has snapshots the copy is one of a single moment.

    Returns:
        what was read, and the target holds.

    Raises:
        InputError: the target holds something else, or what arrived there is not what was read.
    """
    with source.snapshot() as original:
        _refuse_others(original, target)
        tally = Tally()
        _copy_criminals(original, target, tally, on_step)
        _copy_alerts(original, target, tally, on_step)
        _copy_cameras(original, target, tally)
        _copy_site(original, target, tally)
        copy_judgements(original, target, tally)
        copy_access(original, target, tally, on_step)
        copy_outbox(original, target, tally)
    read = tally.contents()
    if contents(target, on_step) != read:
        raise InputError(
            "the copy differs from the original: something else was written to it; stop what "
            "writes to it, and copy again"
        )
    return read


def contents(store: Store, on_step: OnStep) -> Contents:
    """Read a whole store, and sum it up."""
    tally = Tally()
    for person in _people(store, "checking", on_step):
        tally.add_person(person)
    for alert in _alerts(store, 0):
        tally.add("alerts", asdict(alert))
    for camera in store.cameras():
        tally.add("cameras", asdict(camera))
    _add_site(store, tally)
    add_judgements(store, tally)
    add_access(store, tally)
    add_outbox(store, tally)
    return tally.contents()


def _refuse_others(source: Store, target: Store) -> None:
    """What is in the target must be what an earlier copy left there."""
    for criminal in target.criminals():
        try:
            there = source.criminal(criminal.id)
        except NotFoundError:
            there = None
        if there != criminal:
            raise InputError(
                f"the target holds {criminal.name!r} ({criminal.id}), and the original does not "
                "hold the same person: name an empty store"
            )
    refuse_other_access(source, target)
    refuse_other_judgements(source, target)
    ours = source.alerts(limit=PAGE)
    if any(one not in ours for one in target.alerts(limit=len(ours))):
        raise InputError("the target holds alerts of its own: name an empty store")


def _copy_criminals(source: Store, target: Store, tally: Tally, on_step: OnStep) -> None:
    for person in _people(source, "criminals", on_step):
        known = set(target.photo_ids(person.criminal.id))
        photos = [one for one in person.photos if one.id not in known]
        made = [one for one in person.templates if one.photo_id not in known]
        target.put_criminal(person.criminal, photos, made)
        _copy_sightings(person, target)
        tally.add_person(person)


def _copy_sightings(person: Person, target: Journal) -> None:
    known = {one.id for one in target.sightings(person.criminal.id)}
    missing = [one for one in person.sightings if one.id not in known]
    for start in range(0, len(missing), PAGE):
        # Where they were last seen came with the people.
        target.record(missing[start : start + PAGE], [], moves_last_seen=False)


def _copy_alerts(source: Journal, target: Journal, tally: Tally, on_step: OnStep) -> None:
    last, known = source.last_seq(), target.last_seq()
    for alert in _alerts(source, 0):
        if alert.seq > known:
            target.put_alert(alert)
        tally.add("alerts", asdict(alert))
        on_step("alerts", alert.seq, last)


def _copy_cameras(source: Journal, target: Journal, tally: Tally) -> None:
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
        tally.add("cameras", asdict(camera))


def _copy_site(source: Store, target: Store, tally: Tally) -> None:
    plan = source.plan()
    if plan:
        target.put_plan(plan)
    for place in source.places():
        target.put_place(place)
    _add_site(source, tally)


def _add_site(store: Store, tally: Tally) -> None:
    plan = store.plan()
    if plan:
        tally.add("plans", [plan.digest, plan.media_type])
    for place in store.places():
        tally.add("places", asdict(place))


def _people(store: Store, step: str, on_step: OnStep) -> Iterator[Person]:
    """Everyone, by id; people who are removed meanwhile are left out."""
    ids = sorted(criminal.id for criminal in store.criminals())
    for number, criminal_id in enumerate(ids, 1):
        with suppress(NotFoundError):
            yield _person(store, criminal_id)
        on_step(step, number, len(ids))


def _person(store: Store, criminal_id: str) -> Person:
    photos = list(_photos(store, criminal_id))
    read = {one.id for one in photos}
    templates = [one for one in store.templates(criminal_id) if one.photo_id in read]
    sightings = store.sightings(criminal_id)
    # Last: someone who is removed meanwhile is not copied without photos.
    return Person(store.criminal(criminal_id), photos, templates, sightings)


def _photos(store: Store, criminal_id: str) -> Iterator[Photo]:
    """A person's photos; those that are removed meanwhile are left out."""
    for photo_id in store.photo_ids(criminal_id):
        with suppress(NotFoundError):
            yield store.photo(photo_id)


def _alerts(store: Journal, after: int) -> Iterator[Alert]:
    while page := store.alerts(after=after, limit=PAGE):
        yield from page
        after = page[-1].seq
