"""A store in MongoDB, for several servers that share one watch-list."""

from __future__ import annotations

import itertools
import re
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

import numpy as np
from bson.errors import InvalidDocument, InvalidStringData
from pymongo import MongoClient, ReturnDocument, errors
from pymongo.collection import Collection as MongoCollection
from typing_extensions import Self

from susracker.errors import (
    ConfigError,
    DuplicateError,
    InputError,
    NotFoundError,
    StoreFormatError,
    StoreUnavailableError,
)
from susracker.models import (
    Alert,
    Camera,
    Criminal,
    Event,
    Outcome,
    Photo,
    Sighting,
    Template,
)
from susracker.stores.base import Changes, Store, TemplateRows
from susracker.stores.mongo_documents import (
    OWN,
    Document,
    alert_document,
    criminal_fields,
    field_name,
    first_fields,
    is_wanted,
    key_of,
    photo_document,
    template_document,
    to_alert,
    to_camera,
    to_criminal,
    to_document,
    to_integer,
    to_photo,
    to_sighting,
)

DATABASE = "susracker"
"""What is used where a URL names no database."""

PREFIX = "susracker_"
FORMAT = 1

WAIT_MILLISECONDS = 5000
"""How long a server is looked for: less than a client waits for its answer. A URL may set
`serverSelectionTimeoutMS` and the driver's other options."""

OPTIONS: dict[str, Any] = {
    "w": "majority",
    "readConcernLevel": "majority",
    "retryWrites": True,
    "serverSelectionTimeoutMS": WAIT_MILLISECONDS,
    "connectTimeoutMS": WAIT_MILLISECONDS,
    "socketTimeoutMS": 60_000,
    "appname": "susracker",
}
"""A write that was answered survives the loss of a server, and what is read is never taken back."""

ORPHAN_SECONDS = 60
"""After so long a photo that no criminal has is what a crash left, and not about to be his."""

WRONG_CREDENTIALS = frozenset({13, 18, 8000})
"""MongoDB's error codes Unauthorized, AuthenticationFailed and AtlasError."""

UNFIT = (InvalidDocument, InvalidStringData, OverflowError, UnicodeEncodeError)
"""What is raised for a value that MongoDB cannot take."""

Result = TypeVar("Result")


