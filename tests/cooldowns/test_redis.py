"""The Redis cooldown's own promises."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
import redis

from susracker.cooldowns.redis import RedisCooldown

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
NOON_IN_MICROSECONDS = 1_767_268_800_000_000


@pytest.fixture
def client(redis_server):
    with redis.Redis(port=redis_server.port) as client:
        client.flushall()
        yield client


@pytest.fixture
def cooldown(client):
    cooldown = RedisCooldown(client, 5)
    yield cooldown
    cooldown.close()


def test_keys_of_the_previous_version_hold_back(client, cooldown):
    """It kept the time of the last taking by itself, as a string."""
    client.set("susracker:cooldown:k", NOON_IN_MICROSECONDS, px=3_600_000)
    late, later = NOON + timedelta(seconds=4.999999), NOON + timedelta(seconds=5)
    assert not cooldown.try_acquire("k", late, "a")
    assert cooldown.try_acquire("k", later, "b")
    cooldown.release("k", "b")
    assert not cooldown.try_acquire("k", late, "c")
    assert cooldown.problem is None


def test_keys_expire_after_the_cooldown_and_an_hour(client, cooldown):
    cooldown.try_acquire("k", NOON, "a")
    (key,) = client.keys()
    assert 3_600_000 < client.pttl(key) <= 3_605_000


def test_what_is_given_back_leaves_no_key(client, cooldown):
    cooldown.try_acquire("k", NOON, "a")
    cooldown.release("k", "a")
    assert client.keys() == []
