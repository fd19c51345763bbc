"""By which names clients may address the server.

A page of a foreign site can have its own host name resolve to this server's address ("DNS
rebinding"), and its script then speaks to the server as to its own site. Its requests still carry
the foreign name in their Host header, so names that are not the server's are refused. An IP address
needs no DNS, so it is not such a name.
"""

from __future__ import annotations

import re
import socket
from functools import cache
from ipaddress import ip_address

from susracker.config import Settings, split
from susracker.errors import ConfigError

ALL = "*"

_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?", re.IGNORECASE)


class Hosts:
    """The host names that are the server's.

    Raises:
        ConfigError: `allowed_hosts` lists something else than a host name.
    """

    def __init__(self, settings: Settings) -> None:
        listed = split(settings.allowed_hosts)
        self._all = ALL in listed
        names = {_checked(one) for one in listed if one != ALL}
        self._names = {"localhost", settings.host.lower(), *own_names(), *names}

    def accepts(self, host: str) -> bool:
        """Whether a Host header addresses this server."""
        name = host_name(host)
        return self._all or name in self._names or _is_address(name)


def host_name(host: str) -> str:
    """The name in a Host header: without port and brackets, in lower case."""
    text = host.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0].rstrip(".")


@cache
def own_names() -> frozenset[str]:
    """The names of this machine: its hostname, as DNS and as multicast DNS know it."""
    name = socket.gethostname().lower()
    short = name.partition(".")[0]
    return frozenset({name, socket.getfqdn().lower(), f"{short}.local"})


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _checked(name: str) -> str:
    bare = re.sub(r"^\w+://", "", name).partition("/")[0]
    if _NAME.fullmatch(name):
        return name.lower()
    meant = host_name(bare)
    hint = f": write {meant}" if _NAME.fullmatch(meant) else ""
    raise ConfigError(f"allowed_hosts: {name!r} is not the name of a host{hint}")
