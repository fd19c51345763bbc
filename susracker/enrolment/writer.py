"""Stores people with their prepared photos, after looking for them in the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from susracker.enrolment.enroller import Enroller, PreparedPhoto
from susracker.enrolment.fields import criminal_from_fields, edit_from_fields
from susracker.enrolment.report import EnrolledPerson, Refused, Report, refused
from susracker.enrolment.sources import Person
from susracker.errors import ConflictError, DuplicateError, InputError, NotFoundError
from susracker.models import Criminal

ATTEMPTS = 5
"""How often to try a write while other processes store the same photos."""


@dataclass(frozen=True, slots=True)
class StoredPhoto:
    """A photo that is in the store already, and was not decoded again.

    Attributes:
        owner: id of the criminal whose photo it is.
    """

    owner: str


Result = tuple[str, PreparedPhoto | StoredPhoto]
"""A photo's path, and what came of it."""


@dataclass(slots=True)
class Sorted:
    """A person's photos, sorted by what to do with them.

    Attributes:
        fresh: photos to store, by digest.
        already_there: how many photos the store already has for this person.
        refused: photos that are enrolled as someone else.
    """

    fresh: dict[str, PreparedPhoto] = field(default_factory=dict)
    already_there: int = 0
    refused: list[Refused] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Written:
    """What one write changed.

    Attributes:
        fields: names of those that were changed; of someone new, none.
        photos: those that were added.
    """

    criminal: Criminal
    is_new: bool
    fields: tuple[str, ...]
    photos: tuple[PreparedPhoto, ...]


class Writer:
    """Stores people with their photos, and adds what it did to `report`. For use by one thread.

    Args:
        on_write: called after each write.
        allow_unlike: store photos even if they show another face than the person's others.
    """

    def __init__(
        self,
        enroller: Enroller,
        report: Report,
        on_write: Callable[[Written], None],
        *,
        allow_unlike: bool = False,
    ) -> None:
        self._allow_unlike = allow_unlike
        self._on_write = on_write
        self._enroller = enroller
        self._store = enroller.store
        self._report = report
        self._ids: dict[Person, str] = {}

    def write(self, person: Person, results: Sequence[Result]) -> None:
        """Store a person's photos that are not stored yet, in one write.

        If `person.criminal_id` is None, the person is the enrolled one with the same name and, if
        one is given, the same case reference. Two runs at once add nobody twice.

        Raises:
            StoreError: the store failed.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._try_to_write(person, results)
            except (ConflictError, DuplicateError):
                # Another process added the person, or one of the photos: look again.
                if attempt == ATTEMPTS:
                    raise
            except NotFoundError as error:
                return self._refuse(results, "person removed", str(error))

    def _try_to_write(self, person: Person, results: Sequence[Result]) -> None:
        # Look for owners before the person: someone added in between is then found, or a duplicate.
        owners = [self._owner(result) for _, result in results]
        try:
            base = self._who_is(person)
        except InputError as error:
            return self._refuse(results, "several people of that name", str(error))
        criminal = base or criminal_from_fields(person.fields)
        edit = _changed(base, person.fields) if base else {}
        photos = self._sort(criminal.id, results, owners)
        if not self._allow_unlike:
            self._refuse_unlike(criminal, photos, results)
        if base and (photos.fresh or edit):
            self._enroller.edit(base.id, edit, list(photos.fresh.values()))
        elif photos.fresh:
            self._enroller.add(criminal, list(photos.fresh.values()), name_is_new=True)
        if photos.fresh or edit:
            fields = tuple(sorted(edit))
            added = tuple(photos.fresh.values())
            self._on_write(Written(criminal, base is None, fields, added))
        self._report.refused += photos.refused
        self._tell(person, criminal, photos, is_new=base is None, is_edited=bool(edit))

    def _tell(
        self, person: Person, criminal: Criminal, photos: Sorted, *, is_new: bool, is_edited: bool
    ) -> None:
        """Add what was done to the report."""
        if photos.fresh or photos.already_there or is_edited:
            self._ids[person] = criminal.id
            entry = self._report.people.setdefault(
                criminal.id, EnrolledPerson(criminal.id, criminal.name, is_new=is_new)
            )
            entry.photos += len(photos.fresh)
            entry.already_there += photos.already_there
            entry.is_edited |= is_edited

    def _refuse(self, results: Sequence[Result], reason: str, detail: str) -> None:
        self._report.refused += [Refused(path, reason, detail) for path, _ in results]

    def _who_is(self, person: Person) -> Criminal | None:
        """Find the person in the store; None for someone new.

        Raises:
            InputError: it may be one of several.
        """
        known = person.criminal_id or self._ids.get(person)
        if known:
            return self._store.criminal(known)
        wanted = criminal_from_fields(person.fields)
        named = self._store.criminals_named(wanted.name)
        if wanted.case_reference:
            named = [one for one in named if one.case_reference == wanted.case_reference]
        if len(named) > 1:
            ids = ", ".join(one.id for one in named)
            raise InputError(f"{wanted.name} may be any of {ids}: give --id or the case reference")
        return named[0] if named else None

    def _owner(self, result: PreparedPhoto | StoredPhoto) -> str | None:
        if isinstance(result, StoredPhoto):
            return result.owner
        return self._store.photo_owner(result.digest)

    def _sort(
        self, criminal_id: str, results: Sequence[Result], owners: Sequence[str | None]
    ) -> Sorted:
        photos = Sorted()
        for (path, result), owner in zip(results, owners, strict=True):
            if owner is not None and owner != criminal_id:
                photos.refused.append(self._owned(path, owner))
            elif owner or isinstance(result, StoredPhoto) or result.digest in photos.fresh:
                photos.already_there += 1
            else:
                photos.fresh[result.digest] = result
        return photos

    def _refuse_unlike(self, criminal: Criminal, photos: Sorted, results: Sequence[Result]) -> None:
        """Move photos of someone else from `fresh` to `refused`."""
        paths = {one.digest: path for path, one in results if isinstance(one, PreparedPhoto)}
        fresh = list(photos.fresh.values())
        for place, refusal in self._enroller.unlike(criminal.id, fresh).items():
            digest = fresh[place].digest
            del photos.fresh[digest]
            photos.refused.append(refused(paths[digest], refusal, criminal.name))

    def _owned(self, path: str, owner: str) -> Refused:
        names = [one.name for one in self._store.criminals([owner])]
        detail = f"the same file is a photo of {names[0] if names else 'someone'} ({owner})"
        return Refused(path, "enrolled as someone else", detail)


def _changed(base: Criminal, fields: Mapping[str, object]) -> dict[str, Any]:
    """Return the values in `fields` that differ from the person's own; empty if none do."""
    edit = edit_from_fields(fields)
    return {name: value for name, value in edit.items() if getattr(base, name) != value}
