"""The suite over the built-in encoders, and over a network of a site's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from susracker.faces.encoder import Encoder
from susracker.plugins import open_encoder
from susracker.testing.encoder import *  # noqa: F403
from tests.faces import networks


@pytest.fixture(params=["dlib", "dlib-int8", "dlib-reference", "onnx"])
def encoder(request: pytest.FixtureRequest, tmp_path: Path) -> Encoder:
    if request.param != "onnx":
        return open_encoder(request.param)
    return open_encoder(f"onnx:{networks.write(tmp_path, networks.projection())}")
