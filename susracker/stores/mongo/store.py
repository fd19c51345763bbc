"""A store in MongoDB, for several servers that share one watch-list."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
from pymongo import errors
from typing_extensions import Self

from susracker.errors import (
    DuplicateError,
    NotFoundError,
)
from susracker.models import (
    Alert,
    Camera,
    Criminal,
    Event,
    ForeignPhoto,
    Outcome,
    Photo,
    Sighting,
    Template,
)
from susracker.stores.base import Changes, Store, TemplateRows
from susracker.stores.mongo.database import Database, NextNumber, again_while_taken
from susracker.stores.mongo.documents import (
    OWN,
    Document,
    criminal_fields,
    event_key,
    field_name,
    first_fields,
    is_wanted,
    key_among,
    key_is,
    nested,
    outcome_document,
    photo_document,
    template_document,
    to_alert,
    to_camera,
    to_criminal,
    to_document,
    to_integer,
    to_photo,
    to_sighting,
    to_templates,
    unique_key,
    without,
)
from susracker.stores.mongo.panel import REFUSED, Panel

WITHOUT_PICTURES = {f"{OWN}.templates": 0, "image": 0, "images": 0}
"""Of criminals, what a name needs."""

ORPHAN_SECONDS = 60
"""After so long a photo that no criminal has is what a crash left, and not about to be his."""


class MongoStore(Store):
    """A store in a database of MongoDB, or of FerretDB.

    Criminals are in the collection `criminals`, where a web panel may keep them, too: what is ours
    is in the sub-document `susracker`. All else is in collections that begin with `susracker_`.

    No transactions are needed, which not every server has. What must happen as one is one
    document: a criminal with his templates; and what became of a detection, with its alerts,
    sightings and the event's id. Numbers that grow by commit order, `seq` and the revision, are
    given out by inserting the next one, which a unique index lets only one writer do.
    """

    def __init__(self, database: Database) -> None:
        self._db = database
        # Writers of one process take turns, rather than run into each other's next number.
        self._turn = threading.RLock()
        self._seq = NextNumber()
        self._panel = Panel(database, self._forget)

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Open the database that `url` names, such as `mongodb://user:password@host/susracker`.

        With the options of MongoDB's connection strings, such as `?replicaSet=rs0`.
        """
        return cls(Database.from_url(url))

    # -- criminals ---------------------------------------------------------------------------

    def put_criminal(
        self,
        criminal: Criminal,
        photos: Sequence[Photo] = (),
        templates: Sequence[Template] = (),
    ) -> None:
        known = self._find(criminal.id)
        own_photos = {photo.id for photo in photos} | set(_photos_of(known))
        for template in templates:
            if template.photo_id not in own_photos:
                raise _no_photo(template.photo_id)
        with self._turn, self._db.errors_mapped(), ExitStack() as undo:
            kept = self._keep_photos(criminal.id, photos, undo)
            fields = criminal_fields(criminal)
            fields |= {f"{OWN}.photos.{field_name(one)}": number for one, number in kept.items()}
            fields |= {_template_field(one): template_document(one) for one in templates}
            # This is the moment at which all of it is stored.
            self._write_criminal(known["_id"] if known else None, criminal, fields)
            undo.pop_all()
            self._db.bump_revision(criminal.id)

    def remove_criminal(self, criminal_id: str) -> None:
        found = self._find(criminal_id)
        if not found:
            raise _no_criminal(criminal_id)
        # The criminal goes last: a removal that was cut short can be done again.
        with self._turn, self._db.errors_mapped():
            self._forget_what_he_had(criminal_id)
            self._db.criminals.delete_one({"_id": found["_id"]})
            self._db.bump_revision(criminal_id)

    def criminal(self, criminal_id: str) -> Criminal:
        found = self.criminals([criminal_id])
        if not found:
            raise _no_criminal(criminal_id)
        return found[0]

    def criminals(self, criminal_ids: Collection[str] | None = None) -> list[Criminal]:
        found = self._db.read(self._db.criminals, key_among(criminal_ids), WITHOUT_PICTURES)
        return sorted(map(to_criminal, found), key=lambda one: (one.name, one.id))

    def criminals_named(self, name: str) -> list[Criminal]:
        found = self._db.read(self._db.criminals, {"name": name}, WITHOUT_PICTURES)
        return sorted(map(to_criminal, found), key=lambda one: one.id)

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
            return to_photo(document)
        raise _no_photo(photo_id)

    def photo_ids(self, criminal_id: str) -> list[str]:
        photos = _photos_of(self._find(criminal_id))
        return sorted(photos, key=lambda one: photos[one])

    def photo_owner(self, digest: str) -> str | None:
        for photo in self._db.read(self._db.photos, {"digest": digest}, {"content": 0}):
            if photo["_id"] in _photos_of(self._find(photo["criminal_id"])):
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
            for made in document.get(OWN, {}).get("templates", {}).values():
                if encoder in made:
                    owners.append(str(document["_id"]))
                    vectors += made[encoder]["vector"]
        array = np.frombuffer(vectors, "<f4")
        return TemplateRows(owners, array.reshape(len(owners), -1 if owners else 0))

    def template_counts(self, encoder_id: str) -> dict[str, int]:
        rows = self.template_rows(encoder_id)
        return {one: len(list(same)) for one, same in itertools.groupby(rows.criminal_ids)}

    def templates(self, criminal_id: str) -> list[Template]:
        shown = {f"{OWN}.templates": 1}
        found = self._db.read(self._db.criminals, key_is(criminal_id), shown)
        made = [one for document in found for one in to_templates(document)]
        return sorted(made, key=lambda one: (one.photo_id, one.encoder_id))

    def photos_without_template(self, encoder_id: str) -> list[str]:
        encoder = field_name(encoder_id)
        missing: dict[str, int] = {}
        for document in self._db.each(self._db.criminals, {}, {OWN: 1}):
            own = document.get(OWN, {})
            for photo_id, number in own.get("photos", {}).items():
                if encoder not in own.get("templates", {}).get(photo_id, {}):
                    missing[photo_id] = number
        return sorted(missing, key=lambda one: missing[one])

    def add_template(self, template: Template) -> None:
        photo = next(
            iter(self._db.read(self._db.photos, {"_id": template.photo_id}, {"content": 0})),
            {},
        )
        found = self._find(photo.get("criminal_id", ""))
        if not found:
            raise _no_photo(template.photo_id)
        with self._turn, self._db.errors_mapped():
            done = self._db.criminals.update_one(
                {"_id": found["_id"]},
                {"$set": {_template_field(template): template_document(template)}},
            )
            if not done.matched_count:
                raise _no_photo(template.photo_id)
            self._db.bump_revision(str(found["_id"]))

    # -- what a panel writes -----------------------------------------------------------------

    def foreign_photos(self) -> list[ForeignPhoto]:
        with self._turn, self._db.errors_mapped():
            return self._panel.poll()

    def adopt_photo(self, foreign: ForeignPhoto, photo: Photo, template: Template) -> None:
        with self._turn, self._db.errors_mapped(), ExitStack() as undo:
            kept = self._keep_photos(foreign.criminal_id, [photo], undo)
            fields = {
                f"{OWN}.photos.{field_name(photo.id)}": kept[photo.id],
                _template_field(template): template_document(template),
            }
            if not self._panel.settle(foreign, photo.id, fields):
                raise _no_criminal(foreign.criminal_id)
            undo.pop_all()
            self._db.bump_revision(foreign.criminal_id)

    def refuse_photo(self, foreign: ForeignPhoto) -> None:
        with self._turn, self._db.errors_mapped():
            self._panel.settle(foreign, REFUSED, {})

    # -- what cameras saw --------------------------------------------------------------------

    def record(
        self,
        sightings: Sequence[Sighting],
        alerts: Sequence[Alert],
        event: Event | None = None,
    ) -> tuple[Alert, ...]:
        alerts = self._known_only(sightings, alerts)
        with self._turn, self._db.errors_mapped():
            stored = self._insert_outcome(sightings, alerts, event)
            for sighting in sightings:
                self._move_last_seen(sighting)
        return stored

    def put_alert(self, alert: Alert) -> None:
        with self._turn, self._db.errors_mapped():
            try:
                self._db.outcomes.insert_one(outcome_document(unique_key(), [alert], [], None))
            except errors.DuplicateKeyError as error:
                raise DuplicateError(f"there is an alert with the seq {alert.seq}") from error

    def event_outcome(self, camera_id: str, event_id: str) -> Outcome | None:
        for found in self._db.read(self._db.outcomes, {"event": event_key(camera_id, event_id)}):
            return Outcome(found["kind"], tuple(map(to_alert, found["alerts"])))
        return None

    def forget_events(self, before: datetime) -> None:
        old = {"is_event": True, "received_at": {"$lt": to_integer(before)}}
        for found in self._db.read(self._db.outcomes, old, {"_id": 1}):
            with self._db.errors_mapped():
                self._db.outcomes.update_one(
                    {"_id": found["_id"]}, {"$set": {"event": unique_key(), "is_event": False}}
                )

    def alert(self, alert_id: str) -> Alert:
        for found in self._db.read(self._db.outcomes, {"alerts.id": alert_id}):
            return next(to_alert(one) for one in found["alerts"] if one["id"] == alert_id)
        raise NotFoundError(f"no alert has the id {alert_id!r}")

    def alerts(self, after: int = 0, limit: int = 100) -> list[Alert]:
        if limit <= 0:
            return []
        with self._db.errors_mapped():
            found = self._db.outcomes.find({"last_seq": {"$gt": after}})
            pages = list(found.sort("first_seq", 1).limit(limit))
        alerts = (to_alert(one) for page in pages for one in page["alerts"])
        return [alert for alert in alerts if alert.seq > after][:limit]

    def alerts_since(self, occurred_since: datetime) -> list[Alert]:
        recent = {"newest_alert_at": {"$gte": to_integer(occurred_since)}}
        pages = self._db.read(self._db.outcomes, recent, {"alerts.face": 0})
        alerts = [to_alert({"face": None, **one}) for page in pages for one in page["alerts"]]
        chosen = [alert for alert in alerts if alert.occurred_at >= occurred_since]
        return sorted(chosen, key=lambda alert: alert.seq)

    def last_seq(self) -> int:
        with self._db.errors_mapped():
            newest = self._db.outcomes.find_one(
                {"last_seq": {"$gt": 0}}, {"last_seq": 1}, sort=[("last_seq", -1)]
            )
        return int(newest["last_seq"]) if newest else 0

    def sightings(self, criminal_id: str) -> list[Sighting]:
        pages = self._db.read(self._db.outcomes, {"sighted": criminal_id}, {"sightings": 1})
        found = (to_sighting(one) for page in pages for one in page["sightings"])
        his = [one for one in found if one.criminal_id == criminal_id]
        return sorted(his, key=lambda one: (one.occurred_at, one.id))

    # -- cameras -----------------------------------------------------------------------------

    def count_cameras(self, cameras: Sequence[Camera]) -> None:
        with self._turn, self._db.errors_mapped():
            for camera in cameras:
                values = to_document(camera)
                counts = {name: values[name] for name in ("detections", "alerts")}
                place = {name: values[name] for name in ("location", "last_heard_at")}
                self._db.cameras.update_one(
                    {"_id": camera.id}, {"$inc": counts, "$setOnInsert": place}, upsert=True
                )
                older = {"_id": camera.id, "last_heard_at": {"$lt": values["last_heard_at"]}}
                self._db.cameras.update_one(older, {"$set": place})

    def cameras(self) -> list[Camera]:
        found = self._db.read(self._db.cameras, {})
        return sorted(map(to_camera, found), key=lambda camera: camera.id)

    def close(self) -> None:
        self._db.close()

    # -- parts of a write --------------------------------------------------------------------

    def _keep_photos(
        self, criminal_id: str, photos: Sequence[Photo], undo: ExitStack
    ) -> dict[str, int]:
        """Store photos that nobody has yet; their places in the order of enrolment, by id."""
        kept = {}
        for photo in photos:
            number = self._db.next_number("photo")
            document = photo_document(photo, criminal_id, number) | {"stored_at": time.time()}
            try:
                self._db.photos.insert_one(document)
            except errors.DuplicateKeyError:
                self._make_way(photo)
                self._db.photos.insert_one(document)
            undo.callback(self._db.photos.delete_one, {"_id": photo.id})
            kept[photo.id] = number
        return kept

    def _write_criminal(self, key: Any, criminal: Criminal, fields: Document) -> None:
        if key is not None:
            self._db.criminals.update_one({"_id": key}, {"$set": fields})
            return
        try:
            self._db.criminals.insert_one(
                nested({"_id": criminal.id} | fields | first_fields(criminal))
            )
        except errors.DuplicateKeyError:
            # Another process stored him since he was looked for.
            self._db.criminals.update_one({"_id": criminal.id}, {"$set": fields})

    def _make_way(self, photo: Photo) -> None:
        """Remove what a crash left of a photo; raise a `DuplicateError` where someone has it."""
        found = self._db.photos.find_one({"digest": photo.digest}, {"content": 0})
        if found is None:
            raise DuplicateError(f"there is another photo with the id {photo.id!r}")
        owned = found["_id"] in _photos_of(self._find(found["criminal_id"]))
        if owned or time.time() - found["stored_at"] < ORPHAN_SECONDS:
            raise _duplicate(photo)
        self._db.photos.delete_one({"_id": found["_id"]})

    def _known_only(self, sightings: Sequence[Sighting], alerts: Sequence[Alert]) -> list[Alert]:
        """The alerts, without candidates who were removed since they were found."""
        matched = {sighting.criminal_id for sighting in sightings}
        matched.update(alert.criminal_id for alert in alerts if alert.criminal_id is not None)
        compared = {one.criminal_id for alert in alerts for one in alert.candidates}
        named = matched | compared
        known = {
            str(one["_id"])
            for one in self._db.read(self._db.criminals, key_among(named), {"_id": 1})
        }
        for criminal_id in sorted(matched - known):
            raise _no_criminal(criminal_id)
        return [
            replace(alert, candidates=tuple(c for c in alert.candidates if c.criminal_id in known))
            for alert in alerts
        ]

    def _insert_outcome(
        self, sightings: Sequence[Sighting], alerts: Sequence[Alert], event: Event | None
    ) -> tuple[Alert, ...]:
        key = event_key(event.camera_id, event.event_id) if event else unique_key()

        def insert_next() -> tuple[Alert, ...]:
            if event and self._db.outcomes.find_one({"event": key}, {"_id": 1}):
                raise DuplicateError(
                    f"the event {event.event_id!r} of camera {event.camera_id!r} was handled before"
                )
            first = self._seq.next(self.last_seq) if alerts else 0
            stored = tuple(replace(one, seq=first + place) for place, one in enumerate(alerts))
            self._db.outcomes.insert_one(outcome_document(key, stored, sightings, event))
            self._seq.taken(first + len(alerts) - 1 if alerts else None)
            return stored

        return again_while_taken(insert_next, self._seq.forget)

    def _move_last_seen(self, sighting: Sighting) -> None:
        moment = to_integer(sighting.occurred_at)
        before = [{f"{OWN}.last_seen_at": None}, {f"{OWN}.last_seen_at": {"$lt": moment}}]
        seen = {
            f"{OWN}.last_seen_at": moment,
            f"{OWN}.last_seen_camera": sighting.camera_id,
            f"{OWN}.last_seen_location": sighting.camera_location,
        }
        if not sighting.suppressed:
            # What a panel shows moves with alerts, not with every frame that he is in.
            seen["last_seen_date"] = sighting.occurred_at
            seen["last_seen_location"] = sighting.camera_location
        self._db.criminals.update_one(
            key_is(sighting.criminal_id) | {"$or": before}, {"$set": seen}
        )

    def _forget(self, criminal_id: str) -> None:
        """Forget someone whom a panel has removed."""
        self._forget_what_he_had(criminal_id)
        self._db.bump_revision(criminal_id)

    def _forget_what_he_had(self, criminal_id: str) -> None:
        self._forget_in_outcomes(criminal_id)
        self._db.photos.delete_many({"criminal_id": criminal_id})

    def _forget_in_outcomes(self, criminal_id: str) -> None:
        naming = {"$or": [{"sighted": criminal_id}, {"named": criminal_id}]}
        for outcome in self._db.read(self._db.outcomes, naming):
            sightings = [one for one in outcome["sightings"] if one["criminal_id"] != criminal_id]
            alerts = [without(one, criminal_id) for one in outcome["alerts"]]
            changed = {"sightings": sightings, "alerts": alerts} | {
                name: [one for one in outcome[name] if one != criminal_id]
                for name in ("sighted", "named")
            }
            self._db.outcomes.update_one({"_id": outcome["_id"]}, {"$set": changed})

    def _find(self, criminal_id: str) -> Document | None:
        shown = {f"{OWN}.photos": 1}
        found = self._db.read(self._db.criminals, key_is(criminal_id), shown)
        return found[0] if found else None


def _photos_of(document: Mapping[str, Any] | None) -> dict[str, int]:
    photos: dict[str, int] = document.get(OWN, {}).get("photos", {}) if document else {}
    return photos


def _template_field(template: Template) -> str:
    photo, encoder = field_name(template.photo_id), field_name(template.encoder_id)
    return f"{OWN}.templates.{photo}.{encoder}"


def _duplicate(photo: Photo) -> DuplicateError:
    return DuplicateError(f"the photo with the digest {photo.digest} is stored already")


def _no_criminal(criminal_id: str) -> NotFoundError:
    return NotFoundError(f"no criminal has the id {criminal_id!r}")


def _no_photo(photo_id: str) -> NotFoundError:
    return NotFoundError(f"no photo has the id {photo_id!r}")
