"""Whether OpenTelemetry traces are sent, as its own environment variables say.

They are OpenTelemetry's and not settings of susracker, for whoever runs a collector sets them for
all programs alike: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from susracker.errors import ConfigError, MissingDriverError
from susracker.passwords import without_password

if TYPE_CHECKING:
    from susracker.server.spans import Traces

ENDPOINT, TRACES_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
PROTOCOL = "http/protobuf"
EXPORTER = "OTEL_TRACES_EXPORTER"


def collector(environment: Mapping[str, str] = os.environ) -> str | None:
    """The URL of the collector that traces are sent to; None where none are sent.

    Raises:
        ConfigError: the variables ask for what there is not.
    """
    variable = TRACES_ENDPOINT if environment.get(TRACES_ENDPOINT) else ENDPOINT
    url = environment.get(variable, "")
    is_off = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    exporter = environment.get(EXPORTER) or "otlp"
    if not url or is_off or exporter == "none":
        return None
    if exporter != "otlp":
        raise ConfigError(f"{EXPORTER}={exporter!r}: traces are sent by otlp only, or by none")
    if not _is_http(url):
        raise ConfigError(
            f"{variable}={without_password(url)!r} is not the URL of a collector: it must be like "
            "http://collector:4318"
        )
    # A variable that is empty is as good as none, as the specification has it.
    name = next((one for one in PROTOCOLS if environment.get(one)), None)
    if name and environment[name] != PROTOCOL:
        raise ConfigError(
            f"{name}={environment[name]!r}: traces are sent by {PROTOCOL} only: set that, and the "
            "collector's port for it, which is 4318 as a rule"
        )
    return url


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # the port is no number, or the address is no address
        return False


def open_traces() -> Traces | None:
    """What makes and sends traces, if the environment asks for them; its packages are imported only
    then.

    Raises:
        ConfigError: the variables ask for what there is not.
        MissingDriverError: the extra is not installed.
    """
    url = collector()
    if url is None:
        return None
    try:
        from susracker.server.spans import Traces
    except ModuleNotFoundError as error:
        raise MissingDriverError(
            f"the environment asks for traces to {without_password(url)}, which need the package "
            f"{error.name!r}: pip install 'susracker[otel]', or set OTEL_SDK_DISABLED=true"
        ) from error
    try:
        return Traces(without_password(url))
    except ValueError as error:
        raise ConfigError(f"a variable of OpenTelemetry (OTEL_…) is wrong: {error}") from error
