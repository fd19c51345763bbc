"""Alerts to a broker of MQTT, 3.1.1 or 5, from where home automation takes them."""

from __future__ import annotations

import socket
import threading
import time
import uuid
from collections import OrderedDict
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from susracker.delivery.base import Channel, Message, Result, Taken, TryLater
from susracker.delivery.rules import MQTT_PORTS, MqttOptions
from susracker.delivery.topics import (
    FrigateEvent,
    Publication,
    availability_topic,
    ended_event,
    publications,
)
from susracker.errors import ConfigError

VERSIONS = {"3.1.1": MQTTProtocolVersion.MQTTv311, "5": MQTTProtocolVersion.MQTTv5}

CONNECT_SECONDS = 5.0
"""How long a message waits for the connection."""

CONFIRM_SECONDS = 10.0
"""How long the broker may take to confirm all that is published for a message."""

KEEPALIVE_SECONDS = 30
"""After one and a half times as long without a sign of us, the broker says that we are offline."""

MAX_REMEMBERED = 1000
"""Alerts of which it is known what was published last: most updates follow within a minute."""

ONLINE, OFFLINE = b"online", b"offline"
CONFIRMED = 1
"""Quality of service: the broker confirms what it has taken."""


class Mqtt(Channel):
    """Publishes each message under several topics, over a connection that is kept.

    It says "online" under a topic of its own, and the broker says "offline" when it does not hear
    from it any more. Of several servers each does so; those that are alive contradict what is said
    of one that is not.

    Raises:
        ConfigError: the certificates cannot be read.
    """

    def __init__(self, options: MqttOptions) -> None:
        self._options = options
        self._available = availability_topic(options)
        parts = urlsplit(options.url)
        self._host = parts.hostname or ""
        self._port = parts.port or MQTT_PORTS[parts.scheme]
        self._has_tls = parts.scheme == "mqtts"
        self._problem = "no answer"
        self._connected = threading.Event()
        self._refused: dict[int, str] = {}
        # What the broker has been told to keep, by topic, over the present connection.
        self._kept: dict[str, bytes] = {}
        # What was published of the newest alerts, by id.
        self._events: OrderedDict[str, FrigateEvent] = OrderedDict()
        self._leaving = False
        self._client = self._connect()

    def send(self, message: Message) -> Result:
        where = f"{self._host}:{self._port}"
        if not self._connected.wait(CONNECT_SECONDS):
            return TryLater(f"no connection to the broker {where}: {self._problem}")
        now = datetime.now(timezone.utc)
        kept = self._kept
        new = [
            one
            for one in publications(message, self._options, now, self._before(message))
            if not one.retain or kept.get(one.topic) != one.payload
        ]
        problem = self._publish(new)
        if problem is None:
            kept.update({one.topic: one.payload for one in new if one.retain})
            self._remember(message)
            return Taken()
        # What was not confirmed would be sent at any time later, out of order.
        self._disconnect()
        self._client = self._connect()
        return TryLater(f"the broker {where} {problem}")

    def close(self) -> None:
        self._leaving = True
        last = self._client.publish(self._available, OFFLINE, CONFIRMED, retain=True)
        if last.rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
            last.wait_for_publish(CONNECT_SECONDS)
        self._disconnect()

    def _before(self, message: Message) -> FrigateEvent | None:
        """What was published last of the alert that a message is about."""
        return self._events.get(message.alerts[0].id) if message.alerts else None

    def _remember(self, message: Message) -> None:
        if message.kind in ("gathered", "test"):
            return
        alert = message.alerts[0]
        self._events[alert.id] = ended_event(alert)
        self._events.move_to_end(alert.id)
        if len(self._events) > MAX_REMEMBERED:
            self._events.popitem(last=False)

    def _publish(self, all_of_it: list[Publication]) -> str | None:
        """Why not all of it was taken, or None."""
        self._refused.clear()
        sent = [
            self._client.publish(one.topic, one.payload, CONFIRMED, one.retain) for one in all_of_it
        ]
        if any(one.rc != MQTTErrorCode.MQTT_ERR_SUCCESS for one in sent):
            return "was lost"
        end = time.monotonic() + CONFIRM_SECONDS
        # Brokers confirm in order, so the last is all there is to wait for.
        for one in reversed(sent):
            one.wait_for_publish(max(0.0, end - time.monotonic()))
            if not one.is_published():
                return "did not confirm the message"
        refused = [self._refused[one.mid] for one in sent if one.mid in self._refused]
        return f"refuses the message: {refused[0].lower()}" if refused else None

    def _connect(self) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"susracker-{uuid.uuid4().hex[:12]}",
            protocol=VERSIONS[self._options.version],
        )
        client.will_set(self._available, OFFLINE, CONFIRMED, retain=True)
        if self._options.username:
            client.username_pw_set(self._options.username, self._options.password)
        if self._has_tls:
            self._set_tls(client)
        client.on_connect = self._on_connect
        client.on_socket_open = _send_at_once
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.reconnect_delay_set(1, 30)
        client.connect_async(self._host, self._port, KEEPALIVE_SECONDS)
        client.loop_start()
        return client

    def _set_tls(self, client: mqtt.Client) -> None:
        try:
            client.tls_set(ca_certs=self._options.ca or None)
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"cannot read the certificates {self._options.ca}: {error}"
            ) from error

    def _disconnect(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self._connected.clear()

    # -- called by paho, in its thread -------------------------------------------------------

    def _on_connect(self, client: mqtt.Client, data: Any, flags: Any, code: Any, _: Any) -> None:
        if code.is_failure:
            self._problem = str(code).lower()
            return
        self._kept = {}
        client.subscribe(self._available, CONFIRMED)
        client.publish(self._available, ONLINE, CONFIRMED, retain=True)
        self._connected.set()

    def _on_connect_fail(self, client: mqtt.Client, data: Any) -> None:
        self._problem = "it cannot be reached"

    def _on_disconnect(self, client: mqtt.Client, data: Any, flags: Any, code: Any, _: Any) -> None:
        self._connected.clear()

    def _on_message(self, client: mqtt.Client, data: Any, message: mqtt.MQTTMessage) -> None:
        if message.payload == OFFLINE and not self._leaving:  # said of another server
            client.publish(self._available, ONLINE, CONFIRMED, retain=True)

    def _on_publish(self, client: mqtt.Client, data: Any, mid: int, code: Any, _: Any) -> None:
        if code.is_failure:
            self._refused[mid] = str(code)


def _send_at_once(client: mqtt.Client, data: Any, connection: Any) -> None:
    """Turn off Nagle's algorithm: with it, each message waits 40 ms for the broker's delayed
    acknowledgement of the one before."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
