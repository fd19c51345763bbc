"""Stores the photos of people, and removes them, whatever others do at the same time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from pymongo import errors

from susracker.models import Photo
from susracker.stores.mongo.database import Database
from susracker.stores.mongo.documents import (
    OWN,
    PRESENT,
    Document,
    field_name,
    key_is,
    made_of,
    photo_document,
    photos_of,
    plain_name,
)
from susracker.stores.mongo.holds import TIMES_HELD, refuse_if_shown, times_held
from susracker.stores.refusals import edited_meanwhile, no_criminal, no_photo_of, photo_is_taken

ORPHAN_SECONDS = 60
"""A photo without an owner is what a crash left once it is this old; until then its owner may be
about to be stored."""

LEAVING = f"{OWN}.leaving"
"""Photos that are nobody's any more, and whose content is about to be removed."""

REVISION = f"{OWN}.revision"


class Photos:
    """The photos of a database. Their owners list them: a photo that no one lists is not there."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def keep(self, criminal_id: str, photos: Sequence[Photo], undo: ExitStack) -> dict[str, int]:
        """Store photos that nobody has yet, before their owner lists them.

        Returns:
            their places in the order of enrolment, by id.

        Raises:
            DuplicateError: someone has one of them.
        """
        kept = {}
        for photo in photos:
            number = self._db.next_number("photo")
            document = photo_document(photo, criminal_id, number, self._db.sealer)
            document["stored_at"] = time.time()
            try:
                self._db.photos.insert_one(document)
            except errors.DuplicateKeyError:
                self._make_way(photo)
                self._insert(photo, document)
            undo.callback(self._give_up, photo.id, criminal_id)
            kept[photo.id] = number
        return kept

    def remove(self, criminal_id: str, photo_id: str, revision: int | None) -> None:
        """See `Gallery.remove_photo`."""
        try:
            while not self._leave(criminal_id, photo_id, revision):
                pass
        finally:
            # Also if it is gone: it may be its removal that failed half-way before.
            self.finish_removals()

    def finish_removals(self) -> None:
        """Remove the content of photos that have left their owners, also where that was
        interrupted."""
        for document in self._db.criminals.find({LEAVING: {"$exists": True}}, {"_id": 1}):
            self.finish(document["_id"])

    def finish(self, key: Any) -> None:
        """The same for the photos of one owner, who has changed: say so first, as long as whoever
        starts would do it."""
        self._db.bump_revision(str(key))
        while not self._finish(key):
            pass

    def _leave(self, criminal_id: str, photo_id: str, revision: int | None) -> bool:
        """Take a photo from its owner; false if the owner was changed or an alert was held
        meanwhile."""
        shown = {f"{OWN}.photos": 1, f"{OWN}.made": 1, REVISION: 1, TIMES_HELD: 1}
        found = self._db.criminals.find_one(key_is(criminal_id), shown)
        if found is None:
            raise no_criminal(criminal_id)
        known = found.get(OWN, {}).get("revision")
        if revision is not None and revision != (known or 0):
            raise edited_meanwhile(criminal_id)
        if photo_id not in photos_of(found):
            raise no_photo_of(criminal_id, photo_id)
        refuse_if_shown(self._db, photo_id)
        name = field_name(photo_id)
        places = ["photos", "templates", *(f"made.{encoder}" for encoder in made_of(found))]
        unchanged = {"_id": found["_id"], REVISION: known, TIMES_HELD: times_held(found)} | PRESENT
        change: Document = {
            "$set": {REVISION: self._db.next_revision(), f"{LEAVING}.{name}": 1},
            "$unset": {f"{OWN}.{place}.{name}": "" for place in places},
        }
        # This is the moment at which it is removed.
        return bool(self._db.criminals.update_one(unchanged, change).matched_count)

    def _finish(self, key: Any) -> bool:
        """Remove what has left one owner; false if the owner was changed meanwhile."""
        found = self._db.criminals.find_one({"_id": key}, {LEAVING: 1, REVISION: 1})
        if found is None:
            return True
        own = found.get(OWN, {})
        leaving = [plain_name(name) for name in own.get("leaving", {})]
        if not leaving:
            return True
        self._db.photos.delete_many({"_id": {"$in": leaving}})
        unchanged = {"_id": key, REVISION: own.get("revision")}
        done = self._db.criminals.update_one(unchanged, {"$unset": {LEAVING: ""}})
        return bool(done.matched_count)

    def _insert(self, photo: Photo, document: Document) -> None:
        try:
            self._db.photos.insert_one(document)
        except errors.DuplicateKeyError as error:
            raise photo_is_taken(photo.digest) from error

    def _make_way(self, photo: Photo) -> None:
        """Remove what a crash left of a photo.

        Raises:
            DuplicateError: the photo has an owner, or is about to have one.
        """
        same = {"digest": self._db.sealer.digest(photo.digest)}
        found = self._db.photos.find_one(same, {"content": 0})
        if found is None:
            return
        owned = self._is_owned(found["_id"], found["criminal_id"])
        if owned or time.time() - found["stored_at"] < ORPHAN_SECONDS:
            raise photo_is_taken(photo.digest)
        self._db.photos.delete_one({"_id": found["_id"]})

    def _give_up(self, photo_id: str, criminal_id: str) -> None:
        """Remove a photo whose owner could not be stored. If only the answer to that was lost, the
        owner lists it, and it stays."""
        if not self._is_owned(photo_id, criminal_id):
            self._db.photos.delete_one({"_id": photo_id})

    def _is_owned(self, photo_id: str, criminal_id: str) -> bool:
        owner = self._db.criminals.find_one(key_is(criminal_id), {f"{OWN}.photos": 1})
        return photo_id in photos_of(owner)
