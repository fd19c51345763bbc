"""Compares a probe with the templates near it, by Milvus: a file, or a cluster by its URL."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from pymilvus import DataType, MilvusClient
from pymilvus.exceptions import MilvusException
from typing_extensions import Self

from susracker.errors import ConfigError, StoreUnavailableError
from susracker.matchers.base import ROUNDING, Matcher, Neighbour, similarities_one_by_one
from susracker.models import Vectors
from susracker.passwords import told_without_password

COLLECTION = "susracker"
"""The collection of a URL that names none."""

ROWS_AT_ONCE = 1000

MOST = 16_384
"""The most results that Milvus gives for one probe."""

KEY_LENGTH = 80
"""Room for an id of 64 characters and a number."""


class MilvusMatcher(Matcher):
    """Keeps templates in a collection of Milvus.

    `milvus:///var/lib/gallery.db` is a file that Milvus's embedded engine opens for one process;
    `milvus://host:19530/collection` is a server or a cluster, which several processes may share.
    Each process brings the collection in step with its watch-list when it starts, and writes
    nothing that is there already. Milvus chooses how to search (`AUTOINDEX`), so a cluster may
    miss a near criminal; similarities are exact.

    Milvus has no transactions. A search in the middle of a change may see old and new templates of
    the same criminal together.

    Every method but `close` and `len` raises `StoreUnavailableError` while Milvus is unavailable.
    """

    def __init__(self, dimension: int, client: MilvusClient, collection: str) -> None:
        super().__init__(dimension)
        self._client = client
        self._collection = collection
        self._templates: dict[str, int] = {}  # how many each criminal has
        self._writing = threading.Lock()
        with _errors_mapped():
            if not client.has_collection(collection):
                self._create()
            client.load_collection(collection)

    @classmethod
    def from_url(cls, url: str, dimension: int) -> Self:
        """Open `milvus:///FILE.db` or `milvus://[USER:PASSWORD@]HOST[:PORT][/COLLECTION]`."""
        try:
            parts = urlsplit(url)
            port = parts.port or 19530
        except ValueError as error:
            told = told_without_password(error, url)
            raise ConfigError(f"the Milvus URL is wrong: {told}") from error
        if not url.startswith("milvus://") or not (parts.netloc or parts.path.strip("/")):
            raise ConfigError(
                "a Milvus URL must be like milvus:///gallery.db or milvus://host:19530"
            )
        with _errors_mapped():
            if not parts.netloc:
                return cls(dimension, MilvusClient(parts.path), COLLECTION)
            client = MilvusClient(
                f"http://{parts.hostname}:{port}",
                user=parts.username or "",
                password=parts.password or "",
            )
            return cls(dimension, client, parts.path.strip("/") or COLLECTION)

    def __len__(self) -> int:
        return len(self._templates)

    def load(self, criminal_ids: Sequence[str], vectors: Vectors) -> None:
        self._check(vectors, criminal_ids)
        counts: dict[str, int] = {}
        rows = []
        for criminal_id, vector in zip(criminal_ids, vectors, strict=True):
            number = counts.get(criminal_id, 0)
            counts[criminal_id] = number + 1
            rows.append(_row(criminal_id, number, vector))
        with self._writing, _errors_mapped():
            for start in range(0, len(rows), ROWS_AT_ONCE):
                self._upsert(rows[start : start + ROWS_AT_ONCE])
            for criminal_id, count in counts.items():
                self._delete(criminal_id, range(count, self._templates.get(criminal_id, 0)))
            self._templates |= counts

    def remove(self, criminal_id: str) -> None:
        with self._writing, _errors_mapped():
            self._delete(criminal_id, range(self._templates.pop(criminal_id, 0)))

    def search(self, probes: Vectors, k: int) -> list[list[Neighbour]]:
        self._check_search(probes, k)
        if not len(probes) or not self._templates:
            return [[] for _ in probes]
        with _errors_mapped():
            return [self._nearest(probe, k) for probe in probes]

    def vectors(self, criminal_ids: Sequence[str]) -> Vectors:
        keys = [_key(one, 0) for one in criminal_ids]
        with _errors_mapped():
            found = {one["key"]: one["vector"] for one in self._query(keys, "vector")}
        nobody = np.full(self.dimension, np.nan, np.float32)
        rows = [found.get(key, nobody) for key in keys]
        return np.array(rows, np.float32).reshape(len(rows), self.dimension)

    def close(self) -> None:
        with _errors_mapped():
            self._client.close()

    def _create(self) -> None:
        schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("key", DataType.VARCHAR, is_primary=True, max_length=KEY_LENGTH)
        schema.add_field("criminal_id", DataType.VARCHAR, max_length=KEY_LENGTH)
        schema.add_field("digest", DataType.VARCHAR, max_length=40)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=self.dimension)
        index = MilvusClient.prepare_index_params()
        index.add_index("vector", index_type="AUTOINDEX", metric_type="IP")
        self._client.create_collection(self._collection, schema=schema, consistency_level="Strong")
        # Without waiting: there is nothing to index yet, and the client looks every half second.
        self._client.create_index(self._collection, index, sync=False)

    def _upsert(self, rows: list[dict[str, Any]]) -> None:
        """Write the rows that are missing or different."""
        there = {
            one["key"]: one["digest"] for one in self._query([row["key"] for row in rows], "digest")
        }
        new = [row for row in rows if there.get(row["key"]) != row["digest"]]
        if new:
            self._client.upsert(self._collection, new)

    def _delete(self, criminal_id: str, numbers: range) -> None:
        keys = [_key(criminal_id, number) for number in numbers]
        if keys:
            self._client.delete(self._collection, ids=keys)

    def _query(self, keys: list[str], field: str) -> list[dict[str, Any]]:
        if not keys:
            return []
        found: list[dict[str, Any]] = self._client.get(
            self._collection, ids=keys, output_fields=["key", field]
        )
        return found

    def _nearest(self, probe: Vectors, k: int) -> list[Neighbour]:
        looked_at = min(2 * k + 1, MOST)
        while True:
            hits = self._client.search(
                self._collection,
                data=[probe.tolist()],
                limit=looked_at,
                output_fields=["key", "vector"],
                consistency_level="Strong",
            )[0]
            best: dict[str, float] = {}
            for key, similarity in self._compared(probe, hits):
                who, _, number = key.rpartition("/")
                # The collection may hold people and templates that were removed while no process
                # was there.
                if int(number) < self._templates.get(who, 0):
                    best[who] = max(similarity, best.get(who, similarity))
            found = [Neighbour(who, similarity) for who, similarity in best.items()]
            found.sort(key=lambda one: (-one.similarity, one.criminal_id))
            complete = len(found) > k and hits[-1]["distance"] < found[k - 1].similarity - ROUNDING
            if complete or len(hits) < looked_at or looked_at == MOST:
                return found[:k]
            looked_at = min(8 * looked_at, MOST)

    def _compared(self, probe: Vectors, hits: list[dict[str, Any]]) -> Iterator[tuple[str, float]]:
        """The key of each hit, and its similarity: Milvus rounds equal templates differently."""
        rows = np.array([hit["entity"]["vector"] for hit in hits], np.float32)
        rows = rows.reshape(len(hits), self.dimension)
        keys = [hit["entity"]["key"] for hit in hits]
        return zip(keys, similarities_one_by_one(rows, probe).tolist(), strict=True)


def _row(criminal_id: str, number: int, vector: Vectors) -> dict[str, Any]:
    digest = hashlib.sha1(np.ascontiguousarray(vector, "<f4").tobytes(), usedforsecurity=False)
    return {
        "key": _key(criminal_id, number),
        "criminal_id": criminal_id,
        "digest": digest.hexdigest(),
        "vector": vector,
    }


def _key(criminal_id: str, number: int) -> str:
    return f"{criminal_id}/{number}"


@contextmanager
def _errors_mapped() -> Iterator[None]:
    try:
        yield
    except MilvusException as error:
        raise StoreUnavailableError(f"Milvus cannot be used: {error}") from error
