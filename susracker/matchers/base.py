"""The interface of all matchers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from typing_extensions import Self

from susracker.models import Vectors

ROUNDING = np.float32(1e-5)
"""How far a similarity in 32-bit numbers can be off: it is a sum of a few hundred terms, each
under 1 and good to 6e-8."""


class Neighbour(NamedTuple):
    """A criminal near a probe.

    Attributes:
        similarity: cosine between the probe and the criminal's nearest template, -1 to 1.
    """

    criminal_id: str
    similarity: float


class Matcher(ABC):
    """Holds the templates of many criminals, and finds the criminals nearest to a probe.

    All vectors are float32 and have unit length. A new matcher may be used at once: it finds
    nobody. Every method may be called from any thread, and people may be searched for while others
    are enrolled. A search sees each criminal as they were either before or after a change, never
    in between. Of changes to a criminal that are made at once, one wins as a whole. A similarity is
    exact to `ROUNDING`, and equal templates have equal similarities.

    Call `_check` and `_check_search` first: they raise each `ValueError` that is named here.
    """

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension

    @classmethod
    def from_url(cls, url: str, dimension: int) -> Self:
        """Open the matcher that a name or a URL selects, for templates of `dimension` numbers.

        Raises:
            ConfigError: the URL is malformed.
            StoreUnavailableError: an engine cannot be reached.
        """
        return cls(dimension)

    def upsert(self, criminal_id: str, templates: Vectors) -> None:
        """Replace all templates of a criminal by `templates`, shape (m, dimension).

        Zero rows remove the criminal. The array stays the caller's, who may change it afterwards.

        Raises:
            ValueError: wrong shape. Nothing was changed.
        """
        self.load([criminal_id] * len(templates), templates.copy())
        if not len(templates):
            self.remove(criminal_id)

    @abstractmethod
    def load(self, criminal_ids: Sequence[str], vectors: Vectors) -> None:
        """Replace all templates of many criminals, as if each was upserted.

        Criminals who are not named keep their templates. The rows of one criminal may stand
        anywhere.

        Args:
            criminal_ids: whose template each row is.
            vectors: shape (n, dimension). They are handed over: the matcher may keep and change
                them, because a copy of a million is half a gigabyte.

        Raises:
            ValueError: wrong shape, or not one id for each row. Nothing was changed.
        """

    @abstractmethod
    def remove(self, criminal_id: str) -> None:
        """Forget a criminal. It is no error if they are unknown."""

    @abstractmethod
    def search(self, probes: Vectors, k: int) -> list[list[Neighbour]]:
        """Find the `k` criminals nearest to each probe.

        Args:
            probes: shape (n, dimension).
            k: at least 1.

        Returns:
            For each probe at most `k` neighbours, best first, ties in the order of their ids. Each
            criminal appears once, with their nearest template, however many templates others
            have. There are fewer than `k` only where fewer are enrolled. No probes give an
            empty list.

        Raises:
            ValueError: wrong shape, or `k` below 1.
        """

    @abstractmethod
    def vectors(self, criminal_ids: Sequence[str]) -> Vectors:
        """One template of each criminal, exactly as it was loaded.

        Returns:
            Shape (n, dimension), in the order of `criminal_ids`; NaN for unknown criminals.
        """

    @abstractmethod
    def __len__(self) -> int:
        """How many criminals have a template here."""

    @abstractmethod
    def close(self) -> None:
        """Close connections. The matcher cannot be used afterwards; closing again is no error."""

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


def similarities_one_by_one(rows: Vectors, probe: Vectors) -> Vectors:
    """Similarities of rows, shape (n, dimension), to a probe, shape (dimension,).

    A matrix product rounds a row by its place. Here equal rows have equal similarities, so that
    they tie.
    """
    similarities: Vectors = np.einsum("ij,j->i", rows, probe)
    return similarities
