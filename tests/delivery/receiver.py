"""A receiver in memory that takes, fails, refuses, or loses its answer, as it is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from susracker.delivery.base import Channel, Message, Refused, Result, Taken, TryLater
from susracker.delivery.outbox import Clock
from susracker.delivery.rules import ChannelOptions, Rule

NOON = datetime(2026, 5, 4, 12, tzinfo=timezone.utc)
EVERYTHING = (Rule(to=["phone"]),)

ANSWERS: dict[str, tuple[bool, Result]] = {
    "takes it": (True, Taken()),
    "takes it, and the answer is lost": (True, TryLater("no answer")),
    "is away": (False, TryLater("no connection")),
    "fails": (False, TryLater("500", is_fault=True)),
    "refuses": (False, Refused("422 no")),
}
"""Whether the receiver has the message, and what the sender is told."""


class Receiver(Channel):
    """Keeps what it was sent."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.does = "takes it"
        self.during: Callable[[], None] = lambda: None

    def send(self, message: Message) -> Result:
        during, self.during = self.during, lambda: None
        during()
        has_it, result = ANSWERS[self.does]
        if has_it:
            self.messages.append(message)
        return result

    def close(self) -> None:
        pass

    def seqs(self) -> list[int]:
        """Of the alerts that it has, in the order in which it first heard of each."""
        return list(dict.fromkeys(one.seq for sent in self.messages for one in sent.alerts))


class Time:
    """A time of day, and ticks, that move when told to."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.clock = Clock(lambda: NOON + timedelta(seconds=self.seconds), lambda: self.seconds)

    @property
    def now(self) -> datetime:
        return self.clock.now()


def options(**fields: object) -> ChannelOptions:
    return ChannelOptions.model_validate(fields)
