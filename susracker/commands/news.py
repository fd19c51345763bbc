"""Who else hears of each alert while a server runs: other servers, and other systems."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from susracker.access.links import PictureLinks
from susracker.commands.auditing import audit_log
from susracker.config import Settings
from susracker.delivery.rules import Plan
from susracker.server.live import Live
from susracker.server.measures import ChannelMeasures
from susracker.server.service import Part, Service
from susracker.stores.base import Store

if TYPE_CHECKING:
    from susracker.delivery.run import Deliveries
    from susracker.server.push import Push

DELIVERING, TELLING = "deliveries", "news to other servers"

REDIS = ("redis:", "rediss:", "unix:")
"""How URLs of a Redis begin."""


class News:
    """Deliveries, if the settings name channels, and messages to other servers, if they share a
    Redis.

    Args:
        stack: closes both.

    Raises:
        ConfigError: a channel cannot be made as the settings say.
        StoreUnavailableError: the store cannot be read or written.
    """

    def __init__(self, settings: Settings, store: Store, plan: Plan, stack: ExitStack) -> None:
        self._push: Push | None = None
        self._deliveries: Deliveries | None = None
        # What is not needed is not imported: a server starts in a second.
        if settings.cooldown.startswith(REDIS):
            from susracker.server.push import Push

            self._push = stack.enter_context(closing(Push.from_url(settings.cooldown)))
        if plan.channels:
            from susracker.delivery.run import Deliveries

            links = PictureLinks.of(store, audit_log(settings, store))
            made = Deliveries(store, plan, settings.follow_seconds, links)
            self._deliveries = stack.enter_context(closing(made))

    @property
    def parts(self) -> dict[str, Part]:
        """Both, by their names in `/readyz`."""
        named = {TELLING: self._push, DELIVERING: self._deliveries}
        return {name: part for name, part in named.items() if part}

    def follow(self, parts: Service) -> None:
        """Tell what this server stores, broadcast here what others tell, and measure deliveries."""
        live = parts.live
        if deliveries := self._deliveries:
            live.also_tell(deliveries.look_now)
            parts.measures.registry.register(ChannelMeasures(deliveries.figures))
        if push := self._push:
            live.also_tell(push.tell)
            push.start(lambda: self._heard(live))

    def _heard(self, live: Live) -> None:
        live.look_soon()
        if self._deliveries:
            self._deliveries.look_now()
