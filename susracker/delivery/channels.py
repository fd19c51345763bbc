"""From what the settings say to a channel."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from susracker.access.links import Link, PictureLinks
from susracker.delivery.base import Channel
from susracker.delivery.rules import AnyOptions, MqttOptions, WebhookOptions, shown_url
from susracker.delivery.webhook import FaceLink, Webhook
from susracker.errors import MissingDriverError


def open_channel(name: str, options: AnyOptions, links: PictureLinks) -> Channel:
    """Make a channel; its packages are imported only when it is asked for.

    Raises:
        ConfigError: something that it needs cannot be read, or is unknown.
        MissingDriverError: it needs an extra that is not installed.
    """
    if isinstance(options, WebhookOptions):
        return Webhook(options, face_link=face_link_of(name, options.pictures_at, links))
    return channel_class(options)(options)


def channel_class(options: AnyOptions) -> Callable[[Any], Channel]:
    """What makes a channel of a kind.

    Raises:
        MissingDriverError: it needs an extra that is not installed.
    """
    if isinstance(options, WebhookOptions):
        return Webhook
    try:
        if isinstance(options, MqttOptions):
            from susracker.delivery.mqtt import Mqtt

            return Mqtt
        from susracker.delivery.notify import Notify
    except ModuleNotFoundError as error:
        raise MissingDriverError(
            f"channels of kind {options.kind!r} need the package {error.name!r}: "
            f"pip install 'susracker[{options.kind}]'"
        ) from error
    return Notify


def face_link_of(name: str, server: str, links: PictureLinks) -> FaceLink:
    """What makes links for a channel's receiver, who reaches this server by a URL."""

    def make(alert_id: str, until: datetime) -> str:
        return links.address(server, Link(alert_id, name, int(until.timestamp())))

    return make


def shown_receiver(options: AnyOptions) -> str:
    """Where a channel leads, without what is secret in it."""
    if isinstance(options, (WebhookOptions, MqttOptions)):
        return shown_url(options.url)
    return ", ".join(f"{url.partition(':')[0]}:" for url in options.urls)
