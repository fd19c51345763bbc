"""Removes people, whatever others do at the same time; an interrupted removal is finished later."""

from __future__ import annotations

from susracker.stores.mongo.database import Database
from susracker.stores.mongo.documents import (
    OWN,
    PRESENT,
    REMOVING,
    based_on,
    key_is,
    to_criminal,
)
from susracker.stores.mongo.forgetting import alerts_naming, forget_in_outcomes, strike
from susracker.stores.mongo.holds import TIMES_HELD, refuse_if_held, times_held
from susracker.stores.refusals import edited_meanwhile, no_criminal

STRIKING = f"{OWN}.striking"
"""Set beside `REMOVING`: what people wrote about the person is to be emptied, too."""


class Removals:
    """Removes the people of a database: marks them first, and deletes them last."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def remove(self, criminal_id: str, revision: int | None, *, strikes_judgements: bool) -> None:
        """See `Gallery.remove_criminal`."""
        try:
            while not self._mark(criminal_id, revision, strikes_judgements):
                pass
        finally:
            # Also if they are gone: it may be their removal that failed half-way before.
            self.finish()

    def finish(self) -> None:
        """Remove everyone who is marked for it, also those whose removal was interrupted."""
        for document in self._db.criminals.find({REMOVING: True}, {"name": 1, STRIKING: 1}):
            person = to_criminal(document)
            if document.get(OWN, {}).get("striking"):
                # First: afterwards nobody knows which alerts named them.
                strike(self._db, alerts_naming(self._db, person.id), person.name)
            self.forget(person.id)
            # Last: until then, whoever starts finishes what was interrupted.
            self._db.criminals.delete_one({"_id": document["_id"]})

    def forget(self, criminal_id: str) -> None:
        """Remove what was kept about someone who is not there, and say so. The photos go last: by
        those it is found out that it is not done yet."""
        forget_in_outcomes(self._db, criminal_id)
        self._db.bump_revision(criminal_id)
        self._db.photos.delete_many({"criminal_id": criminal_id})

    def _mark(self, criminal_id: str, revision: int | None, strikes_judgements: bool) -> bool:
        """Mark someone who is to be removed; false if an alert was held or they were changed
        meanwhile."""
        shown = {f"{OWN}.revision": 1, TIMES_HELD: 1}
        found = self._db.criminals.find_one(key_is(criminal_id), shown)
        if found is None:
            raise no_criminal(criminal_id)
        if revision not in (None, found.get(OWN, {}).get("revision") or 0):
            raise edited_meanwhile(criminal_id)
        refuse_if_held(self._db, criminal_id)
        unchanged = {"_id": found["_id"], TIMES_HELD: times_held(found)} | PRESENT
        # From here on nobody finds them, and whoever just stored a sighting takes it back.
        marked = {"$set": {REMOVING: True, STRIKING: strikes_judgements}}
        return bool(
            self._db.criminals.update_one(unchanged | based_on(revision), marked).matched_count
        )
