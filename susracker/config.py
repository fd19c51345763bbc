"""Settings: each one is defined once, with its name, default, check and help.

A value comes from a command line flag, else from a `SUSRACKER_…` environment variable, else from
`susracker.toml`, else from its default. Flags, variables, keys of the file, `--help` and
`susracker settings` are all made from the fields of `Settings`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

import tomlkit
from platformdirs import user_data_path
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from susracker.errors import ConfigError

ENV_PREFIX = "SUSRACKER_"
ESCAPE_PASSWORD = (  # Advice, not a password.  # nosec B105
    "escape special characters in its password: write %40 for @, and %2F for /"
)
FILE_NAME = "susracker.toml"
MAX_SHIFT = 5.0
"""Largest `threshold_shift`."""
SECRET = "data_key"
"""The setting that may be a key itself, and not the path of one."""


_USER_AND_PASSWORD = re.compile(r"(://[^/?#:@]*):(.*)@", re.DOTALL)
_NO_PORT = re.compile(r"://[^/?#:@]*:(?!\d+\b)([^/?#@]*)(?!.*@)")
_SECRET_FIELD = re.compile(
    r"((?:password|passwd|passphrase|pwd|secret|token|key|authmechanismproperties)=)([^&;#\s]*)",
    re.IGNORECASE,
)


def _check_networks(text: str) -> str:
    for part in split(text):
        try:
            ip_network(part)
        except ValueError as error:
            raise ValueError(f"no network such as 10.0.0.0/24: {error}") from error
    return text


def _join(value: object) -> object:
    """A list of a TOML file, as the text that a flag or a variable would have."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ",".join(value)
    return value


Listed = Annotated[str, BeforeValidator(_join)]
"""Several texts, separated by commas; in a TOML file also as a list."""

Networks = Annotated[Listed, AfterValidator(_check_networks)]
"""Networks in CIDR notation, separated by commas."""


def split(text: str) -> list[str]:
    """The parts of a setting that holds several, separated by commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def default_store() -> str:
    """An SQLite file in the user's data directory, the same from every working directory."""
    return f"sqlite:///{(user_data_path('susracker') / 'susracker.db').as_posix()}"


def default_audit_key() -> str:
    """A file in the user's data directory."""
    return str(user_data_path("susracker") / "audit-key.pem")


