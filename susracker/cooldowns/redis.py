"""A cooldown in Redis, which several servers share."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import redis
from redis.exceptions import RedisError
from typing_extensions import Self

from susracker.cooldowns.base import HISTORY, Cooldown
from susracker.runtime.clock import to_microseconds
from susracker.runtime.redis_client import open_redis

log = logging.getLogger(__name__)

PREFIX = "susracker:holds:"

OLD_PREFIX = "susracker:cooldown:"
"""Where version 0.1 kept only the time at which a key was last taken. Such a key still holds back
what is near in time. Servers of both versions can share a Redis while one replaces the other: the
old ones neither see the holds of the new ones nor ask the store, which may repeat an alert."""

TIMEOUT_SECONDS = 0.5
"""An alert waits no longer than this for Redis."""

RETRY_SECONDS = 1.0
"""How long until an unavailable Redis is tried again; meanwhile alerts do not wait for it."""

LATE = timedelta(hours=1)
"""How much longer than the cooldown a key is remembered: events that a camera had to hold back are
compared by when they occurred, and may come this late."""

FIND = """
local holds = redis.call('LRANGE', KEYS[1], 0, -1)
local place, at, takers
for i, hold in ipairs(holds) do
  local its_at, its_takers, token = string.match(hold, '^(%S+) (%d+) (.*)$')
  if token == ARGV[1] then
    place, at, takers = i, its_at, its_takers
  end
end
"""
"""Finds the token's hold. A key is a list of holds, the newest last, each written as "at takers
token". A script runs in Redis without anything in between."""

ACQUIRE = (
    FIND
    + """
if place then
  redis.call('LSET', KEYS[1], place - 1, at .. ' ' .. (takers + 1) .. ' ' .. ARGV[1])
  return 1
end
local function is_near(other)
  return other and math.abs(tonumber(ARGV[2]) - tonumber(other)) < tonumber(ARGV[3])
end
if is_near(string.match(holds[#holds] or '', '^%S+')) or is_near(redis.call('GET', KEYS[2])) then
  return 0
end
redis.call('RPUSH', KEYS[1], ARGV[2] .. ' 1 ' .. ARGV[1])
redis.call('LTRIM', KEYS[1], -ARGV[5], -1)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
"""
)
"""Microseconds since 1970 are whole numbers that Lua holds exactly, up to the year 2255. It would
round them when it writes them, so they stay text."""

RELEASE = (
    FIND
    + """
if place and takers == '1' then
  redis.call('LREM', KEYS[1], 1, holds[place])
elseif place then
  redis.call('LSET', KEYS[1], place - 1, at .. ' ' .. (takers - 1) .. ' ' .. ARGV[1])
end
"""
)


class RedisCooldown(Cooldown):
    """Remembers the holds of each key in Redis, where keys expire by themselves.

    While Redis is unavailable every key passes, and the store decides alone (see `Journal.record`).
    """

    def __init__(self, client: redis.Redis, seconds: float) -> None:
        super().__init__(seconds)
        self._client = client
        self._span = round(seconds * 1e6)
        self._expiry = round(seconds * 1000 + LATE.total_seconds() * 1000)
        self._acquire = client.register_script(ACQUIRE)
        self._release = client.register_script(RELEASE)
        self._lock = threading.Lock()
        self._ask_again_at = 0.0

    @classmethod
    def from_url(cls, url: str, seconds: float) -> Self:
        """Use the Redis at `url`, such as `redis://:password@host:6379/0`."""
        return cls(open_redis(url, TIMEOUT_SECONDS), seconds)

    def try_acquire(self, key: str, at: datetime, token: str) -> bool:
        values = (token, to_microseconds(at), self._span, self._expiry, HISTORY)
        keys = (PREFIX + key, OLD_PREFIX + key)
        return self._ask(lambda: bool(self._acquire(keys, values))) is not False

    def release(self, key: str, token: str) -> None:
        self._ask(lambda: bool(self._release([PREFIX + key], [token])))

    def close(self) -> None:
        self._client.close()

    def _ask(self, question: Callable[[], bool]) -> bool | None:
        """The answer, or None while Redis is unavailable."""
        if time.monotonic() < self._ask_again_at:
            return None
        try:
            answer = question()
        except RedisError as error:
            self._unavailable(error)
            return None
        self._available()
        return answer

    def _unavailable(self, error: RedisError) -> None:
        with self._lock:
            if self.problem is None:
                log.error("Redis is unavailable, so the store is asked about each match: %s", error)
            self.problem = f"Redis is unavailable, so the store is asked about each match: {error}"
            self._ask_again_at = time.monotonic() + RETRY_SECONDS

    def _available(self) -> None:
        with self._lock:
            if self.problem is not None:
                log.warning("Redis is available again; it is asked before the store")
            self.problem = None
