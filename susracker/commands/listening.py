"""What must be there before a server may listen on the network."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone

from susracker.access.issuing import has_valid_admin
from susracker.commands.hints import to_type, typed
from susracker.commands.new_stores import is_missing
from susracker.loading import LoadedSettings
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
    create = to_type(loaded, "keys", "create", "--role", "admin", "--name", "NAME")
    yield f"no admin's key exists, so nobody could be let in: {create}"


def _missing_transport(loaded: LoadedSettings) -> Iterator[str]:
    settings = loaded.settings
    if settings.cert or settings.behind_proxy or settings.insecure_http:
        return
    files = ("--cert", "CERT.pem", "--key", "KEY.pem")
    serve = to_type(loaded, "serve", *typed(loaded, "host"), *files)
    yield (
        "without TLS everyone on the network could read keys and faces: "
        f"{serve} (or --behind-proxy CIDR, or --insecure-http)"
    )
