"""Servers that tests of several folders share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.services.servers import Service, start_mongodb, start_redis


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One Redis for all tests; each uses keys of its own."""
    service = start_redis(tmp_path_factory.mktemp("redis"))
    yield service
    service.kill()


@pytest.fixture(scope="session")
def mongodb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One FerretDB for all tests; each uses a database of its own."""
    service = start_mongodb(tmp_path_factory.mktemp("mongodb"))
    yield service
    service.kill()
