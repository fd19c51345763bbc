"""The suite over the built-in encoders."""

from __future__ import annotations

import pytest

from susracker.faces.encoder import Encoder
from susracker.plugins import open_encoder
from susracker.testing.encoder import *  # noqa: F403


@pytest.fixture(params=["dlib", "dlib-int8", "dlib-reference"])
def encoder(request: pytest.FixtureRequest) -> Encoder:
    return open_encoder(request.param)
