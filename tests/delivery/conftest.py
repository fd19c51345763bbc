"""Receivers for tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.delivery.web import WebServer


@pytest.fixture
def web() -> Iterator[WebServer]:
    server = WebServer()
    yield server
    server.close()
