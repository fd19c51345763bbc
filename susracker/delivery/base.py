"""What a channel must do, whatever it delivers to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

from susracker.client.delivery import Refused, TryLater
from susracker.models import Alert
from susracker.oversight import Judgement


@dataclass(frozen=True, slots=True)
class Message:
    """What is delivered.

    Attributes:
        id: the same whenever the message is repeated, by which a receiver knows a repeat.
        kind: "alert" for one alert; "unreviewed" for one that nobody has reviewed in time;
            "gathered" for several in one message; "reviewed" for one that someone has reviewed;
            "updated" for one that has changed, which only those are told who follow its state;
            "test" for none.
        alerts: in order of `seq`. They have faces only where a rule asks for them, and not where
            they were gathered.
        is_stale: whether the alert, or the newest of them, occurred too long ago to be news;
            of a review, whether that was made too long ago.
        review: what was said, if `kind` is "reviewed".
    """

    id: str
    kind: Literal["alert", "unreviewed", "gathered", "reviewed", "updated", "test"]
    alerts: tuple[Alert, ...] = ()
    is_stale: bool = False
    review: Judgement | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """The receiver has the message."""


@dataclass(frozen=True, slots=True)
class Gone:
    """The receiver wants no more messages, for a reason."""

    reason: str


Result = Taken | Refused | TryLater | Gone


class Channel(ABC):
    """Takes messages to one receiver, for one caller at a time.

    Attributes:
        carries_faces: whether the receiver can be sent faces.
    """

    carries_faces: bool = True

    @abstractmethod
    def send(self, message: Message) -> Result:
        """Try to deliver a message, once, within some 20 seconds.

        `Taken` means that the receiver confirmed it. What went wrong is returned, and not raised.
        """

    @abstractmethod
    def close(self) -> None:
        """Close connections."""


__all__ = ["Channel", "Gone", "Message", "Refused", "Result", "Taken", "TryLater"]
