"""Recordings of every format so far are read; `versions/` holds them as text."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from susracker.recording.reader import Recording
from susracker.testing.records import NOON

VERSIONS = Path(__file__).parent / "versions"

NAMES = sorted(path.name for path in VERSIONS.iterdir())


def make(name: str, folder: Path) -> Path:
    """A recording as an earlier version left it."""
    for path, content in json.loads((VERSIONS / name).read_text(encoding="utf-8")).items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        is_picture = file.suffix == ".png"
        file.write_bytes(base64.b64decode(content) if is_picture else content.encode())
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_everything_is_there(name: str, tmp_path: Path) -> None:
    recording = Recording(make(name, tmp_path))
    for read in (list(recording), list(recording.by_time())):
        assert recording.left_out == 0
        face, violence, anonymous = read
        assert (face.detection.camera_location, face.detection.event_id) == ("Gäte", "e1")
        assert (face.detection.picture or b"")[:4] == b"\x89PNG"
        assert face.detection.occurred_at == NOON
        assert face.received_at == NOON + timedelta(milliseconds=5)
        assert (violence.detection.event_type, violence.detection.picture) == ("violence", None)
        assert anonymous.embeddings
        assert anonymous.embeddings.encoder_id == "dlib/1"
        np.testing.assert_allclose(anonymous.embeddings.vectors, [[1, 0, 0, 0], [0, 0.6, 0.8, 0]])
