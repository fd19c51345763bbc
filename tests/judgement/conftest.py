"""What tests of judgements share."""

from __future__ import annotations

import pytest

from susracker.replay.journal import ReplayJournal


@pytest.fixture
def journal() -> ReplayJournal:
    return ReplayJournal()
