"""The backends that the contract suites run on."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from susracker.plugins import open_store
from susracker.replay.journal import ReplayJournal
from susracker.stores.base import Gallery, Journal, Store

STORES = ("sqlite", "mongodb")


@pytest.fixture(params=STORES)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    return url_of(backend, tmp_path, request)


def url_of(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    if backend == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    server = request.getfixturevalue("mongodb_server")
    return f"mongodb://127.0.0.1:{server.port}/{uuid.uuid4().hex}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with open_store(url) as opened:
        yield opened


@pytest.fixture
def gallery(store: Store) -> Gallery:
    return store


@pytest.fixture(params=[*STORES, "replay"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    if request.param == "replay":
        yield ReplayJournal()
        return
    with open_store(url_of(request.param, tmp_path, request)) as opened:
        yield opened
