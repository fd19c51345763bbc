"""The Redis cooldown's own promises."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
import redis

from susracker.cooldowns import redis as redis_cooldown
from susracker.cooldowns.redis import RedisCooldown
from susracker.errors import ConfigError
from tests.services.servers import free_port, start_redis
from tests.waiting import wait_until

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


@pytest.fixture
def own_server(tmp_path):
    """A Redis of the test's own, which it may stop."""
    server = start_redis(tmp_path)
    yield server
    server.kill()


@pytest.fixture
def seconds(monkeypatch):
    """The clock by which an unavailable Redis is tried again: it stands still."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(redis_cooldown, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def test_while_redis_is_unavailable_every_key_passes(own_server, seconds, caplog):
    cooldown = RedisCooldown.from_url(f"redis://127.0.0.1:{own_server.port}/0", 5)

    def passes(token: str) -> bool:
        return cooldown.try_acquire("k", NOON, token)

    with caplog.at_level(logging.WARNING):
        assert (passes("a"), passes("b")) == (True, False)
        own_server.kill()
        first_problem = None
        for _ in range(2):
            assert passes("c")
            cooldown.release("k", "c")
            assert cooldown.problem.startswith(
                "Redis is unavailable, so the store is asked about each match:"
            )
            seconds.now += 1
            first_problem = first_problem or cooldown.problem
        assert passes("d")
        own_server.start()
        seconds.now += 0.999
        assert passes("e")
        assert cooldown.problem
        seconds.now += 0.001

        def is_asked_again() -> bool:
            seconds.now += redis_cooldown.RETRY_SECONDS
            return not passes("f")

        # It has only just started, and may not answer in time at first.
        assert not passes("f") or wait_until(is_asked_again)
        assert cooldown.problem is None
    cooldown.close()
    assert caplog.messages[0] == first_problem
    assert caplog.messages[1:] == ["Redis is available again; it is asked before the store"]


def test_an_alert_does_not_wait_long_for_redis():
    cooldown = RedisCooldown.from_url(f"redis://127.0.0.1:{free_port()}/0", 5)
    options = cooldown._client.connection_pool.connection_kwargs
    assert (options["socket_timeout"], options["socket_connect_timeout"]) == (0.5, 0.5)
    cooldown.close()


def test_a_url_that_is_wrong_is_an_error():
    with pytest.raises(ConfigError, match=r"^the Redis URL is wrong: ."):
        RedisCooldown.from_url("redis://127.0.0.1:port/0", 5)
