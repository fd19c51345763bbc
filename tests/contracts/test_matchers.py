"""The suite over the built-in matchers.

Long sequences of changes are in tests/matchers/test_model.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from susracker.matchers.base import Matcher
from susracker.plugins import open_matcher
from susracker.testing.matcher import *  # noqa: F403
from susracker.testing.matcher import DIMENSION


@pytest.fixture(params=["exact", "faiss", "milvus"])
def matcher(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Matcher]:
    url = {"milvus": f"milvus://{tmp_path / 'gallery.db'}"}.get(request.param, request.param)
    with closing(open_matcher(url, DIMENSION)) as opened:
        yield opened
