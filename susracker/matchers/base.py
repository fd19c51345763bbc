"""What a matcher must do, whatever the index behind it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from typing_extensions import Self

from susracker.models import Vectors


class Neighbour(NamedTuple):
    """A criminal near a probe.

    Attributes:
        similarity: cosine between the probe and the criminal's nearest template, -1 to 1.
    """

    criminal_id: str
    similarity: float


class Matcher(ABC):
    """Templates of many criminals, and who among them is nearest to a probe.

    All vectors have unit length. Every method may be called from any thread, searches while
    others enrol; a search sees each criminal either before or after a change to it.
    """

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension

    @classmethod
    def from_url(cls, url: str, dimension: int) -> Self:
        """Make the matcher that a name or a URL says, for templates of `dimension` numbers.

        Raises:
            ConfigError: the URL is malformed.
            StoreUnavailableError: an engine cannot be reached.
        """
        return cls(dimension)

    def upsert(self, criminal_id: str, templates: Vectors) -> None:
        """Make `templates`, shape (m, dimension), all that is known of a criminal.

        Zero rows remove the criminal.

        Raises:
            ValueError: wrong shape.
        """
        self.load([criminal_id] * len(templates), templates)
        if not len(templates):
            self.remove(criminal_id)

    @abstractmethod
    def load(self, criminal_ids: Sequence[str], vectors: Vectors) -> None:
        """Upsert many criminals; the rows of one stand together, as a store hands them out.

        `vectors` are handed over: the matcher may keep and change them, for a copy of a million
        is half a gigabyte.

        Raises:
            ValueError: wrong shape, or not an id for each row.
        """

    @abstractmethod
    def remove(self, criminal_id: str) -> None:
        """Forget a criminal; one that is unknown is no error."""

    @abstractmethod
    def search(self, probes: Vectors, k: int) -> list[list[Neighbour]]:
        """The `k` criminals nearest to each probe.

        Args:
            probes: shape (n, dimension).
            k: at least 1.

        Returns:
            for each probe at most `k` neighbours, best first, one a criminal, ties by id; fewer
            where fewer are enrolled.

        Raises:
            ValueError: wrong shape.
        """

    @abstractmethod
    def vectors(self, criminal_ids: Sequence[str]) -> Vectors:
        """One template of each criminal, shape (n, dimension); NaN for who is unknown."""

    @abstractmethod
    def __len__(self) -> int:
        """How many criminals have a template here."""

    def _check(self, vectors: Vectors, criminal_ids: Sequence[str] | None = None) -> None:
        """Raise a ValueError for a wrong shape, or for rows without an id."""
        if vectors.ndim != 2 or vectors.shape[1] != self.dimension:
            raise ValueError(f"shape {vectors.shape}; (n, {self.dimension}) is needed")
        if criminal_ids is not None and len(criminal_ids) != len(vectors):
            raise ValueError(f"{len(criminal_ids)} ids for {len(vectors)} templates")

    def _check_search(self, probes: Vectors, k: int) -> None:
        """Raise a ValueError for probes of a wrong shape, or a `k` below 1."""
        self._check(probes)
        if k < 1:
            raise ValueError(f"k is {k}; at least 1 is needed")
