"""IP addresses: whether one is of this machine, or of a listed network."""

from __future__ import annotations

import socket
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Any

from susracker.config import split

Network = IPv4Network | IPv6Network


def resolve(host: str, port: int) -> tuple[socket.AddressFamily, Any]:
    """The address that a server on `host` listens on.

    Raises:
        OSError: there is no such host.
    """
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    return family, address


def listens_on_loopback(host: str) -> bool:
    """Whether only programs of this machine reach a server on `host`.

    Raises:
        OSError: there is no such host.
    """
    return is_loopback(resolve(host, 0)[1][0])


def is_loopback(address: str) -> bool:
    """Whether an address is of this machine, such as 127.0.0.1; false for what is no address."""
    parsed = _parse(address)
    return parsed is not None and parsed.is_loopback


def networks(text: str) -> tuple[Network, ...]:
    """The networks that a setting lists."""
    return tuple(ip_network(part) for part in split(text))


def is_in(address: str, listed: tuple[Network, ...]) -> bool:
    """Whether an address is of one of the networks; false for what is no address."""
    parsed = _parse(address)
    return parsed is not None and any(parsed in network for network in listed)


def _parse(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address.strip())
    except ValueError:
        return None
    # A socket that listens on :: shows IPv4 clients as ::ffff:10.0.0.7.
    return getattr(parsed, "ipv4_mapped", None) or parsed
