"""A connection to Redis, by a URL of the settings."""

from __future__ import annotations

from typing import Any

import redis

from susracker.errors import ConfigError
from susracker.passwords import told_without_password


def open_redis(url: str, timeout: float, **more: Any) -> redis.Redis:
    """A client of the Redis at a URL such as `redis://:password@host:6379/0`. It connects when it
    is used.

    Args:
        timeout: seconds that a connection and an answer may take each.
        more: as `redis.Redis` takes them.

    Raises:
        ConfigError: the URL is malformed.
    """
    try:
        return redis.Redis.from_url(
            url, socket_timeout=timeout, socket_connect_timeout=timeout, **more
        )
    except ValueError as error:
        told = told_without_password(error, url)
        raise ConfigError(f"the Redis URL is wrong: {told}") from error
