"""The memory cooldown's own promises."""

from __future__ import annotations

from datetime import datetime, timezone

from susracker.cooldowns import memory
from susracker.cooldowns.memory import MemoryCooldown

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)


def test_memory_is_bounded_and_forgets_the_oldest(monkeypatch):
    monkeypatch.setattr(memory, "MAX_KEYS", 3)
    cooldown = MemoryCooldown(3600)
    for key in "abcd":
        assert cooldown.try_acquire(key, NOON, "t")
    assert not cooldown.try_acquire("b", NOON, "u")
    assert cooldown.try_acquire("a", NOON, "u")
