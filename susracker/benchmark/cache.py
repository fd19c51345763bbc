"""Embeddings of photos, kept from run to run."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from platformdirs import user_cache_path

from susracker.errors import StoreUnavailableError

FILE = "embeddings.db"


class EmbeddingCache:
    """Bytes by key, in an SQLite file. Safe to use from any thread, and by several processes.

    Args:
        folder: folder of the file; by default the user's cache directory.

    Raises:
        StoreUnavailableError: the file cannot be opened or written.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.file = (folder or user_cache_path("susracker")) / FILE
        self._lock = threading.Lock()
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(self.file, check_same_thread=False, timeout=60)
            # The cache can be made again: it need not survive a power cut.
            self._database.execute("PRAGMA synchronous = OFF")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS embeddings (key TEXT PRIMARY KEY, value BLOB) STRICT"
            )
        except (OSError, sqlite3.Error) as error:
            raise self._unavailable(error) from error

    def get(self, key: str) -> bytes | None:
        """The value of a key; None if there is none.

        Raises:
            StoreUnavailableError: the file cannot be read.
        """
        query = "SELECT value FROM embeddings WHERE key = ?"
        try:
            with self._lock:
                row = self._database.execute(query, (key,)).fetchone()
        except sqlite3.Error as error:
            raise self._unavailable(error) from error
        return None if row is None else bytes(row[0])

    def put(self, key: str, value: bytes) -> None:
        """Set the value of a key.

        Raises:
            StoreUnavailableError: the file cannot be written.
        """
        try:
            with self._lock, self._database:
                self._database.execute("REPLACE INTO embeddings VALUES (?, ?)", (key, value))
        except sqlite3.Error as error:
            raise self._unavailable(error) from error

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _unavailable(self, error: Exception) -> StoreUnavailableError:
        return StoreUnavailableError(
            f"cannot use the cache of embeddings in {self.file}: {error}; you may delete it"
        )
