"""A database of MongoDB: its collections, its errors, and numbers that grow by commit order."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pymongo
from bson.errors import InvalidDocument, InvalidStringData
from pymongo import MongoClient, ReturnDocument, errors
from pymongo.collection import Collection as MongoCollection
from pymongo.read_concern import ReadConcern
from typing_extensions import Self

from susracker.errors import ConfigError, InputError, StoreFormatError, StoreUnavailableError
from susracker.passwords import ESCAPE_PASSWORD, told_without_password
from susracker.stores.mongo.documents import OWN, Document, cooldown_keys
from susracker.stores.mongo.seals import SealGuard, admit
from susracker.stores.sealing import Sealer
from susracker.stores.seals import Seals

DATABASE = "susracker"
"""What is used where a URL names no database."""

PREFIX = "susracker_"
FORMAT = 5
"""1 had no `susracker.made`, 2 no keys, audit, judgements and holds, 3 no `cooldown_keys`,
4 `cooldown_keys` in upper and lower case."""

LAST_ALERT, LAST_JUDGEMENT = "last alert", "last judgement"
"""Names in `Database.floor`: the highest `seq` that was removed."""

FRESH_SECONDS = 60
"""How long a number is known to be the last one. Records by which others learn that a number is
taken are removed when they are old, and never so soon."""
WITH_TEMPLATES: Document = {f"{OWN}.templates": {"$exists": True}}
WITH_FACE: Document = {"alerts.face": {"$type": "binData"}}

WAIT_MILLISECONDS = 5000
"""How long a server is looked for: less than a client waits for its answer. A URL may set
`serverSelectionTimeoutMS` and the driver's other options."""

CHECK_SECONDS = 1.0
"""How long it may take to find out whether the database can be written."""

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

WRONG_CREDENTIALS = frozenset({13, 18, 8000})
"""MongoDB's error codes Unauthorized, AuthenticationFailed and AtlasError."""

UNFIT = (InvalidDocument, InvalidStringData, OverflowError, UnicodeEncodeError)
"""What is raised for a value that MongoDB cannot take."""

DRIVER_DETAILS = re.compile(r" \(configured timeouts: [^()]*\)|, Timeout: .*", re.DOTALL)
"""What the driver adds to the reason why a server cannot be reached."""

Result = TypeVar("Result")


