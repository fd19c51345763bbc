"""The suite over the built-in cooldowns."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from susracker.cooldowns.base import Cooldown
from susracker.plugins import open_cooldown
from susracker.testing.cooldown import *  # noqa: F403
from susracker.testing.cooldown import CooldownOf
from tests.services.servers import redis_url


@pytest.fixture(params=["memory", "redis"])
def cooldown_of(request: pytest.FixtureRequest) -> Iterator[CooldownOf]:
    opened = []
    url = request.param
    if url == "redis":
        server = request.getfixturevalue("redis_server")
        url = redis_url(server)
        redis.Redis(port=server.port).flushall()

    def open_one(seconds: float) -> Cooldown:
        opened.append(open_cooldown(url, seconds))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()
