"""Delivers in the background, as long as a server runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from susracker.access.links import PictureLinks
from susracker.delivery.base import Channel
from susracker.delivery.channels import open_channel
from susracker.delivery.followups import selections
from susracker.delivery.outbox import RESULTS, Courier
from susracker.delivery.rules import Plan
from susracker.errors import StoreError
from susracker.runtime.ending import end_logged
from susracker.stores.base import Store

log = logging.getLogger(__name__)

CLOSE_SECONDS = 2.0
"""How long a message that is under way may take when the server stops. One that takes longer is
sent again after the next start."""


STOPPED = "delivery has stopped"


@dataclass(frozen=True, slots=True)
class ChannelFigures:
    """How one channel of this process is.

    Attributes:
        reached: `seq` of the last alert that it is done with.
        works: whether messages reach its receiver, as far as is known.
        attempts: how many messages this process tried to deliver, by what became of them.
    """

    name: str
    reached: int
    works: bool
    attempts: Mapping[str, int]


class Deliveries:
    """A thread for each channel of a plan.

    Args:
        poll_seconds: how often to look for alerts of other processes.
        links: signs links to faces.

    Raises:
        ConfigError: a channel cannot be made as the settings say.
        StoreUnavailableError: the store cannot be read or written.
    """

    def __init__(self, store: Store, plan: Plan, poll_seconds: float, links: PictureLinks) -> None:
        self._workers: list[_Worker] = []
        with ExitStack() as undo:
            undo.callback(self.close)
            for name, options in plan.channels.items():
                channel = open_channel(name, options, links)
                undo.callback(channel.close)
                followed = selections(store, name, options, plan.rules_to(name))
                couriers = [Courier(store, one, of, channel) for one, of in followed.items()]
                self._workers.append(_Worker(name, couriers, channel, poll_seconds))
            undo.pop_all()
        for worker in self._workers:
            worker.start()

    @property
    def problem(self) -> str | None:
        """Why alerts do not reach a channel at present, or None."""
        problems = {worker.name: worker.problem for worker in self._workers if worker.problem}
        return _told(problems) if problems else None

    def figures(self) -> list[ChannelFigures]:
        """How each channel is."""
        return [worker.figures() for worker in self._workers]

    def look_now(self) -> None:
        """Look at once for what there is to deliver. From any thread."""
        for worker in self._workers:
            worker.news.set()

    def close(self) -> None:
        """Stop, and close the channels."""
        for worker in self._workers:
            worker.stop()
        for worker in self._workers:
            worker.end()


def _told(problems: Mapping[str, str]) -> str:
    return "; ".join(f"channel {name}: {problem}" for name, problem in problems.items())


class _Worker(threading.Thread):
    """Delivers to one channel until it is told to stop.

    Args:
        couriers: one for each log that the channel follows, that of alerts first.
    """

    def __init__(
        self, name: str, couriers: Sequence[Courier], channel: Channel, poll_seconds: float
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.news = threading.Event()
        self._couriers = couriers
        self._channel = channel
        self._poll_seconds = poll_seconds
        self._stopped = False
        self._problem: str | None = None

    @property
    def problem(self) -> str | None:
        """Why it does not work, or None."""
        if self.ident and not self.is_alive() and not self._stopped:
            return STOPPED
        problems = (courier.problem for courier in self._couriers)
        return self._problem or next((one for one in problems if one), None)

    def figures(self) -> ChannelFigures:
        """How the channel is."""
        made = {
            result: sum(courier.attempts[result] for courier in self._couriers)
            for result in RESULTS
        }
        return ChannelFigures(self.name, self._couriers[0].reached, not self.problem, made)

    def stop(self) -> None:
        """Let it end as soon as it can."""
        self._stopped = True
        self.news.set()

    def end(self) -> None:
        """Wait for it, but not for long, and close its channel."""
        if self.ident:
            self.join(CLOSE_SECONDS)
        self._channel.close()

    def run(self) -> None:
        with end_logged(log, f"channel {self.name}: {STOPPED}"):
            while not self._stopped:
                self.news.clear()
                if wait := self._step():
                    self.news.wait(min(wait, self._poll_seconds))

    def _step(self) -> float:
        try:
            wait = min(courier.step() for courier in self._couriers)
        except StoreError as error:
            if self._problem is None:
                log.error("channel %s: %s", self.name, error)
            self._problem = str(error)
            return self._poll_seconds
        if self._problem:
            log.info("channel %s: works again", self.name)
        self._problem = None
        return wait
