"""Servers that tests of several folders share."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.services.servers import Service, start_mongodb, start_redis

MEMORY = Path("/dev/shm")
"""A filesystem in memory, which Linux has: databases of tests need not survive a loss of power, and
waiting for the disk would take a third of the time."""

ENOUGH_MEMORY = 2_000_000_000
"""Bytes that it must have free; containers may have 64 MB."""


def _use_memory() -> None:
    if "TMPDIR" in os.environ or not MEMORY.is_dir():
        return
    if shutil.disk_usage(MEMORY).free > ENOUGH_MEMORY:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None  # it may have been looked up before


_use_memory()

# Nothing of a test is left in the user's own folder, such as the key of an audit log.
_HOME = tempfile.TemporaryDirectory(prefix="susracker-tests-")
os.environ["XDG_DATA_HOME"] = _HOME.name

# Hundreds of servers would each start processes, for a second of two cores. Those of the tests in
# tests/torture and tests/server/test_finders.py do.
os.environ["SUSRACKER_FINDER_PROCESSES"] = "0"


def pytest_xdist_auto_num_workers() -> int:
    """One process more than cores: tests often wait for servers in processes of their own."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else 2


# How long an example takes depends on what else the machine does.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests come first: at the end, each would leave the other cores idle."""
    items.sort(key=lambda item: "torture" not in item.path.parts)


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


@pytest.fixture
def mongodb_url(mongodb_server: Service) -> str:
    """A database of the test's own."""
    return f"mongodb://127.0.0.1:{mongodb_server.port}/{uuid.uuid4().hex}"
