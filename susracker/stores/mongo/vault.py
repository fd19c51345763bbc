"""Seals the content of a MongoDB database anew."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from pymongo.collection import Collection as MongoCollection

from susracker.models import Photo
from susracker.stores.mongo.database import WITH_FACE, WITH_TEMPLATES, Database
from susracker.stores.mongo.documents import OWN, Document, plain_name, to_record
from susracker.stores.mongo.seals import TRUSTED_SECONDS, SealGuard, put_seals, read_seals
from susracker.stores.rotation import OnStep, Resealer, Vault
from susracker.stores.sealing import face_context, template_context
from susracker.stores.seals import Seals

Change = Callable[[Resealer, Document], Document]
"""What is to be set of a document, by path; empty where nothing is."""


PAUSE_SECONDS = 2 * TRUSTED_SECONDS
"""How long a rotation waits before it begins, for writes that are under way to end."""


class UnopenedDatabase(Database):
    """A database whose data key is not asked for."""

    def _admit(self) -> Seals:
        return read_seals(self.meta)


class MongoVault(Vault):
    """See `Vault`."""

    def __init__(self, database: UnopenedDatabase) -> None:
        self._db = database

    def seals(self) -> Seals:
        with self._db.errors_mapped():
            return read_seals(self._db.meta)

    def put_seals(self, seals: Seals) -> None:
        with self._db.errors_mapped():
            self._db.guard.check()
            put_seals(self._db.meta, seals)
        self._db.guard = SealGuard(self._db.meta, seals)
        if seals.before is not None:
            time.sleep(PAUSE_SECONDS)

    def reseal(self, resealer: Resealer, on_step: OnStep) -> Counter[str]:
        walks: dict[str, tuple[MongoCollection[Document], Document, Change]] = {
            "photos": (self._db.photos, {}, _photo),
            "templates": (self._db.criminals, WITH_TEMPLATES, _templates),
            "faces": (self._db.outcomes, WITH_FACE, _faces),
        }
        changed: Counter[str] = Counter()
        for step, (collection, what, change) in walks.items():
            with self._db.errors_mapped():
                total = collection.count_documents(what)
                for done, document in enumerate(collection.find(what), 1):
                    changed[step] += self._update(collection, document, partial(change, resealer))
                    on_step(step, min(done, total), total)
        return +changed

    def clear_traces(self) -> None:
        """MongoDB has no way to; docs/security.md says so."""

    def close(self) -> None:
        self._db.close()

    def _update(
        self,
        collection: MongoCollection[Document],
        document: Document | None,
        change: Callable[[Document], Document],
    ) -> int:
        """Change a document, of which others may remove a part at the same time: that stays away.

        Returns:
            how many pieces were changed.
        """
        while document and (fields := change(document)):
            self._db.guard.check()
            present: Document = {path: {"$exists": True} for path in fields}
            found = {"_id": document["_id"]}
            # Grows with each change of an outcome, such as another face of its alert.
            present["judgements"] = document.get("judgements")
            if collection.update_one(found | present, {"$set": fields}).matched_count:
                return len(fields.keys() - {"digest"})  # which is of a photo that is counted
            document = collection.find_one(found)
        return 0


def _photo(resealer: Resealer, document: Document) -> Document:
    photo = resealer.photo(to_record(Photo, {**document, "id": document["_id"]}))
    return {"content": photo.content, "digest": photo.digest} if photo else {}


def _templates(resealer: Resealer, document: Document) -> Document:
    owner, fields = str(document["_id"]), {}
    for photo, by_encoder in document[OWN].get("templates", {}).items():
        for encoder, one in by_encoder.items():
            context = template_context(owner, plain_name(encoder), plain_name(photo))
            vector = resealer.piece(bytes(one["vector"]), context)
            if vector is not None:
                fields[f"{OWN}.templates.{photo}.{encoder}.vector"] = vector
    return fields


def _faces(resealer: Resealer, document: Document) -> Document:
    fields: dict[str, Any] = {}
    for place, alert in enumerate(document["alerts"]):
        if alert["face"] is not None:
            face = resealer.piece(bytes(alert["face"]), face_context(alert["id"]))
            if face is not None:
                fields[f"alerts.{place}.face"] = face
    return fields
