"""People by their names, with their photos, for programs that know them by nothing else.

CompreFace calls a person a subject, and a photo an example.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from susracker.enrolment.enroller import PreparedPhoto
from susracker.enrolment.fields import criminal_from_fields, edit_from_fields
from susracker.errors import ConflictError, DuplicateError, InputError, NotFoundError
from susracker.models import Criminal
from susracker.retention.holds import refuse_if_shown
from susracker.server.criminals import follow_store
from susracker.server.service import Service
from susracker.stores.base import Store
from susracker.tracking.tracker import Tracker

Changed = Callable[[str], None]
"""Called with the id of whom was just changed."""


def person_named(store: Store, subject: str) -> Criminal:
    """The one person of a name.

    Raises:
        NotFoundError: there is none.
        ConflictError: there are several.
    """
    name = edit_from_fields({"name": subject})["name"]
    found = store.criminals_named(name)
    if not found:
        raise NotFoundError(f"nobody is enrolled under the name {name!r}")
    if len(found) > 1:
        raise ConflictError(
            f"{len(found)} people have the name {name!r}: /api/criminals tells them apart"
        )
    return found[0]


def add(parts: Service, person: Criminal, photos: list[PreparedPhoto], changed: Changed) -> None:
    """Enrol someone whose name nobody has yet.

    Raises:
        ConflictError: someone has it.
    """
    parts.enroller.add(person, photos, name_is_new=True)
    changed(person.id)
    follow_store(parts.tracker)


def rename(tracker: Tracker, subject: str, edit: dict[str, Any], changed: Changed) -> None:
    """Give a person another name, which nobody else has.

    Raises:
        ConflictError: someone has it.
    """
    person = person_named(tracker.store, subject)
    tracker.store.edit_criminal(person.id, edit, name_is_new=True)
    changed(person.id)
    follow_store(tracker)


def remove(tracker: Tracker, subject: str, changed: Changed) -> None:
    """Forget a person.

    Raises:
        HeldError: a held alert names them.
    """
    person = person_named(tracker.store, subject)
    tracker.store.remove_criminal(person.id)
    changed(person.id)
    follow_store(tracker)


def add_photo(
    parts: Service, subject: str, content: bytes, changed: Changed
) -> tuple[dict[str, str], bool]:
    """Store a photo of a person, who is enrolled with it if nobody has the name.

    Returns:
        the photo's id and the person's name, and whether the person is new.

    Raises:
        InputError: the photo cannot be enrolled.
        DuplicateError: it is enrolled already.
    """
    fresh = criminal_from_fields({"name": subject})
    prepared = parts.enroller.prepare(content)
    store = parts.tracker.store
    if (owner := store.photo_owner(prepared.digest)) is not None:
        raise DuplicateError(f"the photo is enrolled already, as one of {owner!r}")
    if is_new := not store.criminals_named(fresh.name):
        try:
            add(parts, fresh, [prepared], changed)
        except ConflictError:  # two photos of one new name came at once
            is_new = False
    person = fresh if is_new else person_named(store, fresh.name)
    if not is_new:
        _add_to(parts, person, prepared, changed)
    for photo_id in reversed(store.photo_ids(person.id)):
        if store.photo(photo_id).digest == prepared.digest:
            return {"image_id": photo_id, "subject": person.name}, is_new
    raise NotFoundError("the photo was removed again at the same moment")


def _add_to(parts: Service, person: Criminal, prepared: PreparedPhoto, changed: Changed) -> None:
    for refused in parts.enroller.unlike(person.id, [prepared]).values():
        raise InputError(f"{refused}; PUT /api/criminals/<id> with allow_unlike enrols it")
    parts.enroller.edit(person.id, {}, [prepared])
    changed(person.id)
    follow_store(parts.tracker)


def examples(store: Store, subject: str | None) -> list[tuple[str, dict[str, str]]]:
    """All photos by name, each with the id of whom it shows."""
    people = store.criminals() if subject is None else [person_named(store, subject)]
    photos = store.photo_ids_of([one.id for one in people])
    return [
        (one.id, {"image_id": photo_id, "subject": one.name})
        for one in people
        for photo_id in photos[one.id]
    ]


def remove_photos(tracker: Tracker, subject: str, changed: Changed) -> int:
    """Forget all photos of a person. Returns how many were forgotten: others may do the same."""
    person = person_named(tracker.store, subject)
    photos = tracker.store.photo_ids(person.id)
    for photo_id in photos:
        refuse_if_shown(tracker.store, photo_id)
    removed = 0
    try:
        for photo_id in photos:
            with suppress(NotFoundError):  # someone else was faster
                tracker.store.remove_photo(person.id, photo_id)
                changed(person.id)
                removed += 1
    finally:  # those that are gone match nobody any more, even if another could not be removed
        follow_store(tracker)
    return removed


def remove_photo(tracker: Tracker, image_id: str, changed: Changed) -> dict[str, str]:
    """Forget a photo. Returns its id and the name of whom it showed."""
    photo = tracker.store.photo(image_id)
    person = tracker.store.criminal(photo.criminal_id)
    tracker.store.remove_photo(person.id, image_id)
    changed(person.id)
    follow_store(tracker)
    return {"image_id": image_id, "subject": person.name}