def default_workers() -> int:
    """One pool thread for each core that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Settings(BaseSettings):
    """Every setting of susracker; the description of a field is its help."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="forbid", frozen=True)

    store: str = Field(
        default_factory=default_store,
        description="URL of the store that holds criminals, sightings and alerts.",
    )
    data_key: str = Field(
        "",
        repr=False,
        description="File of the key that photos, templates and faces in the store are encrypted "
        "with, as `susracker keys new-data-key FILE` makes it (32 random bytes as base64, readable "
        "to its owner only). The variable may also hold the key itself, as base64:KEY. Empty: do "
        "not encrypt.",
    )
    encoder: str = Field("dlib", description="Network that turns a face into a template.")
    matcher: str = Field("exact", description="What searches the watch-list: a name or a URL.")
    cooldown: str = Field("memory", description="What remembers recent alerts: a name or a URL.")
    cooldown_seconds: float = Field(
        5.0,
        ge=0,
        le=86_400,
        description="How long the same person or activity on the same camera raises no other "
        "alert, in seconds.",
    )
    target_fpir: float = Field(
        0.01,
        gt=0,
        lt=1,
        description="Share of strangers' searches that may raise an alert; it determines the "
        "threshold, together with the size of the watch-list.",
    )
    threshold_shift: float = Field(
        0.0,
        ge=-MAX_SHIFT,
        le=MAX_SHIFT,
        description="Added to the threshold if your strangers score higher or lower than those it "
        "was fitted to; `susracker benchmark --apply` measures and sets it.",
    )
    host: str = Field("127.0.0.1", description="Address that the server listens on.")
    port: int = Field(
        5000, ge=0, le=65_535, description="Port that the server listens on; 0 picks a free one."
    )
    workers: int = Field(
        default_factory=default_workers,
        ge=1,
        le=256,
        description="Threads that recognise faces; one per core is best.",
    )
    queue_size: int = Field(
        64,
        ge=0,
        le=100_000,
        description="How many detections may wait for a worker; beyond that, the answer is 503.",
    )
    max_body_mb: float = Field(
        16,
        gt=0,
        le=1024,
        description="Largest request body, in megabytes; a larger one is answered with 413.",
    )
    max_megapixels: float = Field(
        50, gt=0, le=1000, description="Largest picture, in millions of pixels."
    )
    allowed_origins: Listed = Field(
        "",
        description="Web origins, besides the server's own, whose pages may use the server, such "
        "as http://localhost:3000: separated by commas, or * for all.",
    )
    allowed_hosts: Listed = Field(
        "",
        description="Names by which clients may address the server, besides its IP addresses, "
        "localhost and the names of its machine: separated by commas, or * for all.",
    )
    cert: str = Field("", description="File of the server's TLS certificate and its chain, as PEM.")
    key: str = Field("", description="File of the private key of that certificate, as PEM.")
    behind_proxy: Networks = Field(
        "",
        description="Networks of the proxies that may say who a client is and whether it came by "
        "https, such as 10.0.0.0/24: separated by commas.",
    )
    rate_limit: str = Field(
        "1000 per second",
        description="How many requests a key may make, or an address without a key; beyond that, "
        "the answer is 429.",
    )
    limits: str = Field(
        "memory://",
        description="What counts requests: memory://, or the URL of a Redis that several servers "
        "share.",
    )
    max_clients: int = Field(
        1000, ge=1, le=100_000, description="How many Socket.IO clients may be connected at once."
    )
    max_connections: int = Field(
        10_000,
        ge=1,
        le=1_000_000,
        description="How many connections may be open at once; more wait until one closes.",
    )
    insecure_http: bool = Field(
        False,
        description="Listen on other addresses than loopback without TLS: keys and faces can be "
        "read on the network.",
    )
    open_ingest: Networks = Field(
        "",
        description="Networks whose cameras may post detections without a key, and do nothing "
        "else, such as 10.0.7.0/24: separated by commas.",
    )
    follow_seconds: float = Field(
        1.0,
        gt=0,
        le=60,
        description="How often to check the store for enrolments and alerts of other processes, in "
        "seconds.",
    )
    review_required_by: int = Field(
        1,
        ge=1,
        le=2,
        description="How many different people must confirm an alert before it counts as "
        "confirmed: 1 or 2.",
    )
    record: str = Field(
        "",
        description="Folder in which to keep accepted detections for replay, strangers' faces "
        "included. Empty: keep none.",
    )
    record_mb: float = Field(
        10_000,
        gt=0,
        description="Largest size of the recording, in megabytes; beyond that, the oldest "
        "detections are removed.",
    )
    record_days: float = Field(
        7, gt=0, le=3650, description="Largest age of recorded detections, in days."
    )
    audit_key: str = Field(
        default_factory=default_audit_key,
        description="File of the private key that signs the audit log; made when it is first "
        "needed. Servers that share a store share it.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Lowest level of message to log."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """`load_settings` reads the sources itself, to know where each value came from."""
        return (init_settings,)


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """Settings, and the origin of each value.

    Attributes:
        origins: by field name: "--port", "SUSRACKER_PORT", the file's path, or "default".
    """

    settings: Settings
    origins: Mapping[str, str]


def load_settings(
    flags: Mapping[str, Any] | None = None, file: Path | None = None
) -> LoadedSettings:
    """Merge flags, environment, file and defaults; the first that has a value wins.

    Args:
        flags: by field name; None means that a flag was not given.
        file: a TOML file that must exist; by default `susracker.toml` in the working directory, if
            it exists.

    Raises:
        ConfigError: a value fails its check, a key is unknown, or the file cannot be read.
    """
    path = file or Path(FILE_NAME)
    layers = [
        ({k: v for k, v in (flags or {}).items() if v is not None}, flag_name),
        (EnvSettingsSource(Settings)(), variable_name),
        (_read_file(path, required=file is not None), lambda name: str(path)),
    ]
    values: dict[str, Any] = {}
    origins = dict.fromkeys(Settings.model_fields, "default")
    for layer, origin in layers:
        for name in layer.keys() - values.keys():
            values[name] = layer[name]
            origins[name] = origin(name)
    return LoadedSettings(make_settings(values, origins), origins)


def make_settings(values: Mapping[str, Any], origins: Mapping[str, str] | None = None) -> Settings:
    """Make settings from values by name, and from defaults.

    Args:
        origins: where each value came from, for the message if one is wrong.

    Raises:
        ConfigError: a value fails its check, or a name is unknown.
    """
    try:
        return Settings(**values)
    except ValidationError as error:
        raise ConfigError(_describe(error, origins or {})) from error


def write_setting(name: str, value: float | int | str, file: Path | None = None) -> object:
    """Set a key of a settings file; comments and other keys stay as they are.

    Args:
        file: by default `susracker.toml` in the working directory; created if it is missing.

    Returns:
        The previous value, or None.

    Raises:
        ConfigError: the file cannot be read or written.
    """
    path = file or Path(FILE_NAME)
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        document = tomlkit.parse(text)
        before = document.get(name)
        document[name] = value
        path.write_text(tomlkit.dumps(document), encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot write {name} = {value} to {path}: {error}") from error
    return before


def without_password(url: str) -> str:
    """A URL, or a text that ends in one, as it may be shown: `***` in place of passwords."""
    return _SECRET_FIELD.sub(r"\1***", _USER_AND_PASSWORD.sub(r"\1:***@", url))


def shown_setting(name: str, value: object) -> object:
    """A setting as it may be shown: `***` in place of passwords and keys."""
    if name == SECRET and value and not os.path.isfile(os.path.expanduser(str(value))):
        return "***"  # the key itself, perhaps with a slip
    return without_password(value) if isinstance(value, str) else value


def told_without_password(error: Exception, url: str) -> str:
    """What an error says about a wrong URL, or how to put it right if that shows a password."""
    text = str(error)
    secrets = [found[2] for found in _SECRET_FIELD.finditer(url)]
    secrets += [found[2] for found in _USER_AND_PASSWORD.finditer(url)]
    secrets += [found[1] for found in _NO_PORT.finditer(url)]
    # A parser that takes a character of the password for a separator names only a part of it.
    parts = {part for secret in secrets for part in re.split(r"[/?#@:%\[\]]", secret) if part}
    if any(part in text for part in parts):
        return ESCAPE_PASSWORD
    return text


def flag_name(name: str) -> str:
    """The command line flag of a field."""
    return "--" + name.replace("_", "-")


def variable_name(name: str) -> str:
    """The environment variable of a field."""
    return ENV_PREFIX + name.upper()


def _read_file(path: Path, *, required: bool) -> dict[str, Any]:
    if not path.exists():
        if required:
            raise ConfigError(f"there is no settings file {path}")
        return {}
    try:
        return TomlConfigSettingsSource(Settings, path)()
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read the settings in {path}: {error}") from error


def _describe(error: ValidationError, origins: Mapping[str, str]) -> str:
    problems = []
    for problem in error.errors():
        name = str(problem["loc"][0])
        if problem["type"] == "extra_forbidden":
            valid = ", ".join(Settings.model_fields)
            problems.append(f"no setting is called {name!r}; there are: {valid}")
        else:
            origin = f" ({origins[name]})" if name in origins else ""
            value = without_password(repr(shown_setting(name, problem["input"])))
            message = problem["msg"].removeprefix("Value error, ")
            problems.append(f"{name} = {value}{origin}: {message.lower()}")
    return "; ".join(problems)
