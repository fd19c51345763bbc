"""Everyone who is enrolled, in MongoDB."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime

import numpy as np
from pymongo import errors

from susracker.models import Criminal, PanelPhoto, Photo, Template
from susracker.runtime.clock import to_microseconds
from susracker.stores.base import Changes, Gallery, TemplateRows
from susracker.stores.mongo.database import Database
from susracker.stores.mongo.documents import (
    OWN,
    PRESENT,
    Document,
    based_on,
    edit_fields,
    field_name,
    is_wanted,
    key_among,
    key_is,
    made_of,
    nested,
    new_fields,
    photos_of,
    plain_name,
    template_fields,
    to_criminal,
    to_photo,
    to_templates,
)
from susracker.stores.mongo.lease import Lease
from susracker.stores.mongo.panel import FIELDS, UNTOLD, Panel
from susracker.stores.mongo.photos import Photos
from susracker.stores.mongo.removing import Removals
from susracker.stores.refusals import (
    check_edit,
    edited_meanwhile,
    id_is_taken,
    name_is_taken,
    named_meanwhile,
    no_criminal,
    no_photo,
)

WITHOUT_PICTURES = {f"{OWN}.templates": 0, f"{OWN}.made": 0, "image": 0, "images": 0}
"""What is read of people to know their fields."""

RETRY_SECONDS = 0.02
"""How often a process asks again whether it may store a new name."""


class MongoGallery(Gallery):
    """See `Gallery`."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._panel_lock = threading.Lock()
        self._names = Lease(database.meta, "adding names")
        self._name_lock = threading.Lock()
        self._photos = Photos(database)
        self._removals = Removals(database)
        self._panel = Panel(database, self._photos, self._removals.forget)
        with database.errors_mapped():
            self._removals.finish()
            self._photos.finish_removals()

    # -- criminals ---------------------------------------------------------------------------

    def add_criminal(
        self,
        criminal: Criminal,
        photos: Sequence[Photo] = (),
        templates: Sequence[Template] = (),
        *,
        name_is_new: bool = False,
    ) -> None:
        _refuse_foreign(templates, {photo.id for photo in photos})
        with self._db.errors_mapped(), ExitStack() as stack:
            if name_is_new:
                stack.enter_context(self._storing_a_name(criminal.name, _same_case(criminal)))
            stack.enter_context(self._db.turn)
            with ExitStack() as undo:
                fields = new_fields(criminal) | self._added(criminal.id, photos, templates, undo)
                if name_is_new:
                    self._check_turn(criminal.name)
                try:
                    # This is the moment at which all of it is stored.
                    self._db.criminals.insert_one(nested({"_id": criminal.id} | fields))
                except errors.DuplicateKeyError as error:
                    raise id_is_taken(criminal.id) from error
                undo.pop_all()
            self._db.bump_revision(criminal.id)
            self._panel.expect(criminal.id, fields)

    def edit_criminal(
        self,
        criminal_id: str,
        edit: Mapping[str, object],
        photos: Sequence[Photo] = (),
        templates: Sequence[Template] = (),
        *,
        revision: int | None = None,
        name_is_new: bool = False,
    ) -> None:
        check_edit(edit)
        new_name = str(edit["name"]) if name_is_new and "name" in edit else None
        known = self._find(criminal_id)
        if known is None:
            raise no_criminal(criminal_id)
        _refuse_foreign(templates, {photo.id for photo in photos} | photos_of(known).keys())
        with self._db.errors_mapped(), ExitStack() as stack:
            if new_name is not None:
                others = {"_id": {"$ne": known["_id"]}}
                stack.enter_context(self._storing_a_name(new_name, others))
            stack.enter_context(self._db.turn)
            with ExitStack() as undo:
                fields = edit_fields(edit) | self._added(criminal_id, photos, templates, undo)
                edited = {"_id": known["_id"]} | PRESENT | based_on(revision)
                if new_name is not None:
                    self._check_turn(new_name)
                # This is the moment at which all of it is stored.
                change = {"$set": fields, "$unset": UNTOLD}
                if not self._db.criminals.update_one(edited, change).matched_count:
                    is_there = self._find(criminal_id) is not None
                    raise edited_meanwhile(criminal_id) if is_there else no_criminal(criminal_id)
                undo.pop_all()
            self._db.bump_revision(criminal_id)
            self._panel.expect(known["_id"], known | fields)

    def remove_criminal(
        self,
        criminal_id: str,
        *,
        revision: int | None = None,
        strikes_judgements: bool = False,
    ) -> None:
        with self._db.turn, self._db.errors_mapped():
            self._removals.remove(criminal_id, revision, strikes_judgements=strikes_judgements)

    def criminals(self, criminal_ids: Collection[str] | None = None) -> list[Criminal]:
        found = self._db.read(self._db.criminals, key_among(criminal_ids), WITHOUT_PICTURES)
        return sorted(map(to_criminal, found), key=_order)

    def find_criminals(
        self, query: str = "", after: str | None = None, limit: int | None = None
    ) -> list[Criminal]:
        shown = {"name": 1, f"{OWN}.case_reference": 1}
        # Sorted here: a panel's names may be numbers, which MongoDB would put before all texts.
        everyone = map(to_criminal, self._db.read(self._db.criminals, PRESENT, shown))
        found = sorted((one for one in everyone if _fits(one, query)), key=_order)
        if after is not None:
            last = _order(self.criminal(after))
            found = [one for one in found if _order(one) > last]
        return self.criminals([one.id for one in found[:limit]])

    def criminals_named(self, name: str) -> list[Criminal]:
        found = self._db.read(self._db.criminals, {"name": name} | PRESENT, WITHOUT_PICTURES)
        return sorted(map(to_criminal, found), key=_order)

    def expired(self, before: datetime) -> list[str]:
        past = {f"{OWN}.expires_at": {"$lt": to_microseconds(before)}} | PRESENT
        return sorted(
            str(one["_id"]) for one in self._db.read(self._db.criminals, past, {"_id": 1})
        )

    def revision(self) -> int:
        with self._db.errors_mapped():
            return self._db.revision()

    def changes(self, since: int) -> Changes:
        found = self._db.read(self._db.revisions, {"_id": {"$gt": since}})
        revision = max((int(one["_id"]) for one in found), default=since)
        return Changes(revision, frozenset(one["criminal_id"] for one in found))

    # -- photos and templates ----------------------------------------------------------------

    def photo(self, photo_id: str) -> Photo:
        for document in self._db.read(self._db.photos, {"_id": photo_id}):
            if self._is_owned(document):
                return to_photo(document, self._db.sealer)
        raise no_photo(photo_id)

    def photo_ids_of(self, criminal_ids: Collection[str]) -> dict[str, list[str]]:
        ids: dict[str, list[str]] = {one: [] for one in criminal_ids}
        shown = {f"{OWN}.photos": 1}
        for document in self._db.read(self._db.criminals, key_among(criminal_ids), shown):
            photos = photos_of(document)
            ids[str(document["_id"])] = sorted(photos, key=lambda one: photos[one])
        return ids

    def remove_photo(self, criminal_id: str, photo_id: str, *, revision: int | None = None) -> None:
        with self._db.turn, self._db.errors_mapped():
            self._photos.remove(criminal_id, photo_id, revision)

    def photo_owner(self, digest: str) -> str | None:
        same = {"digest": self._db.sealer.digest(digest)}
        for photo in self._db.read(self._db.photos, same, {"content": 0}):
            if self._is_owned(photo):
                return str(photo["criminal_id"])
        return None

    def template_rows(
        self,
        encoder_id: str,
        criminal_ids: Collection[str] | None = None,
        *,
        wanted_at: datetime | None = None,
    ) -> TemplateRows:
        shown = {f"{OWN}.templates": 1, f"{OWN}.expires_at": 1, "status": 1}
        encoder = field_name(encoder_id)
        owners: list[str] = []
        vectors = bytearray()
        for document in self._db.each(self._db.criminals, key_among(criminal_ids), shown):
            if wanted_at is not None and not is_wanted(document, wanted_at):
                continue
            owner, templates = str(document["_id"]), document.get(OWN, {}).get("templates", {})
            rows = [
                (owner, plain_name(photo), made[encoder]["vector"])
                for photo, made in templates.items()
                if encoder in made
            ]
            owners += [owner] * len(rows)
            vectors += self._db.sealer.open_vectors(encoder_id, rows)
        array = np.frombuffer(vectors, "<f4")
        return TemplateRows(owners, array.reshape(len(owners), -1 if owners else 0))

    def template_counts(
        self, encoder_id: str, criminal_ids: Collection[str] | None = None
    ) -> dict[str, int]:
        encoder = field_name(encoder_id)
        shown = {f"{OWN}.made.{encoder}": 1}
        found = self._db.read(self._db.criminals, key_among(criminal_ids), shown)
        counts = {str(one["_id"]): len(made_of(one).get(encoder, ())) for one in found}
        return {criminal_id: count for criminal_id, count in counts.items() if count}

    def templates(self, criminal_id: str) -> list[Template]:
        shown = {f"{OWN}.templates": 1}
        found = self._db.read(self._db.criminals, key_is(criminal_id), shown)
        made = [one for document in found for one in to_templates(document, self._db.sealer)]
        return sorted(made, key=lambda one: (one.photo_id, one.encoder_id))

    def photos_without_template(self, encoder_id: str) -> list[str]:
        encoder = field_name(encoder_id)
        missing: dict[str, int] = {}
        shown = {f"{OWN}.photos": 1, f"{OWN}.made.{encoder}": 1}
        for document in self._db.each(self._db.criminals, PRESENT, shown):
            made = made_of(document).get(encoder, {})
            photos = photos_of(document)
            missing |= {one: place for one, place in photos.items() if field_name(one) not in made}
        return sorted(missing, key=lambda one: missing[one])

    def add_template(self, template: Template) -> None:
        with self._db.turn, self._db.errors_mapped():
            photo = self._db.photos.find_one({"_id": template.photo_id}, {"content": 0})
            owner = str(photo["criminal_id"]) if photo else ""
            self._db.guard.check()
            fields = template_fields(template, owner, self._db.sealer)
            fields[f"{OWN}.revision"] = self._db.next_revision()
            theirs = key_is(owner) | {f"{OWN}.photos.{field_name(template.photo_id)}": {"$gt": 0}}
            known = self._find(owner)
            change = {"$set": fields, "$unset": UNTOLD}
            if not known or not self._db.criminals.update_one(theirs, change).matched_count:
                raise no_photo(template.photo_id)
            self._db.bump_revision(owner)
            self._panel.expect(known["_id"], known | fields)

    # -- what a panel writes -----------------------------------------------------------------

    def panel_photos(self) -> list[PanelPhoto]:
        # Without the writers' turn: alerts do not wait until a large collection is read.
        with self._panel_lock, self._db.errors_mapped():
            return self._panel.poll()

    def adopt_photo(self, found: PanelPhoto, photo: Photo, template: Template) -> None:
        with self._db.turn, self._db.errors_mapped(), ExitStack() as undo:
            fields = self._added(found.criminal_id, [photo], [template], undo)
            known = self._find(found.criminal_id)
            if not known or not self._panel.adopt(found, photo.id, fields):
                raise no_criminal(found.criminal_id)
            undo.pop_all()
            self._db.bump_revision(found.criminal_id)
            self._panel.expect(known["_id"], known | fields)

    def refuse_photo(self, found: PanelPhoto) -> None:
        with self._db.turn, self._db.errors_mapped():
            self._panel.refuse(found)

    # -- parts of a write --------------------------------------------------------------------

    @contextmanager
    def _storing_a_name(self, name: str, where: Document) -> Iterator[None]:
        """Refuse a name that is there; meanwhile nobody else stores one that must be new.

        Args:
            where: what people are like, beside the name, who may not be there.
        """
        with self._name_lock:
            while not self._names.take():
                time.sleep(RETRY_SECONDS)
            try:
                if self._db.criminals.find_one({"name": name} | PRESENT | where, {"_id": 1}):
                    raise name_is_taken(name)
                yield
            finally:
                self._names.give_back()

    def _check_turn(self, name: str) -> None:
        """Refuse to store a name if it took so long that the turn is another's."""
        if not self._names.take():
            raise named_meanwhile(name)

    def _added(
        self,
        criminal_id: str,
        photos: Sequence[Photo],
        templates: Sequence[Template],
        undo: ExitStack,
    ) -> Document:
        """Store photos; what is to be set of their owner then, with a new revision."""
        self._db.guard.check()
        numbers = self._photos.keep(criminal_id, photos, undo)
        fields: Document = {f"{OWN}.revision": self._db.next_revision()}
        fields |= {f"{OWN}.photos.{field_name(one)}": number for one, number in numbers.items()}
        for template in templates:
            fields |= template_fields(template, criminal_id, self._db.sealer)
        return fields

    def _is_owned(self, photo: Document) -> bool:
        """Whether someone has a photo: it may be about to be stored, or removed."""
        return photo["_id"] in photos_of(self._find(photo["criminal_id"]))

    def _find(self, criminal_id: str) -> Document | None:
        shown = dict.fromkeys((*FIELDS, f"{OWN}.photos"), 1)
        found = self._db.read(self._db.criminals, key_is(criminal_id), shown)
        return found[0] if found else None


def _same_case(criminal: Criminal) -> Document:
    """What people are like who may not have the name of a new person."""
    case = criminal.case_reference
    return {} if case is None else {f"{OWN}.case_reference": case}


def _order(criminal: Criminal) -> tuple[str, str]:
    return criminal.name.casefold(), criminal.id


def _fits(criminal: Criminal, query: str) -> bool:
    text = query.casefold()
    return (
        text in criminal.name.casefold()
        or text in (criminal.case_reference or "").casefold()
        or criminal.id.startswith(query)
    )


def _refuse_foreign(templates: Sequence[Template], photo_ids: Collection[str]) -> None:
    for template in templates:
        if template.photo_id not in photo_ids:
            raise no_photo(template.photo_id)