class MongoStore(Store):
    """A store in a database of MongoDB, or of FerretDB.

    Criminals are in the collection `criminals`, where a web panel may keep them, too: what is ours
    is in the sub-document `susracker`. All else is in collections that begin with `susracker_`.

    No transactions are needed, which not every server has. What must happen as one is one
    document: a criminal with his templates; and what became of a detection, with its alerts,
    sightings and the event's id. Numbers that grow by commit order, `seq` and the revision, are
    given out by inserting the next one, which a unique index lets only one writer do.
    """

    def __init__(self, client: MongoClient[Document], name: str) -> None:
        self._client = client
        database = client[name]
        self._criminals = database["criminals"]
        self._photos = database[PREFIX + "photos"]
        self._outcomes = database[PREFIX + "outcomes"]
        self._revisions = database[PREFIX + "revisions"]
        self._cameras = database[PREFIX + "cameras"]
        self._meta = database[PREFIX + "meta"]
        # Writers of one process take turns, rather than run into each other's next number.
        self._turn = threading.RLock()
        self._closed = False
        with ExitStack() as undo:
            undo.callback(client.close)
            with self._errors_mapped():
                self._prepare()
            undo.pop_all()

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Open the database that `url` names, such as `mongodb://user:password@host/susracker`.

        With the options of MongoDB's connection strings, such as `?replicaSet=rs0`.
        """
        if not re.match(r"mongodb(\+srv)?://.", url):
            raise ConfigError("a MongoDB URL must be like mongodb://host:27017/susracker")
        try:
            client: MongoClient[Document] = MongoClient(url, **_missing_options(url))
            name = client.get_default_database(DATABASE).name
        except (errors.ConfigurationError, errors.InvalidURI, ValueError) as error:
            raise ConfigError(f"the MongoDB URL is wrong: {error}") from error
        return cls(client, name)

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
        with self._turn, self._errors_mapped(), ExitStack() as undo:
            kept = self._keep_photos(criminal.id, photos, undo)
            # This is the moment at which all of it is stored.
            self._criminals.update_one(
                {"_id": known["_id"] if known else criminal.id},
                {
                    "$set": criminal_fields(criminal)
                    | {f"{OWN}.photos.{field_name(one)}": number for one, number in kept.items()}
                    | {_template_field(one): template_document(one) for one in templates},
                    "$setOnInsert": first_fields(criminal),
                },
                upsert=True,
            )
            undo.pop_all()
            self._bump_revision(criminal.id)

    def remove_criminal(self, criminal_id: str) -> None:
        found = self._find(criminal_id)
        if not found:
            raise _no_criminal(criminal_id)
        # The criminal goes last: a removal that was cut short can be done again.
        with self._turn, self._errors_mapped():
            self._forget_in_outcomes(criminal_id)
            self._photos.delete_many({"criminal_id": criminal_id})
            self._criminals.delete_one({"_id": found["_id"]})
            self._bump_revision(criminal_id)

    def criminal(self, criminal_id: str) -> Criminal:
        found = self.criminals([criminal_id])
        if not found:
            raise _no_criminal(criminal_id)
        return found[0]

    def criminals(self, criminal_ids: Collection[str] | None = None) -> list[Criminal]:
        found = self._read(self._criminals, _of(criminal_ids), {f"{OWN}.templates": 0, "image": 0})
        return sorted(map(to_criminal, found), key=lambda one: (one.name, one.id))

    def criminals_named(self, name: str) -> list[Criminal]:
        found = self._read(self._criminals, {"name": name}, {f"{OWN}.templates": 0, "image": 0})
        return sorted(map(to_criminal, found), key=lambda one: one.id)

    def revision(self) -> int:
        with self._errors_mapped():
            newest = self._revisions.find_one({}, sort=[("_id", -1)])
        return int(newest["_id"]) if newest else 0

    def changes(self, since: int) -> Changes:
        found = self._read(self._revisions, {"_id": {"$gt": since}})
        revision = max((int(one["_id"]) for one in found), default=since)
        return Changes(revision, frozenset(one["criminal_id"] for one in found))

    # -- photos and templates ----------------------------------------------------------------

    def photo(self, photo_id: str) -> Photo:
        for document in self._read(self._photos, {"_id": photo_id}):
            return to_photo(document)
        raise _no_photo(photo_id)

    def photo_ids(self, criminal_id: str) -> list[str]:
        photos = _photos_of(self._find(criminal_id))
        return sorted(photos, key=lambda one: photos[one])

    def photo_owner(self, digest: str) -> str | None:
        for photo in self._read(self._photos, {"digest": digest}, {"content": 0}):
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
        for document in self._each(self._criminals, _of(criminal_ids), shown):
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

    def photos_without_template(self, encoder_id: str) -> list[str]:
        encoder = field_name(encoder_id)
        missing: dict[str, int] = {}
        for document in self._each(self._criminals, {}, {OWN: 1}):
            own = document.get(OWN, {})
            for photo_id, number in own.get("photos", {}).items():
                if encoder not in own.get("templates", {}).get(photo_id, {}):
                    missing[photo_id] = number
        return sorted(missing, key=lambda one: missing[one])

    def add_template(self, template: Template) -> None:
        photo = next(iter(self._read(self._photos, {"_id": template.photo_id}, {"content": 0})), {})
        found = self._find(photo.get("criminal_id", ""))
        if not found:
            raise _no_photo(template.photo_id)
        with self._turn, self._errors_mapped():
            done = self._criminals.update_one(
                {"_id": found["_id"]},
                {"$set": {_template_field(template): template_document(template)}},
            )
            if not done.matched_count:
                raise _no_photo(template.photo_id)
            self._bump_revision(str(found["_id"]))

    # -- what cameras saw --------------------------------------------------------------------

    def record(
        self,
        sightings: Sequence[Sighting],
        alerts: Sequence[Alert],
        event: Event | None = None,
    ) -> tuple[Alert, ...]:
        alerts = self._known_only(sightings, alerts)
        with self._turn, self._errors_mapped():
            stored = self._insert_outcome(sightings, alerts, event)
            for sighting in sightings:
                self._move_last_seen(sighting)
        return stored

    def event_outcome(self, camera_id: str, event_id: str) -> Outcome | None:
        for found in self._read(self._outcomes, {"event": _event_key(camera_id, event_id)}):
            return Outcome(found["kind"], tuple(map(to_alert, found["alerts"])))
        return None

    def forget_events(self, before: datetime) -> None:
        old = {"is_event": True, "received_at": {"$lt": to_integer(before)}}
        for found in self._read(self._outcomes, old, {"_id": 1}):
            with self._errors_mapped():
                self._outcomes.update_one(
                    {"_id": found["_id"]}, {"$set": {"event": _unique_key(), "is_event": False}}
                )

    def alert(self, alert_id: str) -> Alert:
        for found in self._read(self._outcomes, {"alerts.id": alert_id}):
            return next(to_alert(one) for one in found["alerts"] if one["id"] == alert_id)
        raise NotFoundError(f"no alert has the id {alert_id!r}")

    def alerts(self, after: int = 0, limit: int = 100) -> list[Alert]:
        if limit <= 0:
            return []
        with self._errors_mapped():
            found = self._outcomes.find({"last_seq": {"$gt": after}})
            pages = list(found.sort("first_seq", 1).limit(limit))
        alerts = (to_alert(one) for page in pages for one in page["alerts"])
        return [alert for alert in alerts if alert.seq > after][:limit]

    def alerts_since(self, occurred_since: datetime) -> list[Alert]:
        recent = {"newest_alert_at": {"$gte": to_integer(occurred_since)}}
        pages = self._read(self._outcomes, recent, {"alerts.face": 0})
        alerts = [to_alert({"face": None, **one}) for page in pages for one in page["alerts"]]
        chosen = [alert for alert in alerts if alert.occurred_at >= occurred_since]
        return sorted(chosen, key=lambda alert: alert.seq)

    def last_seq(self) -> int:
        with self._errors_mapped():
            newest = self._outcomes.find_one(
                {"last_seq": {"$gt": 0}}, {"last_seq": 1}, sort=[("last_seq", -1)]
            )
        return int(newest["last_seq"]) if newest else 0

    def sightings(self, criminal_id: str) -> list[Sighting]:
        pages = self._read(self._outcomes, {"sighted": criminal_id}, {"sightings": 1})
        found = (to_sighting(one) for page in pages for one in page["sightings"])
        his = [one for one in found if one.criminal_id == criminal_id]
        return sorted(his, key=lambda one: (one.occurred_at, one.id))

    # -- cameras -----------------------------------------------------------------------------

    def count_cameras(self, cameras: Sequence[Camera]) -> None:
        with self._turn, self._errors_mapped():
            for camera in cameras:
                values = to_document(camera)
                counts = {name: values[name] for name in ("detections", "alerts")}
                place = {name: values[name] for name in ("location", "last_heard_at")}
                self._cameras.update_one(
                    {"_id": camera.id}, {"$inc": counts, "$setOnInsert": place}, upsert=True
                )
                older = {"_id": camera.id, "last_heard_at": {"$lt": values["last_heard_at"]}}
                self._cameras.update_one(older, {"$set": place})

    def cameras(self) -> list[Camera]:
        found = self._read(self._cameras, {})
        return sorted(map(to_camera, found), key=lambda camera: camera.id)

    def close(self) -> None:
        self._closed = True
        self._client.close()

    # -- parts of a write --------------------------------------------------------------------

    def _keep_photos(
        self, criminal_id: str, photos: Sequence[Photo], undo: ExitStack
    ) -> dict[str, int]:
        """Store photos that nobody has yet; their places in the order of enrolment, by id."""
        kept = {}
        for photo in photos:
            self._refuse_known(photo)
            number = self._next_number("photo")
            document = photo_document(photo, criminal_id, number)
            try:
                self._photos.insert_one(document | {"stored_at": time.time()})
            except errors.DuplicateKeyError as error:
                raise _duplicate(photo) from error
            undo.callback(self._photos.delete_one, {"_id": photo.id})
            kept[photo.id] = number
        return kept

    def _refuse_known(self, photo: Photo) -> None:
        found = self._photos.find_one({"digest": photo.digest}, {"content": 0})
        if found is None:
            return
        owned = found["_id"] in _photos_of(self._find(found["criminal_id"]))
        if owned or time.time() - found["stored_at"] < ORPHAN_SECONDS:
            raise _duplicate(photo)
        self._photos.delete_one({"_id": found["_id"]})

    def _next_number(self, name: str) -> int:
        counter = self._meta.find_one_and_update(
            {"_id": name}, {"$inc": {"value": 1}}, upsert=True, return_document=ReturnDocument.AFTER
        )
        return int((counter or {})["value"])

    def _bump_revision(self, criminal_id: str) -> None:
        def insert_next() -> int:
            number = self.revision() + 1
            self._revisions.insert_one({"_id": number, "criminal_id": criminal_id})
            return number

        newest = _again_while_taken(insert_next)
        self._revisions.delete_many({"criminal_id": criminal_id, "_id": {"$lt": newest}})

    def _known_only(self, sightings: Sequence[Sighting], alerts: Sequence[Alert]) -> list[Alert]:
        """The alerts, without candidates who were removed since they were found."""
        matched = {sighting.criminal_id for sighting in sightings}
        matched.update(alert.criminal_id for alert in alerts if alert.criminal_id is not None)
        compared = {one.criminal_id for alert in alerts for one in alert.candidates}
        named = matched | compared
        known = {str(one["_id"]) for one in self._read(self._criminals, _of(named), {"_id": 1})}
        for criminal_id in sorted(matched - known):
            raise _no_criminal(criminal_id)
        return [
            replace(alert, candidates=tuple(c for c in alert.candidates if c.criminal_id in known))
            for alert in alerts
        ]

    def _insert_outcome(
        self, sightings: Sequence[Sighting], alerts: Sequence[Alert], event: Event | None
    ) -> tuple[Alert, ...]:
        key = _event_key(event.camera_id, event.event_id) if event else _unique_key()

        def insert_next() -> tuple[Alert, ...]:
            if event and self._outcomes.find_one({"event": key}, {"_id": 1}):
                raise DuplicateError(
                    f"the event {event.event_id!r} of camera {event.camera_id!r} was handled before"
                )
            first = self.last_seq() + 1 if alerts else 0
            stored = tuple(replace(one, seq=first + place) for place, one in enumerate(alerts))
            self._outcomes.insert_one(_outcome_document(key, stored, sightings, event))
            return stored

        return _again_while_taken(insert_next)

    def _move_last_seen(self, sighting: Sighting) -> None:
        moment = to_integer(sighting.occurred_at)
        before = [{f"{OWN}.last_seen_at": None}, {f"{OWN}.last_seen_at": {"$lt": moment}}]
        self._criminals.update_one(
            {"_id": {"$in": key_of(sighting.criminal_id)}, "$or": before},
            {
                "$set": {
                    f"{OWN}.last_seen_at": moment,
                    f"{OWN}.last_seen_camera": sighting.camera_id,
                    "last_seen_date": sighting.occurred_at,
                    "last_seen_location": sighting.camera_location,
                }
            },
        )

    def _forget_in_outcomes(self, criminal_id: str) -> None:
        naming = {"$or": [{"sighted": criminal_id}, {"named": criminal_id}]}
        for outcome in self._read(self._outcomes, naming):
            sightings = [one for one in outcome["sightings"] if one["criminal_id"] != criminal_id]
            alerts = [_without(one, criminal_id) for one in outcome["alerts"]]
            changed = {"sightings": sightings, "alerts": alerts} | {
                name: [one for one in outcome[name] if one != criminal_id]
                for name in ("sighted", "named")
            }
            self._outcomes.update_one({"_id": outcome["_id"]}, {"$set": changed})

    # -- reading -----------------------------------------------------------------------------

    def _find(self, criminal_id: str) -> Document | None:
        shown = {f"{OWN}.photos": 1}
        found = self._read(self._criminals, {"_id": {"$in": key_of(criminal_id)}}, shown)
        return found[0] if found else None

    def _read(
        self,
        collection: MongoCollection[Document],
        what: Mapping[str, Any],
        shown: Mapping[str, Any] | None = None,
    ) -> list[Document]:
        return list(self._each(collection, what, shown))

    def _each(
        self,
        collection: MongoCollection[Document],
        what: Mapping[str, Any],
        shown: Mapping[str, Any] | None = None,
    ) -> Iterator[Document]:
        with self._errors_mapped():
            yield from collection.find(what, shown)

    # -- the database ------------------------------------------------------------------------

    def _prepare(self) -> None:
        found = self._meta.find_one({"_id": "format"})
        if found and found["value"] > FORMAT:
            raise StoreFormatError(
                f"the database is of format {found['value']}; this susracker reads up to {FORMAT}: "
                "upgrade it"
            )
        self._meta.update_one({"_id": "format"}, {"$set": {"value": FORMAT}}, upsert=True)
        self._photos.create_index("digest", unique=True)
        self._photos.create_index("criminal_id")
        self._outcomes.create_index("event", unique=True)
        self._outcomes.create_index("first_seq", unique=True)
        for name in ("last_seq", "alerts.id", "sighted", "named", "newest_alert_at", "received_at"):
            self._outcomes.create_index(name)
        self._revisions.create_index("criminal_id")
        self._criminals.create_index("name")

    @contextmanager
    def _errors_mapped(self) -> Iterator[None]:
        if self._closed:
            raise StoreUnavailableError("the store was closed: open it again")
        try:
            yield
        except errors.OperationFailure as error:
            if error.code in WRONG_CREDENTIALS:
                raise StoreUnavailableError(
                    "MongoDB refuses the user: give a user and a password in the URL, who may read "
                    "and write the database"
                ) from error
            raise StoreUnavailableError(f"MongoDB refuses: {error}") from error
        except UNFIT as error:
            raise InputError(f"MongoDB cannot store this: {error}") from error
        except (errors.PyMongoError, errors.InvalidOperation) as error:
            raise StoreUnavailableError(f"MongoDB cannot be reached: {error}") from error


def _missing_options(url: str) -> dict[str, Any]:
    """Our options that a URL does not set itself."""
    return {name: value for name, value in OPTIONS.items() if f"{name}=" not in url}


def _again_while_taken(insert_next: Callable[[], Result]) -> Result:
    """What `insert_next` returns, once no other writer was faster."""
    while True:
        try:
            return insert_next()
        except errors.DuplicateKeyError:
            continue


def _of(criminal_ids: Collection[str] | None) -> Document:
    if criminal_ids is None:
        return {}
    return {"_id": {"$in": [key for one in criminal_ids for key in key_of(one)]}}


def _photos_of(document: Mapping[str, Any] | None) -> dict[str, int]:
    photos: dict[str, int] = document.get(OWN, {}).get("photos", {}) if document else {}
    return photos


def _template_field(template: Template) -> str:
    photo, encoder = field_name(template.photo_id), field_name(template.encoder_id)
    return f"{OWN}.templates.{photo}.{encoder}"


def _event_key(camera_id: str, event_id: str) -> str:
    """Ids hold no control characters."""
    return f"{camera_id}\x1f{event_id}"


def _unique_key() -> str:
    """In place of an event's key, which is unique, too."""
    return f"\x1f{uuid.uuid4().hex}"


