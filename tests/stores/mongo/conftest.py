"""What tests of MongoDB's stores share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from susracker.plugins import open_store
from susracker.stores.base import Store


@pytest.fixture
def url(mongodb_url: str) -> str:
    return mongodb_url


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with open_store(url) as opened:
        yield opened
