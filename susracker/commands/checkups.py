"""What `susracker doctor` checks: each check yields what it finds, and what to do about it."""

from __future__ import annotations

import ctypes
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from cryptography import x509

from susracker.commands.channel_checks import check_channels
from susracker.commands.findings import Finding, State
from susracker.commands.hints import to_type
from susracker.commands.listening import missing
from susracker.commands.new_stores import is_missing
from susracker.delivery.reaching import PORTS
from susracker.delivery.reaching import SECONDS as REACH_SECONDS
from susracker.errors import SusrackerError
from susracker.loading import LoadedSettings
from susracker.passwords import without_password
from susracker.plugins import (
    open_cooldown,
    open_detector,
    open_encoder,
    open_matcher,
    open_store_of,
)
from susracker.runtime.files import expanded
from susracker.runtime.text import counted
from susracker.server.addresses import listens_on_loopback, networks, resolve
from susracker.server.hosts import Hosts
from susracker.server.limits import RateLimit
from susracker.server.origins import Origins
from susracker.server.tls import tls_context
from susracker.server.tracing import ENDPOINT, collector, open_traces
from susracker.stores.base import Store

LITTLE_SPACE, NO_SPACE = 2_000_000_000, 100_000_000
"""Bytes free on a disk below which there is a warning, or a problem."""

SOON = timedelta(days=30)
"""Before a certificate expires, somebody has to renew it."""

TOLERATED = timedelta(minutes=1)
"""How far in the future a record of the store may be."""

MANY_ADDRESSES = 65_536
"""More than a network of proxies has."""

CLOCK_ERROR = 5
"""`TIME_ERROR` of adjtimex(2): the kernel's clock is not synchronised."""

TIMEX_BYTES = 512
"""More than `struct timex` has on any Linux."""


Check = Callable[[LoadedSettings], Iterator[Finding]]


def check_up(loaded: LoadedSettings) -> Iterator[Finding]:
    """Check everything. An error of a check is a finding, too."""
    for what, check in CHECKS.items():
        try:
            yield from check(loaded)
        except SusrackerError as error:
            yield Finding(what, "problem", str(error))


def _network(loaded: LoadedSettings) -> Iterator[Finding]:
    encoder = open_encoder(loaded.settings.encoder)
    nobody = np.zeros((1, encoder.chip_size, encoder.chip_size, 3), np.uint8)
    open_detector(loaded.settings.detector).find(nobody[0])
    encoder.encode(nobody)
    yield Finding("recognition", "ok", f"{encoder.id} with {encoder.dimension} dimensions works")
    open_matcher(loaded.settings.matcher, encoder.dimension).close()
    yield Finding("matcher", "ok", f"{without_password(loaded.settings.matcher)} works")


def _store(loaded: LoadedSettings) -> Iterator[Finding]:
    url = without_password(loaded.settings.store)
    if is_missing(loaded.settings):
        text = f"{url} is not there yet: {to_type(loaded, 'serve')} creates it, as enroll does"
        yield Finding("store", "warning", text)
        return
    with open_store_of(loaded.settings) as store:
        store.check()
        people = counted(len(store.criminals()), "person", "people")
        yield Finding("store", "ok", f"{url} can be written, with {people}")
        yield from _templates(loaded, store)
        yield from _records_of_the_future(store)


def _templates(loaded: LoadedSettings, store: Store) -> Iterator[Finding]:
    lacking = len(store.photos_without_template(open_encoder(loaded.settings.encoder).id))
    if lacking:
        serve = to_type(loaded, "serve")
        text = f"photos without a template: {lacking}. {serve} makes them when it starts"
        yield Finding("templates", "warning", text)


def _records_of_the_future(store: Store) -> Iterator[Finding]:
    newest = store.alerts(0, 1, newest_first=True, with_faces=False)
    ahead = newest[0].received_at - datetime.now(timezone.utc) if newest else timedelta()
    if ahead > TOLERATED:
        text = f"the newest alert arrived {ahead} in the future: set the clock of this machine"
        yield Finding("clock", "problem", text)


def _cooldown(loaded: LoadedSettings) -> Iterator[Finding]:
    settings = loaded.settings
    now = datetime.now(timezone.utc)
    with closing(open_cooldown(settings.cooldown, settings.cooldown_seconds)) as cooldown:
        cooldown.try_acquire("doctor", now, "doctor")
        cooldown.release("doctor", "doctor")
        url = without_password(settings.cooldown)
        if cooldown.problem:
            yield Finding("cooldown", "warning", cooldown.problem)
        else:
            yield Finding("cooldown", "ok", f"{url} works")


def _address(loaded: LoadedSettings) -> Iterator[Finding]:
    settings = loaded.settings
    where = f"{settings.host}:{settings.port}"
    try:
        family, address = resolve(settings.host, settings.port)
    except OSError as error:
        yield Finding("address", "problem", f"{where}: {error}. Choose another --host")
        return
    with socket.socket(family, socket.SOCK_STREAM) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(address)
        except OSError as error:
            text = f"{where} cannot be used: {error.strerror}. That is right while the server runs"
            yield Finding("address", "warning", f"{text}; otherwise choose another --port")
        else:
            yield Finding("address", "ok", f"{where} is free")


