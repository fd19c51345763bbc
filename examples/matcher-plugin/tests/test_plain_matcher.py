"""Runs susracker's contract suite over the plain matcher."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from susracker.matchers.base import Matcher
from susracker.plugins import open_matcher
from susracker.testing.matcher import *  # noqa: F403
from susracker.testing.matcher import DIMENSION


@pytest.fixture
def matcher() -> Iterator[Matcher]:
    with closing(open_matcher("plain", DIMENSION)) as opened:
        yield opened
