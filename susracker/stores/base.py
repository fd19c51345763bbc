"""What a store must do, whatever keeps the data.

A store is a bundle of small interfaces that share one database and its transactions: `Gallery`
holds who is enrolled, `Journal` what cameras saw, `Access` who may do what and who did it. Code
that needs one of them asks for that one.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from typing_extensions import Self

from susracker.stores.access import Access
from susracker.stores.gallery import Changes, Gallery, TemplateRows
from susracker.stores.journal import Journal

__all__ = ["Access", "Changes", "Gallery", "Journal", "Store", "TemplateRows"]


class Store(Gallery, Journal, Access):
    """A gallery, a journal and the access to them in one database."""

    @classmethod
    @abstractmethod
    def from_url(cls, url: str) -> Self:
        """Open the store at `url`, and create it where it is missing.

        Raises:
            ConfigError: the URL is malformed.
            StoreUnavailableError: it cannot be reached or written.
            StoreFormatError: what is there is not a susracker store, or is one of a newer version.
        """

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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
