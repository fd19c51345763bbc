"""A store in MongoDB, for several servers that share one watch-list."""

from __future__ import annotations

from typing_extensions import Self

from susracker.stores.base import Store
from susracker.stores.data_key import sealer_of
from susracker.stores.mongo.access import MongoAccess
from susracker.stores.mongo.database import Database, has_collections
from susracker.stores.mongo.gallery import MongoGallery
from susracker.stores.mongo.journal import MongoJournal
from susracker.stores.mongo.outbox import MongoOutbox
from susracker.stores.mongo.site import MongoSite
from susracker.stores.mongo.vault import MongoVault, UnopenedDatabase
from susracker.stores.rotation import Vault
from susracker.stores.sealing import PlainSealer


class MongoStore(MongoGallery, MongoJournal, MongoAccess, MongoSite, MongoOutbox, Store):
    """A store in a database of MongoDB, or of FerretDB.

    Criminals are in the collection `criminals`, where a web panel may keep them, too: what is ours
    is in the sub-document `susracker`. All else is in collections that begin with `susracker_`.

    No transactions are needed, which not every server has. What must happen as one is one
    document: a criminal with their templates; and what became of a detection, with its alerts,
    sightings and the event's id. Numbers that grow by commit order, `seq` and the revision, are
    given out by inserting the next one, which a unique index lets only one writer do. So what a
    writer has read before it inserts `seq` is still all there is, or else it reads again: this is
    how an alert is refused that comes too soon after another.
    """

    encrypts = True

    def __init__(self, database: Database) -> None:
        MongoGallery.__init__(self, database)
        MongoJournal.__init__(self, database)
        MongoAccess.__init__(self, database)
        MongoSite.__init__(self, database)
        MongoOutbox.__init__(self, database)

    @classmethod
    def from_url(cls, url: str, data_key: str = "") -> Self:
        """Open the database that `url` names, such as `mongodb://user:password@host/susracker`.

        With the options of MongoDB's connection strings, such as `?replicaSet=rs0`.
        """
        return cls(Database.from_url(url, sealer_of(data_key)))

    @classmethod
    def exists(cls, url: str) -> bool:
        return has_collections(url)

    @classmethod
    def open_vault(cls, url: str) -> Vault:
        return MongoVault(UnopenedDatabase.from_url(url, PlainSealer()))

    def check(self) -> None:
        self._db.check()

    def close(self) -> None:
        self._db.close()
