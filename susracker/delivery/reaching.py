"""Whether the receiver of a channel can be reached, without sending it anything."""

from __future__ import annotations

import socket
import ssl
from contextlib import closing
from urllib.parse import SplitResult, urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from susracker.delivery.addresses import PRIVATE, is_public
from susracker.delivery.channels import channel_class
from susracker.delivery.rules import MQTT_PORTS, AnyOptions, MqttOptions, NotifyOptions, shown_url

SECONDS = 5.0
"""How long a connection may take."""

PORTS = {"http": 80, "https": 443, **MQTT_PORTS}
SECURE = ("https", "mqtts")


def problem_of_reaching(options: AnyOptions) -> str | None:
    """Why the receiver cannot be reached and what to do, or None.

    People's addresses are only checked for their form. Whether a receiver takes what it is sent
    shows only when something is sent: `susracker.delivery.testing.send_test`.

    Raises:
        ConfigError: the channel cannot be made as the settings say.
        MissingDriverError: it needs an extra that is not installed.
    """
    made = channel_class(options)
    if isinstance(options, NotifyOptions):
        with closing(made(options)):
            return None
    may_be_private = isinstance(options, MqttOptions) or options.allow_private
    where = shown_url(options.url)
    try:
        _connect(urlsplit(options.url), options.ca, may_be_private)
    except ssl.SSLCertVerificationError as error:
        return f"{where}: its certificate is not trusted ({error.verify_message}): see ca"
    except (OSError, UnicodeError) as error:
        if PRIVATE in str(error):
            return f"{where} {error}"
        return f"no connection to {where}: {error}. Check url, name server and firewall"
    return None


def _connect(url: SplitResult, ca: str, may_be_private: bool) -> None:
    host = url.hostname or ""
    port = url.port or PORTS[url.scheme]
    for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        if not may_be_private and not is_public(str(address[0])):
            raise OSError(PRIVATE)
    with socket.create_connection((host, port), SECONDS) as connection:
        if url.scheme in SECURE:
            # Whom the channels trust: webhooks those of requests, MQTT those of the system.
            usual = DEFAULT_CA_BUNDLE_PATH if url.scheme == "https" else None
            context = ssl.create_default_context(cafile=ca or usual)
            context.wrap_socket(connection, server_hostname=host).close()
