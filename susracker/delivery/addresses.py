"""HTTP to addresses that may be connected to: a webhook is no way into the network.

A name is looked up once, and what was found is checked and then connected to. So a name that leads
elsewhere the next time ("DNS rebinding") leads nowhere.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError, NewConnectionError

NAT64 = ip_network("64:ff9b::/96")
"""IPv6 addresses that lead to the IPv4 address in their last 32 bits (RFC 6052)."""

PRIVATE = "is inside the network: set allow_private = true if that is meant"


def is_public(address: str) -> bool:
    """Whether an IP address is one of the internet's, also where it stands for another one."""
    found = ip_address(address.partition("%")[0])
    return all(one.is_global and not one.is_multicast for one in [found, *_embedded(found)])


def public_session() -> requests.Session:
    """A session that connects to public addresses only.

    Requests to others raise `requests.ConnectionError`, whose text says `PRIVATE`.
    """
    session = requests.Session()
    # A proxy would look names up by itself.
    session.trust_env = False
    for scheme in ("http://", "https://"):
        session.mount(scheme, _PublicAdapter())
    return session


def _embedded(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    """IPv4 addresses that an IPv6 address leads to."""
    if isinstance(address, IPv4Address):
        return []
    teredo = address.teredo or ()
    found = [address.ipv4_mapped, address.sixtofour, *teredo]
    if address in NAT64:
        found.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return [one for one in found if one is not None]


def _connect(connection: HTTPConnection) -> socket.socket:
    """A socket to the first address of the connection's host that can be reached."""
    try:
        found = socket.getaddrinfo(connection._dns_host, connection.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NameResolutionError(connection.host, connection, socket.gaierror(error)) from error
    for *_, address in found:
        if not is_public(str(address[0])):
            raise NewConnectionError(connection, f"{address[0]} {PRIVATE}")
    problem: OSError | None = None
    timeout: Any = connection.timeout
    for *_, address in found:
        try:
            return socket.create_connection((str(address[0]), connection.port), timeout)
        except OSError as error:
            problem = error
    raise NewConnectionError(connection, f"cannot connect: {problem}")


class _PublicConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self)


class _PublicTlsConnection(HTTPSConnection):
    # The certificate is still checked against the name.
    def _new_conn(self) -> socket.socket:
        return _connect(self)


class _PublicPool(HTTPConnectionPool):
    ConnectionCls = _PublicConnection


class _PublicTlsPool(HTTPSConnectionPool):
    ConnectionCls = _PublicTlsConnection


class _PublicAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _PublicPool, "https": _PublicTlsPool}
