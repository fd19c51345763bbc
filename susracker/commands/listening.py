"""What must be there before a server may listen on the network."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import datetime, timezone

from susracker.access.issuing import has_valid_admin
from susracker.commands.new_stores import is_missing
from susracker.config import flag_name, variable_name
from susracker.loading import FILE_NAME, LoadedSettings
from susracker.passwords import without_password
from susracker.plugins import open_store_of
from susracker.server.addresses import listens_on_loopback


def missing(loaded: LoadedSettings) -> list[str]:
    """What has to be typed before the server may listen where the settings say, one line each;
    nothing on a loopback address.

    Raises:
        StoreError: the keys cannot be read.
    """
    try:
        if listens_on_loopback(loaded.settings.host):
            return []
    except OSError:  # no such host: told when the server is to listen there
        return []
    return [*_missing_key(loaded), *_missing_transport(loaded)]


def _missing_key(loaded: LoadedSettings) -> Iterator[str]:
    if not is_missing(loaded.settings):
        with open_store_of(loaded.settings) as store:
            if has_valid_admin(store, datetime.now(timezone.utc)):
                return
    create = f"keys create --role admin --name NAME{_typed(loaded, 'store')}"
    yield f"no admin's key exists, so nobody could be let in: {_program(loaded)} {create}"


def _missing_transport(loaded: LoadedSettings) -> Iterator[str]:
    settings = loaded.settings
    if settings.cert or settings.behind_proxy or settings.insecure_http:
        return
    serve = f"serve{_typed(loaded, 'host')}{_typed(loaded, 'store')} --cert CERT.pem --key KEY.pem"
    yield (
        "without TLS everyone on the network could read keys and faces: "
        f"{_program(loaded)} {serve} (or --behind-proxy CIDR, or --insecure-http)"
    )


def _program(loaded: LoadedSettings) -> str:
    """The command, with the settings file if one was named."""
    known = {"default", FILE_NAME}
    known |= {origin(name) for name in loaded.origins for origin in (flag_name, variable_name)}
    for file in set(loaded.origins.values()) - known:
        return f"susracker --config {shlex.quote(file)}"
    return "susracker"


def _typed(loaded: LoadedSettings, name: str) -> str:
    """The option for a setting if it was given as one."""
    flag = flag_name(name)
    value = shlex.quote(without_password(getattr(loaded.settings, name)))
    return f" {flag} {value}" if loaded.origins[name] == flag else ""
