"""A store in one SQLite file: the default, with no server to start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from typing_extensions import Self

from susracker.errors import ConfigError
from susracker.passwords import without_password
from susracker.runtime.files import expanded
from susracker.stores.base import Store
from susracker.stores.data_key import sealer_of
from susracker.stores.rotation import Vault
from susracker.stores.sealing import Sealer
from susracker.stores.sqlite.access import SqliteAccess
from susracker.stores.sqlite.database import Database
from susracker.stores.sqlite.gallery import SqliteGallery
from susracker.stores.sqlite.journal import SqliteJournal
from susracker.stores.sqlite.outbox import SqliteOutbox
from susracker.stores.sqlite.site import SqliteSite
from susracker.stores.sqlite.vault import SqliteVault

SCHEME = "sqlite:///"


class SqliteStore(SqliteGallery, SqliteJournal, SqliteAccess, SqliteSite, SqliteOutbox, Store):
    """A store in an SQLite file in write-ahead mode.

    Any number of processes on one machine may use the file; a network drive may not hold it. A
    write is on disk when it returns (`synchronous=FULL`).

    What is removed is overwritten with zeros in the file (`secure_delete`), and the log, which
    still has it, is emptied. Where a reader is in the middle of something just then, that happens
    with the next checkpoint, at the latest when the last process closes the file. Copies that a
    disk, a file system or a backup keeps are out of reach.
    """

    encrypts = True

    @classmethod
    def open(cls, path: Path, sealer: Sealer | None = None) -> Self:
        """Open a file, and make it a store where there is none.

        Raises:
            ConfigError: the data key is missing or wrong.
            StoreUnavailableError: it cannot be opened or written.
            StoreFormatError: it is something else, or of a newer version.
        """
        return cls(Database(path, sealer))

    @classmethod
    def from_url(cls, url: str, data_key: str = "") -> Self:
        """Open the file that `url` names, such as `sqlite:///people.db` in the working directory,
        `sqlite:////var/lib/people.db` or `sqlite:///~/people.db`."""
        return cls.open(path_of(url), sealer_of(data_key))

    @classmethod
    def exists(cls, url: str) -> bool:
        return expanded(path_of(url)).exists()

    @classmethod
    def open_vault(cls, url: str) -> Vault:
        return SqliteVault(path_of(url))

    def check(self) -> None:
        self._db.check()

    @contextmanager
    def snapshot(self) -> Iterator[Store]:
        """The file as it is at this moment, while others write; its log grows meanwhile."""
        with self._db.snapshot() as snapshot:
            yield type(self)(snapshot)

    def close(self) -> None:
        self._db.close()


def path_of(url: str) -> Path:
    """The file that a store's URL names.

    Raises:
        ConfigError: it names none.
    """
    path = url.removeprefix(SCHEME)
    if path in (url, "", ":memory:") or "\0" in path:
        shown = without_password(url)
        raise ConfigError(f"{shown!r} names no file: it must be like {SCHEME}people.db")
    return Path(path)