class Database:
    """The collections of a store.

    Criminals are in `criminals`, which a web panel may write to, too; all else is in collections
    that begin with `susracker_`.

    Args:
        sealer: of the data key that its content is encrypted with.

    Raises:
        ConfigError: the data key is missing or wrong.
    """

    def __init__(self, client: MongoClient[Document], name: str, sealer: Sealer) -> None:
        self._client = client
        self.sealer = sealer
        database = client[name]
        self.criminals = database["criminals"]
        self.photos = database[PREFIX + "photos"]
        self.outcomes = database[PREFIX + "outcomes"]
        # A server that was elected just now may not yet confirm what the one before it stored.
        self.unconfirmed_outcomes = self.outcomes.with_options(read_concern=ReadConcern("local"))
        self.revisions = database[PREFIX + "revisions"]
        self.cameras = database[PREFIX + "cameras"]
        self.camera_days = database[PREFIX + "camera_days"]
        self.places = database[PREFIX + "places"]
        self.keys = database[PREFIX + "keys"]
        self.audit = database[PREFIX + "audit"]
        self.judgements = database[PREFIX + "judgements"]
        self.channels = database[PREFIX + "channels"]
        self.improvements = database[PREFIX + "improvements"]
        self.meta = database[PREFIX + "meta"]
        # Writers of one process take turns, rather than run into each other's next number.
        self.turn = threading.RLock()
        self._revision = NextNumber()
        self._closed = False
        with ExitStack() as undo:
            undo.callback(client.close)
            with self.errors_mapped():
                self._prepare()
                self.guard = SealGuard(self.meta, self._admit())
            undo.pop_all()

    @classmethod
    def from_url(cls, url: str, sealer: Sealer) -> Self:
        """Open the database that `url` names, such as `mongodb://user:password@host/susracker`.

        With the options of MongoDB's connection strings, such as `?replicaSet=rs0`.
        """
        client = client_of(url)
        return cls(client, client.get_default_database(DATABASE).name, sealer)

    def next_number(self, name: str) -> int:
        """The next number of a counter, from 1."""
        counter = self.meta.find_one_and_update(
            {"_id": name}, {"$inc": {"value": 1}}, upsert=True, return_document=ReturnDocument.AFTER
        )
        return int((counter or {})["value"])

    def raise_floor(self, name: str, number: int) -> None:
        """Say, before the record of a number is removed, that the number is used up."""
        self.meta.update_one({"_id": name}, {"$max": {"value": number}}, upsert=True)

    def floor(self, name: str) -> int:
        """The highest number of a removed record; ask for it after the highest one that is there,
        so that a removal in between is not missed."""
        found = self.meta.find_one({"_id": name})
        return int(found["value"]) if found else 0

    def revision(self) -> int:
        """The newest revision; 0 where nothing has changed ever."""
        newest = self.revisions.find_one({}, sort=[("_id", -1)])
        return int(newest["_id"]) if newest else 0

    def bump_revision(self, criminal_id: str) -> None:
        """Say that someone changed; only the newest revision of each person is kept.

        A number that is not kept is free again. A writer who does not know of newer ones may take
        it, but followers have read past it. So they are told again, until nothing newer is there.
        """

        def insert_next() -> int:
            number = self._revision.next(self.revision)
            self.revisions.insert_one({"_id": number, "criminal_id": criminal_id})
            self._revision.taken(number)
            return number

        with self.turn:
            told = again_while_taken(insert_next, self._revision.forget)
            while self.revision() > told:
                self._revision.forget()
                told = again_while_taken(insert_next, self._revision.forget)
        self.revisions.delete_many({"criminal_id": criminal_id, "_id": {"$lt": told}})

    def next_revision(self) -> int:
        """A new `Criminal.revision`; no two changes of anyone have the same."""
        return self.next_number("criminal revision")

    def read(
        self,
        collection: MongoCollection[Document],
        what: Mapping[str, Any],
        shown: Mapping[str, Any] | None = None,
    ) -> list[Document]:
        """Documents that fit, with the fields that are to be shown."""
        return list(self.each(collection, what, shown))

    def each(
        self,
        collection: MongoCollection[Document],
        what: Mapping[str, Any],
        shown: Mapping[str, Any] | None = None,
    ) -> Iterator[Document]:
        """The same, one after the other."""
        with self.errors_mapped():
            yield from collection.find(what, shown)

    def check(self) -> None:
        """Find out within `CHECK_SECONDS` whether the database can be written."""
        with self.errors_mapped(), pymongo.timeout(CHECK_SECONDS):
            self.meta.update_one({"_id": "check"}, {"$inc": {"count": 1}}, upsert=True)

    def close(self) -> None:
        """Close all connections."""
        self._closed = True
        self._client.close()

    def _prepare(self) -> None:
        found = self.meta.find_one({"_id": "format"})
        present = int(found["value"]) if found else 0
        if present > FORMAT:
            raise StoreFormatError(
                f"the database is of format {present}; this susracker reads up to {FORMAT}: "
                "upgrade it"
            )
        self._index()
        if present < 2:
            self._count_templates()
        if present < 5:
            self._note_cooldown_keys()
        # Last: a migration that was interrupted is done again.
        self.meta.update_one({"_id": "format"}, {"$set": {"value": FORMAT}}, upsert=True)

    def _admit(self) -> Seals:
        return admit(self.meta, self._holds_content, self.sealer)

    def _holds_content(self) -> bool:
        places: list[tuple[MongoCollection[Document], Document]] = [
            (self.photos, {}),
            (self.criminals, WITH_TEMPLATES),
            (self.outcomes, WITH_FACE),
        ]
        return any(place.find_one(what, {"_id": 1}) for place, what in places)

    def _index(self) -> None:
        self.photos.create_index("digest", unique=True)
        self.photos.create_index("criminal_id")
        self.outcomes.create_index("event", unique=True)
        self.outcomes.create_index("first_seq", unique=True)
        for name in ("last_seq", "alerts.id", "sighted", "named", "newest_alert_at", "received_at"):
            self.outcomes.create_index(name)
        self.outcomes.create_index("alerts.status")
        for name in ("camera_id", "criminal_id", "kind"):
            self.outcomes.create_index([(f"alerts.{name}", 1), ("first_seq", 1)])
        self.outcomes.create_index("alerts.occurred_at")
        # Finds the newest alert that may hold another one back.
        self.outcomes.create_index([("cooldown_keys", 1), ("first_seq", -1)])
        self.criminals.create_index("name")
        self.revisions.create_index("criminal_id")
        # Who owns the key; if it is revoked, something unique, as its name may be used again.
        self.keys.create_index("holder", unique=True)
        self.audit.create_index("at")
        # Of those who judge an alert at once, having seen the same, one is let through.
        self.judgements.create_index([("alert_id", 1), ("seen", 1)], unique=True)
        self.judgements.create_index("made_at")
        self.judgements.create_index("settled")
        for name in ("alerts.received_at", "sightings.received_at", "is_held"):
            self.outcomes.create_index(name)

    def _count_templates(self) -> None:
        """From format 1 to 2."""
        templates = f"{OWN}.templates"
        for document in self.criminals.find({templates: {"$exists": True}}, {templates: 1}):
            made = {
                f"{OWN}.made.{encoder}.{photo}": 1
                for photo, by_encoder in document[OWN]["templates"].items()
                for encoder in by_encoder
            }
            if made:
                self.criminals.update_one({"_id": document["_id"]}, {"$set": made})

    def _note_cooldown_keys(self) -> None:
        """From formats 3 and 4 to 5."""
        for outcome in self.outcomes.find({"alerts": {"$ne": []}}, {"alerts.face": 0}):
            keys = cooldown_keys(outcome["alerts"])
            if keys != outcome.get("cooldown_keys"):
                changed = {"$set": {"cooldown_keys": keys}}
                self.outcomes.update_one({"_id": outcome["_id"]}, changed)

    @contextmanager
    def errors_mapped(self) -> Iterator[None]:
        """Errors of the driver become ours."""
        if self._closed:
            raise StoreUnavailableError("the store was closed: open it again")
        with errors_mapped():
            yield


