"""A cooldown in Redis, which several servers share."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import redis
from redis.exceptions import RedisError
from typing_extensions import Self

from susracker.cooldowns.base import Cooldown
from susracker.errors import ConfigError

log = logging.getLogger(__name__)

PREFIX = "susracker:cooldown:"

TIMEOUT_SECONDS = 0.5
"""An alert waits no longer than this for a Redis that is away."""

RETRY_SECONDS = 1.0
"""How often a Redis that is away is asked again; in between alerts do not wait for it."""

LATE = timedelta(hours=1)
"""How much longer than the cooldown a key is remembered: events that a camera had to hold back are
compared by when they occurred, however late they come."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)

ACQUIRE = """
local last = redis.call('GET', KEYS[1])
if last and math.abs(tonumber(ARGV[1]) - tonumber(last)) < tonumber(ARGV[2]) then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return 1
"""
"""Runs in Redis without anything in between. Microseconds since 1970 are whole numbers that Lua
holds exactly, up to the year 2255."""

RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
"""


class RedisCooldown(Cooldown):
    """Remembers when each key was last taken, in Redis, where keys expire by themselves.

    While Redis is away every key passes: a repeated alert is better than a lost one. `problem` then
    says so.
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
        try:
            client = redis.Redis.from_url(
                url,
                socket_timeout=TIMEOUT_SECONDS,
                socket_connect_timeout=TIMEOUT_SECONDS,
            )
        except ValueError as error:
            raise ConfigError(f"the Redis URL is wrong: {error}") from error
        return cls(client, seconds)

    def try_acquire(self, key: str, at: datetime) -> bool:
        values = (_microseconds(at), self._span, self._expiry)
        passed = self._ask(lambda: bool(self._acquire(keys=[PREFIX + key], args=values)))
        return passed is not False

    def release(self, key: str, at: datetime) -> None:
        self._ask(lambda: bool(self._release(keys=[PREFIX + key], args=[_microseconds(at)])))

    def close(self) -> None:
        self._client.close()

    def _ask(self, question: Callable[[], bool]) -> bool | None:
        """The answer, or None while Redis is away."""
        if time.monotonic() < self._ask_again_at:
            return None
        try:
            answer = question()
        except RedisError as error:
            self._away(error)
            return None
        self._back()
        return answer

    def _away(self, error: RedisError) -> None:
        with self._lock:
            if self.problem is None:
                log.error("Redis is away, so repeated alerts are not held back: %s", error)
            self.problem = f"Redis is away, so repeated alerts are not held back: {error}"
            self._ask_again_at = time.monotonic() + RETRY_SECONDS

    def _back(self) -> None:
        with self._lock:
            if self.problem is not None:
                log.warning("Redis is back; repeated alerts are held back again")
            self.problem = None


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND
