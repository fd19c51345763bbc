"""Stores of earlier formats: `versions/` holds them as text, each with something of everything that
its format knew. Where a name has a time, checkouts of that hour made such files."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing
from pathlib import Path

import pymongo
from bson import json_util

VERSIONS = Path(__file__).parent / "versions"

DATA_KEY = "base64:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
"""Of the stores that are encrypted; it encrypts nothing else."""


def names(beginning: str = "") -> list[str]:
    """All stores, or those of one kind: "sqlite" or "mongodb"."""
    return sorted(path.name for path in VERSIONS.iterdir() if path.name.startswith(beginning))


def data_key_of(name: str) -> str:
    """What the store is encrypted with; "" if it is not."""
    return DATA_KEY if "encrypted" in name else ""


def make_sqlite(name: str, folder: Path) -> str:
    """A store as an earlier version left it. Returns its URL."""
    path = folder / f"{uuid.uuid4().hex}.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((VERSIONS / name).read_text(encoding="utf-8"))
    return f"sqlite:///{path}"


def make_mongodb(name: str, port: int) -> str:
    """The same in MongoDB."""
    url = f"mongodb://127.0.0.1:{port}/{uuid.uuid4().hex}"
    with pymongo.MongoClient(url) as client:
        for collection, documents in json_util.loads((VERSIONS / name).read_text("utf-8")).items():
            client.get_default_database()[collection].insert_many(documents)
    return url