def _access(loaded: LoadedSettings) -> Iterator[Finding]:
    settings = loaded.settings
    for line in missing(loaded):
        yield Finding("access", "problem", line)
    Hosts(settings)
    Origins(settings.allowed_origins)
    RateLimit(settings).close()
    if settings.behind_proxy:
        yield _proxies(settings.behind_proxy)
    if settings.insecure_http and not listens_on_loopback(settings.host):
        yield Finding("access", "warning", "keys and faces cross the network without TLS")
    if not is_missing(settings):
        yield from _keys(loaded)


def _proxies(listed: str) -> Finding:
    if wide := [one for one in networks(listed) if one.num_addresses > MANY_ADDRESSES]:
        text = f"everyone in {', '.join(map(str, wide))} may say who a client is: name the"
        return Finding("proxies", "warning", f"{text} addresses of the proxies only")
    text = f"{listed} may say who a client is: let nothing else be there"
    return Finding("proxies", "ok", text)


def _keys(loaded: LoadedSettings) -> Iterator[Finding]:
    now = datetime.now(timezone.utc)
    with open_store_of(loaded.settings) as store:
        found = store.keys()
    valid = [key for key in found if key.is_valid(now)]
    ending = [key for key in valid if key.expires_at and key.expires_at - now < SOON]
    if not found:
        yield Finding("keys", "warning", "no key yet: programs of this machine may do everything")
    else:
        yield Finding("keys", "ok", f"valid: {len(valid)} of {len(found)}")
    if ending:
        names = ", ".join(f"{key.name} ({key.expires_at:%Y-%m-%d})" for key in ending)
        create = to_type(loaded, "keys", "create")
        yield Finding("keys", "warning", f"expire soon: {names}. {create} makes others")


def _certificate(loaded: LoadedSettings) -> Iterator[Finding]:
    settings = loaded.settings
    if tls_context(settings) is None:
        return
    certificate = x509.load_pem_x509_certificate(Path(settings.cert).read_bytes())
    until = certificate.not_valid_after_utc
    now = datetime.now(timezone.utc)
    state: State = "problem" if until <= now else "warning" if until - now < SOON else "ok"
    advice = "" if state == "ok" else ": renew it, and restart the server"
    text = f"{settings.cert} is valid until {until:%Y-%m-%d %H:%M} UTC{advice}"
    yield Finding("certificate", state, text)


def _disks(loaded: LoadedSettings) -> Iterator[Finding]:
    settings = loaded.settings
    folders = {"audit key": Path(settings.audit_key).parent}
    scheme, _, path = settings.store.partition("sqlite:///")
    if not scheme and path:
        folders["store"] = expanded(path).parent
    if settings.record:
        folders["recordings"] = Path(settings.record)
    for what, folder in folders.items():
        free = shutil.disk_usage(_existing(folder)).free
        state: State = "problem" if free < NO_SPACE else "warning" if free < LITTLE_SPACE else "ok"
        advice = "" if state == "ok" else ": make room"
        yield Finding(f"disk of {what}", state, f"{folder}: {free / 1e9:.1f} GB are free{advice}")


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next(one for one in (folder.absolute(), *folder.absolute().parents) if one.is_dir())


def _clock(loaded: LoadedSettings) -> Iterator[Finding]:
    now = f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M:%S} UTC"
    if sys.platform != "linux":
        yield Finding("clock", "ok", now)
        return
    state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES))
    if state == CLOCK_ERROR:
        text = (
            f"{now}, not synchronised: run chrony or systemd-timesyncd, or alerts get wrong times"
        )
        yield Finding("clock", "warning", text)
    else:
        yield Finding("clock", "ok", now)


def _traces(loaded: LoadedSettings) -> Iterator[Finding]:
    traces, url = open_traces(), collector()
    if traces is None or url is None:
        return
    traces.close()
    where = without_password(url)
    parts = urlsplit(url)
    try:
        port = parts.port or PORTS[parts.scheme]
        socket.create_connection((parts.hostname or "", port), REACH_SECONDS).close()
        yield Finding("traces", "ok", f"the collector {where} can be reached")
    except (OSError, UnicodeError) as error:
        text = f"no connection to the collector {where}: {error}. Check {ENDPOINT}"
        yield Finding("traces", "warning", text)


CHECKS: dict[str, Check] = {
    "recognition": _network,
    "store": _store,
    "cooldown": _cooldown,
    "address": _address,
    "access": _access,
    "certificate": _certificate,
    "disk": _disks,
    "clock": _clock,
    "channels": check_channels,
    "traces": _traces,
}
"""Every check by the part that it is about."""
