"""Follows a web panel that writes the criminals of a database.

What was seen of a panel's document is kept in its sub-document `susracker.panel`: a digest of its
fields, and of each picture the photo that was made of it. A document that differs was edited.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

from pymongo import errors
from pymongo.change_stream import ChangeStream

from susracker.models import PanelPhoto
from susracker.stores.mongo.database import Database
from susracker.stores.mongo.documents import OWN, PRESENT, Document, key_among, key_is
from susracker.stores.mongo.lease import Lease
from susracker.stores.mongo.photos import LEAVING, Photos

FIELDS = ("name", "age", "crimes", "threat", "status")

REVISION = f"{OWN}.revision"

SEEN = f"{OWN}.panel.fields"
"""The digest of the fields when they were last seen, and all servers were told of them."""

UNTOLD: Document = {SEEN: ""}
"""What every change removes until all servers were told: what a process does not live to tell is
then taken for a change by the panel, and told."""

REFUSED = ""
"""In place of a photo's id: the picture cannot be enrolled."""

SHARE = 4.0
"""A poll is followed by a pause of so many times what it took: of a large collection that is read
as a whole, the database is not to do nothing else."""

LOOK_SECONDS = 3600.0
"""How often it is looked for what is kept about people who are not there."""

SETTLED_SECONDS = 60.0
"""How old a photo is whose criminal is not merely about to be stored."""


