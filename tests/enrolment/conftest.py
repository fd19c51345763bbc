"""What tests of enrolment share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from susracker.enrolment.enroller import Enroller
from susracker.faces.encoder import Encoder
from susracker.plugins import open_encoder, open_store
from susracker.stores.base import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'people.db'}") as opened:
        yield opened


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return open_encoder("dlib")


@pytest.fixture
def enroller(store: Store, encoder: Encoder) -> Enroller:
    return Enroller(store, encoder)
