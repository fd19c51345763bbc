"""The backends that the contract suites run on."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from susracker.plugins import open_store
from susracker.replay.journal import ReplayJournal
from susracker.stores.base import Gallery, Journal, Store
from susracker.stores.sealing import KEY_BYTES, KeySealer

SEALED = "sealed "
"""Before the name of a store: the same, encrypted."""

PLAIN = ("sqlite", "mongodb")
STORES = (*PLAIN, *(SEALED + name for name in PLAIN))


@pytest.fixture(params=STORES)
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    return named(request.param, monkeypatch)


def named(store: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a backend, which from now on encrypts if it is to."""
    if store.startswith(SEALED):
        sealer = KeySealer(bytes(range(KEY_BYTES)))
        for module in ("sqlite", "mongo"):
            monkeypatch.setattr(f"susracker.stores.{module}.store.sealer_of", lambda _: sealer)
    return store.removeprefix(SEALED)


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
def journal(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Journal]:
    if request.param == "replay":
        yield ReplayJournal()
        return
    with open_store(url_of(named(request.param, monkeypatch), tmp_path, request)) as opened:
        yield opened