def client_of(url: str) -> MongoClient[Document]:
    """A client of the server that a URL names. It connects when it is used.

    Raises:
        ConfigError: the URL is malformed.
    """
    if not re.match(r"mongodb(\+srv)?://.", url):
        raise ConfigError("a MongoDB URL must be like mongodb://host:27017/susracker")
    try:
        if "@" in urlsplit(url).path:  # the driver would show a part of the password as a host
            raise ConfigError(f"the MongoDB URL is wrong: {ESCAPE_PASSWORD}")
        client: MongoClient[Document] = MongoClient(url, **_missing_options(url))
        client.get_default_database(DATABASE)
    except (errors.ConfigurationError, errors.InvalidURI, ValueError) as error:
        told = told_without_password(error, url)
        raise ConfigError(f"the MongoDB URL is wrong: {told}") from error
    return client


def has_collections(url: str) -> bool:
    """Whether anything is in the database that a URL names.

    Raises:
        ConfigError: the URL is malformed.
        StoreUnavailableError: the server cannot be reached.
    """
    with client_of(url) as client, errors_mapped():
        return bool(client.get_default_database(DATABASE).list_collection_names())


@contextmanager
def errors_mapped() -> Iterator[None]:
    """Errors of the driver become ours."""
    try:
        yield
    except errors.OperationFailure as error:
        if error.code in WRONG_CREDENTIALS:
            raise StoreUnavailableError(
                "MongoDB refuses the user: put the name and password of a user who may read "
                "and write the database into the URL"
            ) from error
        raise StoreUnavailableError(f"MongoDB refuses: {error}") from error
    except UNFIT as error:
        raise InputError(f"MongoDB cannot store this: {error}") from error
    except (errors.PyMongoError, errors.InvalidOperation) as error:
        raise StoreUnavailableError(
            f"MongoDB cannot be reached: {DRIVER_DETAILS.sub('', str(error))}"
        ) from error


def _missing_options(url: str) -> dict[str, Any]:
    """Our options that a URL does not set itself."""
    return {name: value for name, value in OPTIONS.items() if f"{name}=" not in url}


def again_while_taken(
    insert_next: Callable[[], Result], forget: Callable[[], None] = lambda: None
) -> Result:
    """What `insert_next` returns, once no other writer was faster; `forget` is called whenever one
    was."""
    while True:
        try:
            return insert_next()
        except errors.DuplicateKeyError:
            forget()


class NextNumber:
    """The number after the last that is known to be taken, without asking for it each time.

    Where another process took it, a unique index says so; then it is asked for again.
    """

    def __init__(self) -> None:
        self._last: int | None = None
        self._known_at = 0.0

    def next(self, read_last: Callable[[], int]) -> int:
        """The next number; `read_last` reads the last from the database."""
        is_fresh = time.monotonic() < self._known_at + FRESH_SECONDS
        return (self._last if is_fresh and self._last is not None else read_last()) + 1

    def taken(self, number: int | None) -> None:
        """A number was taken by us; None where none was needed."""
        if number is not None:
            self._last, self._known_at = number, time.monotonic()

    def forget(self) -> None:
        """Ask the database the next time."""
        self._last = None
