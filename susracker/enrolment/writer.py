"""Prepared photos to the store: who a person is there, and what is there already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from susracker.enrolment.enroller import Enroller, PreparedPhoto
from susracker.enrolment.fields import criminal_from_fields
from susracker.enrolment.report import EnrolledPerson, Refused, Report
from susracker.enrolment.sources import Person
from susracker.errors import DuplicateError, InputError
from susracker.models import Criminal


@dataclass(frozen=True, slots=True)
class StoredPhoto:
    """A photo that was found in the store, and so was not decoded.

    Attributes:
        owner: id of the criminal whose photo it is.
    """

    owner: str


Result = tuple[str, PreparedPhoto | StoredPhoto]
"""A photo's path and what was made of it."""


class Writer:
    """Stores people with their photos, and keeps `report`. For one thread."""

    def __init__(self, enroller: Enroller, report: Report) -> None:
        self._enroller = enroller
        self._store = enroller.store
        self._report = report
        self._ids: dict[Person, str] = {}

    def write(self, person: Person, results: Sequence[Result]) -> None:
        """Store a person's photos that are not stored yet, in one write.

        A person is who has the same name, and the same case reference where one is given; or
        whom `person.criminal_id` says.
        """
        try:
            base = self._who_is(person)
        except InputError as error:
            reason = "several people of that name"
            self._report.refused += [Refused(path, reason, str(error)) for path, _ in results]
            return
        criminal = criminal_from_fields(person.fields, base)
        entry = self._report.people.get(criminal.id) or EnrolledPerson(
            criminal.id, criminal.name, is_new=base is None
        )
        is_edited = base is not None and base != criminal
        fresh = self._not_stored(entry, results)
        if fresh or is_edited:
            entry.photos += self._enroll(criminal, entry, fresh)
            entry.is_edited = entry.is_edited or is_edited
        if entry.photos or entry.already_there or entry.is_edited:
            self._report.people[criminal.id] = entry
            self._ids[person] = criminal.id

    def _who_is(self, person: Person) -> Criminal | None:
        """The person in the store, or None for someone new.

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
            raise InputError(f"{wanted.name} may be any of {ids}: say --id, or the case reference")
        return named[0] if named else None

    def _not_stored(
        self, entry: EnrolledPerson, results: Sequence[Result]
    ) -> dict[str, tuple[str, PreparedPhoto]]:
        """Path and photo by digest, of those that are not stored; the others are reported."""
        fresh: dict[str, tuple[str, PreparedPhoto]] = {}
        for path, result in results:
            if isinstance(result, StoredPhoto):
                self._report_stored(entry, path, result.owner)
            elif result.digest in fresh:
                entry.already_there += 1
            elif owner := self._store.photo_owner(result.digest):
                self._report_stored(entry, path, owner)
            else:
                fresh[result.digest] = (path, result)
        return fresh

    def _report_stored(self, entry: EnrolledPerson, path: str, owner: str) -> None:
        if owner == entry.id:
            entry.already_there += 1
            return
        names = [one.name for one in self._store.criminals([owner])]
        detail = f"the same file is a photo of {names[0] if names else 'someone'} ({owner})"
        self._report.refused.append(Refused(path, "enrolled as someone else", detail))

    def _enroll(
        self,
        criminal: Criminal,
        entry: EnrolledPerson,
        fresh: dict[str, tuple[str, PreparedPhoto]],
    ) -> int:
        """Store photos, and say how many: another process may be storing some of them, too."""
        while True:
            try:
                self._enroller.enroll(criminal, [photo for _, photo in fresh.values()])
                return len(fresh)
            except DuplicateError:
                rest = self._not_stored(entry, list(fresh.values()))
                if len(rest) == len(fresh):
                    raise
                fresh = rest
