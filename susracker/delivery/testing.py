"""What rules choose, and whether a receiver takes messages, without waiting for an alert."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import closing

from susracker.access.links import PictureLinks
from susracker.delivery.base import Message, Taken
from susracker.delivery.channels import open_channel
from susracker.delivery.followups import selections
from susracker.delivery.rules import AnyOptions, Plan, Rule
from susracker.delivery.selection import Alerts
from susracker.models import Alert
from susracker.stores.base import Store
from susracker.stores.outbox import ChannelState, channel_of


def recent(
    store: Store, options: AnyOptions, rules: Sequence[Rule], number: int
) -> tuple[int, list[Alert]]:
    """How many of the newest alerts there are, at most `number`, and those of them that rules
    choose, newest first."""
    return Alerts(store, options, rules).recent(number)


def waiting(store: Store, state: ChannelState, options: AnyOptions, plan: Plan) -> int:
    """How many alerts, reviews or improvements wait for a channel, by what the state counts."""
    name = channel_of(state.name)
    followed = selections(store, name, options, plan.rules_to(name)).get(state.name)
    return followed.count(state.cursor) if followed else 0


def send_test(name: str, options: AnyOptions, links: PictureLinks) -> str | None:
    """Send a message that says that it is a test. Returns why it was not taken, or None.

    Raises:
        ConfigError: the channel cannot be made as the settings say.
    """
    with closing(open_channel(name, options, links)) as channel:
        result = channel.send(Message(f"test-{uuid.uuid4().hex}", "test"))
    return None if isinstance(result, Taken) else result.reason