def _outcome_document(
    key: str, alerts: Sequence[Alert], sightings: Sequence[Sighting], event: Event | None
) -> Document:
    named = {alert.criminal_id for alert in alerts} - {None}
    named |= {one.criminal_id for alert in alerts for one in alert.candidates}
    return {
        "event": key,
        "is_event": event is not None,
        "kind": event.kind if event else None,
        "received_at": to_integer(event.received_at) if event else None,
        # Unique, and never met by who looks for alerts.
        "first_seq": alerts[0].seq if alerts else -(uuid.uuid4().int >> 66),
        "last_seq": alerts[-1].seq if alerts else 0,
        "newest_alert_at": max((to_integer(one.occurred_at) for one in alerts), default=None),
        "alerts": [alert_document(one) for one in alerts],
        "sightings": [to_document(one) for one in sightings],
        "sighted": sorted({one.criminal_id for one in sightings}),
        "named": sorted(one for one in named if one),
    }


def _without(alert: Document, criminal_id: str) -> Document:
    """An alert without a criminal: about him, it loses the face and the link to him."""
    others = [one for one in alert["candidates"] if one["criminal_id"] != criminal_id]
    cleared = alert | {"candidates": others}
    if alert["criminal_id"] == criminal_id:
        cleared |= dict.fromkeys(("criminal_id", "name", "photo_id", "face"))
    return cleared


def _duplicate(photo: Photo) -> DuplicateError:
    return DuplicateError(f"the photo with the digest {photo.digest} is stored already")


def _no_criminal(criminal_id: str) -> NotFoundError:
    return NotFoundError(f"no criminal has the id {criminal_id!r}")


def _no_photo(photo_id: str) -> NotFoundError:
    return NotFoundError(f"no photo has the id {photo_id!r}")
