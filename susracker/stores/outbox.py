"""What an outbox must do, whatever keeps the data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

MAX_LETTERS = 1000
"""How many dead letters a channel keeps; beyond that, those of the lowest `seq` are dropped."""

REVIEWS, IMPROVEMENTS = ":reviews", ":improvements"
"""What follows a channel's name in the names of the states that say how far it has come in the log
of judgements, and in that of improvements. No channel's name has a colon."""


def channel_of(state_name: str) -> str:
    """The channel to which a state belongs."""
    return state_name.partition(":")[0]


@dataclass(frozen=True, slots=True)
class ChannelState:
    """How far the delivery to one channel has come in one log: of alerts, unless its name says
    otherwise.

    Attributes:
        cursor: `seq` of the last alert that was delivered, left out, or given up.
        revision: how often the state has changed: a change names the one it is based on.
        holder: the worker that delivers at present; "" if none does. A holder whose revision does
            not grow is taken for dead.
        paused: why nothing is delivered; "" while the channel is open.
        problem: why the last attempt failed; "" if it succeeded.
        failures: how often delivery has failed in a row.
        faults: how often in a row the receiver failed on the alert that is next.
        retry_at: when to try again after a failure.
        window_at: when the minute began in which messages are counted.
        in_window: how many messages were sent in it.
        gathering_to: `seq` of the last alert of a gathered message that is being sent; 0 if none
            is. So a message that is repeated is about the same alerts.
    """

    name: str
    cursor: int
    revision: int = 0
    holder: str = ""
    paused: str = ""
    problem: str = ""
    failures: int = 0
    faults: int = 0
    retry_at: datetime | None = None
    window_at: datetime | None = None
    in_window: int = 0
    gathering_to: int = 0


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that a channel's receiver did not take.

    Attributes:
        seq: of its alert, or of the first that were gathered in it.
        last_seq: of its last alert; the same as `seq` unless alerts were gathered.
        again: whether it is to be sent once more.
    """

    seq: int
    last_seq: int
    reason: str
    failed_at: datetime
    again: bool = False


class Outbox(ABC):
    """How far each channel has come in the log of alerts.

    The alerts themselves are in the journal: a channel is a cursor on it. So nothing is queued
    twice, and what is forgotten or erased there is not delivered either.

    Threads, durability and errors are as in `Gallery`.
    """

    @abstractmethod
    def add_channel(self, state: ChannelState) -> ChannelState:
        """Store the state of a channel, unless there is one. Returns what is stored then.

        Of callers that race, one wins, and all are told the same.
        """

    @abstractmethod
    def put_channel(
        self,
        state: ChannelState,
        *,
        add: Sequence[DeadLetter] = (),
        remove: Collection[int] = (),
    ) -> ChannelState:
        """Replace the state of a channel, and change its dead letters, in one step.

        Args:
            state: its `revision` is the one that the change is based on.
            add: letters to add; one of the same `seq` is replaced.
            remove: `seq` of letters to remove; unknown ones do not matter.

        Returns:
            what is stored: `state` with the next revision.

        Raises:
            ConflictError: the state has changed since, or there is no such channel; nothing was
                changed.
        """

    @abstractmethod
    def channels(self) -> list[ChannelState]:
        """The state of every channel, by name."""

    @abstractmethod
    def channel(self, name: str) -> ChannelState:
        """The state of one channel.

        Raises:
            NotFoundError: there is none of that name.
        """

    @abstractmethod
    def dead_letters(self, name: str) -> list[DeadLetter]:
        """A channel's dead letters in order of `seq`, at most `MAX_LETTERS`."""