class Panel:
    """Finds out what a panel changed. For one thread at a time.

    Change streams are used where the server has them (a replica set or a sharded cluster of
    MongoDB); else all documents are read, again and again.

    Args:
        photos: remove the photos whose pictures the panel took away.
        forget: called with the id of a criminal whom the panel removed.
    """

    def __init__(self, database: Database, photos: Photos, forget: Callable[[str], None]) -> None:
        self._db = database
        self._photos = photos
        self._forget = forget
        self._lease = Lease(database.meta, "panel")
        self._present: set[str] | None = None
        self._look_at = 0.0
        self._not_before = 0.0
        self._stream: ChangeStream[Document] | None = None

    def poll(self) -> list[PanelPhoto]:
        """Take note of what changed since the last call; the pictures that are to be enrolled."""
        if time.monotonic() < self._not_before or not self._is_mine():
            return []
        began = time.monotonic()
        with ExitStack() as undo:
            # What the stream told is not told again: if this fails, everything is read anew.
            undo.callback(self._close_stream)
            pictures = self._take_in(self._changed())
            undo.pop_all()
        self._not_before = time.monotonic() + SHARE * (time.monotonic() - began)
        return pictures

    def _take_in(self, changed: list[Any] | None) -> list[PanelPhoto]:
        """Take note of some documents, or of all."""
        what = PRESENT if changed is None else {"_id": {"$in": changed}} | PRESENT
        found = self._db.read(self._db.criminals, what, {f"{OWN}.templates": 0})
        pictures = [one for document in found for one in self._reconcile(document)]
        self._forget_missing({str(one["_id"]) for one in found}, changed)
        return pictures

    def expect(self, key: Any, document: Mapping[str, Any]) -> None:
        """Do not take someone whom we added or changed for one whom the panel did.

        Call it last, after a change with `UNTOLD`.

        Args:
            document: what we left, with the new revision; a panel may have edited it since.
        """
        ours = {"_id": key, REVISION: document[REVISION]}
        self._db.criminals.update_one(ours, {"$set": {SEEN: _digest_of_fields(document)}})

    def adopt(self, found: PanelPhoto, photo_id: str, fields: Mapping[str, Any]) -> bool:
        """Keep which photo was made of a picture; whether its criminal is still there."""
        kept = {"$set": {**fields, _place(found): photo_id}, "$unset": UNTOLD}
        criminal = key_is(found.criminal_id)
        return bool(self._db.criminals.update_one(criminal, kept).matched_count)

    def refuse(self, found: PanelPhoto) -> None:
        """Keep that no photo can be made of a picture, unless another process has made one."""
        waiting = key_is(found.criminal_id) | {_place(found): {"$exists": False}}
        self._db.criminals.update_one(waiting, {"$set": {_place(found): REFUSED}})

    def _is_mine(self) -> bool:
        """Whether this process follows the panel for all that share the database."""
        if self._lease.take():
            return True
        self._present = None  # who was present is to be found out anew
        return False

    def _changed(self) -> list[Any] | None:
        """Keys of the documents that changed; None where all are to be read."""
        if self._stream is None or self._present is None:
            self._stream = self._open_stream()
            return None
        changed = []
        try:
            while event := self._stream.try_next():
                changed.append(event["documentKey"]["_id"])
        except errors.PyMongoError:
            self._stream = None
            return None
        return changed

    def _close_stream(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._stream = None

    def _open_stream(self) -> ChangeStream[Document] | None:
        try:
            return self._db.criminals.watch(max_await_time_ms=1)
        except errors.OperationFailure:
            return None  # neither a replica set nor a cluster: it is asked for again each time

    def _reconcile(self, document: Document) -> list[PanelPhoto]:
        own = document.get(OWN, {})
        seen = own.get("panel", {})
        pictures = {_digest(text): text for text in _pictures(document)}
        known = seen.get("pictures", {})
        gone = {key: photo_id for key, photo_id in known.items() if key not in pictures}
        fields = _digest_of_fields(document)
        if seen.get("fields") != fields or gone:
            self._take_note(document["_id"], own, fields, gone)
        criminal_id = str(document["_id"])
        return [
            PanelPhoto(criminal_id, key, text) for key, text in pictures.items() if key not in known
        ]

    def _take_note(self, key: Any, own: Document, fields: str, gone: Mapping[str, str]) -> None:
        photo_ids = [photo_id for photo_id in gone.values() if photo_id != REFUSED]
        noted = {REVISION: self._db.next_revision()}
        leaving = {f"{LEAVING}.{one}": 1 for one in photo_ids}
        removed = [f"panel.pictures.{one}" for one in gone]
        parts = ("photos", "templates", *(f"made.{encoder}" for encoder in own.get("made", {})))
        removed += [f"{part}.{one}" for part in parts for one in photo_ids]
        change = {
            "$set": noted | leaving,
            "$unset": UNTOLD | {f"{OWN}.{one}": "" for one in removed},
        }
        self._db.criminals.update_one({"_id": key}, change)
        self._photos.finish(key)
        self._db.criminals.update_one({"_id": key} | noted, {"$set": {SEEN: fields}})

    def _forget_missing(self, found: set[str], changed: list[Any] | None) -> None:
        if changed is None:
            known, present = self._present or set(), found
        else:
            known = {str(key) for key in changed}
            present = (self._present or set()) - known | found
        looks = self._present is None or time.monotonic() >= self._look_at
        missing = (known | self._kept_about() if looks else known) - present
        # Asked again: someone may have been added since the people were read.
        for criminal_id in missing - self._still_there(missing):
            self._forget(criminal_id)
        # Only now: whoever could not be forgotten is missing the next time, too.
        self._present = present
        if looks:
            self._look_at = time.monotonic() + LOOK_SECONDS

    def _kept_about(self) -> set[str]:
        """Who has photos or was seen, and may have been removed when nobody followed the panel, or
        before a server that died could find that out."""
        settled = {"stored_at": {"$lt": time.time() - SETTLED_SECONDS}}
        photos = self._db.read(self._db.photos, settled, {"criminal_id": 1})
        seen = {*self._db.outcomes.distinct("sighted"), *self._db.outcomes.distinct("named")}
        return seen | {str(one["criminal_id"]) for one in photos}

    def _still_there(self, criminal_ids: set[str]) -> set[str]:
        if not criminal_ids:
            return set()
        found = self._db.read(self._db.criminals, key_among(criminal_ids), {"_id": 1})
        return {str(one["_id"]) for one in found}


def _digest_of_fields(document: Mapping[str, Any]) -> str:
    return _digest(json.dumps({name: document.get(name) for name in FIELDS}, default=str))


def _place(found: PanelPhoto) -> str:
    """The field that says what became of a picture."""
    return f"{OWN}.panel.pictures.{found.key}"


def _pictures(document: Mapping[str, Any]) -> list[str]:
    """The pictures of a panel's document, as text."""
    several = document.get("images")
    found = [document.get("image"), *(several if isinstance(several, list) else [])]
    return [one for one in found if isinstance(one, str) and one.strip()]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
