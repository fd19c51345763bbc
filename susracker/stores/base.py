"""What a store must do, whatever keeps the data.

A store is a bundle of small interfaces that share one database and its transactions: `Gallery`
holds who is enrolled, `Journal` what cameras saw and what people say about it, `Access` who may do
what and who did it, `Site` where cameras are, and `Outbox` how far deliveries to other systems
have come. Code that needs one of them asks for that one.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from typing_extensions import Self

from susracker.errors import ConfigError
from susracker.runtime.closing import Closing
from susracker.stores.access import Access
from susracker.stores.gallery import Changes, Gallery, TemplateRows
from susracker.stores.journal import Journal
from susracker.stores.outbox import Outbox
from susracker.stores.rotation import Vault
from susracker.stores.site import Site

__all__ = [
    "Access",
    "Changes",
    "Gallery",
    "Journal",
    "Outbox",
    "Site",
    "Store",
    "TemplateRows",
]


class Store(Gallery, Journal, Access, Site, Outbox, Closing):
    """A gallery, a journal, the access to them, the plan of the site and an outbox in one
    database."""

    encrypts: ClassVar[bool] = False
    """Whether it can encrypt photos, templates and faces: whether `from_url` takes a data key."""

    @classmethod
    @abstractmethod
    def from_url(cls, url: str, data_key: str = "") -> Self:
        """Open the store at `url`, and create it where it is missing.

        Args:
            data_key: the setting of that name, which `susracker.stores.data_key.sealer_of` reads;
                empty for a store that is not encrypted. A store that cannot encrypt may leave this
                parameter out.

        Raises:
            ConfigError: the URL is malformed, or the data key is missing or wrong.
            StoreUnavailableError: it cannot be reached or written.
            StoreFormatError: what is there is not a susracker store, or is one of a newer version.
        """

    @classmethod
    @abstractmethod
    def exists(cls, url: str) -> bool:
        """Whether there is a store, or something else, at `url`. Creates nothing.

        Raises:
            ConfigError: the URL is malformed.
            StoreUnavailableError: it cannot be reached.
        """

    @classmethod
    def open_vault(cls, url: str) -> Vault:
        """Open the store at `url` for a rotation of its data key, whatever that key is.

        Raises:
            ConfigError: the store cannot encrypt, or the URL is malformed.
        """
        raise ConfigError(f"the store {url.partition(':')[0]!r} cannot encrypt: choose another")

    @abstractmethod
    def check(self) -> None:
        """Find out within two seconds whether the store can be written at present.

        Raises:
            StoreUnavailableError: it cannot.
            StoreFormatError: it is damaged.
        """

    @contextmanager
    def snapshot(self) -> Iterator[Store]:
        """The store as it is at this moment, to be read while others write.

        Where a database has no such thing, which is the default here, each reading shows what is
        there at its own moment.
        """
        yield self

    @abstractmethod
    def close(self) -> None:
        """Close files and connections. No other method may be called afterwards."""
