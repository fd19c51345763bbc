"""Tells the other servers of a store at once, through Redis, that there is something new.

Only the fact is told. What is new is read from the store, in its order: so a message that is lost,
or comes twice, changes nothing but the time at which others look.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import redis
from redis.exceptions import RedisError
from typing_extensions import Self

from susracker.runtime.ending import end_logged
from susracker.runtime.redis_client import open_redis

log = logging.getLogger(__name__)

TOPIC = "susracker:news"

TIMEOUT_SECONDS = 5.0
"""How long to wait for a connection or an answer."""

RETRY_SECONDS = 1.0
"""How soon to connect again to a Redis that was lost."""

HEALTH_SECONDS = 30
"""How often an idle connection is tried: one that a firewall has dropped says nothing."""

STOPPED = "has stopped"

LISTEN_SECONDS = 1.0
"""How often to look whether to stop."""


class Push:
    """A thread that tells, and one that listens.

    While Redis is unavailable, everybody looks for news as often as without it.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._on_news: Callable[[], None] = lambda: None
        self._to_tell = threading.Event()
        self._closed = threading.Event()
        self._problem: str | None = None
        self._threads = [
            threading.Thread(target=self._run, args=(work,), name=name, daemon=True)
            for name, work in (("telling news", self._tell), ("hearing news", self._hear))
        ]

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Use the Redis at `url`.

        Raises:
            ConfigError: the URL is malformed.
        """
        return cls(open_redis(url, TIMEOUT_SECONDS, health_check_interval=HEALTH_SECONDS))

    @property
    def problem(self) -> str | None:
        """Why others are not told at once, or are not heard, or None."""
        ended = [one.name for one in self._threads if one.ident and not one.is_alive()]
        if ended and not self._closed.is_set():
            return f"{ended[0]} {STOPPED}"
        return self._problem

    def start(self, on_news: Callable[[], None]) -> None:
        """Call `on_news`, in a thread, whenever another server, or this one, has told of news."""
        self._on_news = on_news
        for thread in self._threads:
            thread.start()

    def tell(self) -> None:
        """Tell the others soon. Returns at once; from any thread, and from the event loop."""
        self._to_tell.set()

    def close(self) -> None:
        """Stop both threads, and disconnect."""
        self._closed.set()
        self._to_tell.set()
        for thread in self._threads:
            if thread.ident:
                thread.join(LISTEN_SECONDS * 2)
        self._client.close()

    def _run(self, work: Callable[[], None]) -> None:
        with end_logged(log, f"{threading.current_thread().name} {STOPPED}"):
            while not self._closed.is_set():
                self._try(work)

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except RedisError as error:
            if self._problem is None:
                log.warning("Redis is unavailable, so news is heard of later: %s", error)
            self._problem = f"Redis is unavailable, so news is heard of later: {error}"
            self._closed.wait(RETRY_SECONDS)

    def _tell(self) -> None:
        self._to_tell.wait()
        if self._closed.is_set():
            return
        self._to_tell.clear()
        self._client.publish(TOPIC, b"")

    def _hear(self) -> None:
        client: Any = self._client  # redis has no types for this
        with client.pubsub(ignore_subscribe_messages=True) as heard:
            heard.subscribe(TOPIC)
            self._available()
            # What was told before this is looked for once.
            self._on_news()
            while not self._closed.is_set():
                if heard.get_message(timeout=LISTEN_SECONDS):
                    self._on_news()

    def _available(self) -> None:
        if self._problem:
            log.info("Redis is available again: news is heard of at once")
        self._problem = None
