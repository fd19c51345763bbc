"""Settings: each one is defined once, with its name, default, check and help.

A value comes from a command line flag, else from a `SUSRACKER_…` environment variable, else from
`susracker.toml`, else from its default. Flags, variables, keys of the file, `--help` and
`susracker settings` are all made from the fields of `Settings`.
"""

from __future__ import annotations

import os
from ipaddress import ip_network
from typing import Annotated, Literal

from platformdirs import user_data_path
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from susracker.errors import ConfigError
from susracker.runtime.files import expanded

ENV_PREFIX = "SUSRACKER_"
SIGHTING: Literal["sighting"] = "sighting"
DEFAULT_DETECTOR = "cnn"
MAX_SHIFT = 5.0
"""Largest `threshold_shift`."""


def _check_networks(text: str) -> str:
    for part in split(text):
        try:
            ip_network(part)
        except ValueError as error:
            raise ValueError(f"not a network such as 10.0.0.0/24: {error}") from error
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


def _in_full(path: str) -> str:
    try:
        return str(expanded(path)) if path.startswith("~") else path
    except ConfigError as error:
        raise ValueError(str(error)) from error


PathText = Annotated[str, AfterValidator(_in_full)]
"""The path of a file or folder; `~` or `~user` at its beginning is a home folder."""


def split(text: str) -> list[str]:
    """The parts of a setting that holds several, separated by commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def default_store() -> str:
    """An SQLite file in the user's data directory, the same from every working directory."""
    return f"sqlite:///{(user_data_path('susracker') / 'susracker.db').as_posix()}"


def default_audit_key() -> str:
    """A file in the user's data directory."""
    return str(user_data_path("susracker") / "audit-key.pem")


def default_benchmark_file() -> str:
    """A file in the user's data directory."""
    return str(user_data_path("susracker") / "benchmark.json")


def default_workers() -> int:
    """One pool thread for each core that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def default_processes() -> int:
    """One process for each core, if there is more than one."""
    cores = default_workers()
    return cores if cores > 1 else 0


def _empty_is_zero(value: object) -> object:
    return 0 if value == "" else value


Days = Annotated[float, BeforeValidator(_empty_is_zero), Field(ge=0, le=36_500)]
"""A limit in days; 0, or nothing at all, is no limit."""


class Settings(BaseModel):
    """Every setting of susracker; the description of a field is its help."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    store: str = Field(
        default_factory=default_store,
        description="URL of the store of criminals, sightings and alerts, such as sqlite:///FILE "
        "or mongodb://HOST/DATABASE.",
    )
    data_key: str = Field(
        "",
        repr=False,
        description="File of the key that photos, templates and faces in the store are encrypted "
        "with, as `susracker keys new-data-key FILE` makes it (32 random bytes as base64, readable "
        "only by its owner). The variable may also hold the key itself, as base64:KEY. Empty: do "
        "not encrypt.",
    )
    detector: str = Field(
        DEFAULT_DETECTOR, description="What finds faces in a picture: cnn or hog."
    )
    encoder: str = Field(
        "dlib",
        description="Network that turns a face into a template: dlib, dlib-int8, or onnx:FILE for "
        "one of your own.",
    )
    matcher: str = Field(
        "exact",
        description="What searches the watch-list: exact, faiss, or a URL such as milvus:///FILE.",
    )
    cooldown: str = Field(
        "memory", description="What remembers recent alerts: memory, or a URL such as redis://HOST."
    )
    cooldown_seconds: float = Field(
        5.0,
        ge=0,
        le=86_400,
        description="How long the same person or activity on the same camera raises no other "
        "alert, in seconds; a passage raises one alert however long it lasts. 0: every match and "
        "activity raises one.",
    )
    target_fpir: float = Field(
        0.01,
        gt=0,
        lt=1,
        description="Share of strangers' passages that may raise an alert; it determines the "
        "threshold, together with the size of the watch-list.",
    )
    passage_seconds: float = Field(
        4.0,
        ge=0,
        le=600,
        description="How long a person may be out of one camera's sight and still be in the same "
        "passage, whose faces are decided on together, in seconds. 0: decide on each face alone.",
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
    finder_processes: int = Field(
        default_factory=default_processes,
        ge=0,
        le=256,
        description="How many processes find faces for the server, at most one per worker; each "
        "takes 80 MB. One per core is best, for Python alone would use little more than one core. "
        "0: the workers find them.",
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
    max_detection_megapixels: float = Field(
        25,
        gt=0,
        le=1000,
        description="Largest picture of a detection, in millions of pixels; max_megapixels limits "
        "it, too.",
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
    cert: PathText = Field(
        "", description="File of the server's TLS certificate and its chain, as PEM."
    )
    key: PathText = Field("", description="File of the private key of that certificate, as PEM.")
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
    last_seen_after: Literal["sighting", "confirmation"] = Field(
        SIGHTING,
        description="What moves the place and time where a person was last seen, and in MongoDB "
        "those that a panel shows: each sighting, or only an alert that people confirmed.",
    )
    record: PathText = Field(
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
    keep_alerts_days: Days = Field(
        0,
        description="How long alerts are kept, with their faces and judgements, in days; held "
        "alerts are kept for longer. 0: without a limit.",
    )
    keep_faces_days: Days = Field(
        0,
        description="How long the faces of alerts are kept, in days; the alerts stay without them. "
        "0: as long as the alerts.",
    )
    keep_sightings_days: Days = Field(
        0,
        description="How long sightings are kept, in days. 0: without a limit.",
    )
    keep_judgements_days: Days = Field(
        0,
        description="How long judgements of alerts are kept, in days; the alerts keep their "
        "status. 0: as long as the alerts.",
    )
    keep_expired_days: Days = Field(
        0,
        description="How long people are kept after they expire, in days; then they are removed. "
        "0: without a limit.",
    )
    keep_audit_days: Days = Field(
        0,
        description="How long entries of the audit log are kept, in days. 0: without a limit.",
    )
    audit_key: PathText = Field(
        default_factory=default_audit_key,
        description="File of the private key that signs the audit log; made when it is first "
        "needed. Servers that share a store share it.",
    )
    benchmark_file: PathText = Field(
        default_factory=default_benchmark_file,
        description="File of the figures that susracker benchmark --keep writes, and that the "
        "operators' page shows.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Lowest level of message to log."
    )
    log_format: Literal["text", "json"] = Field(
        "text",
        description="How the log is written: text for people, or one JSON object per line.",
    )


def flag_name(name: str) -> str:
    """The command line flag of a field."""
    return "--" + name.replace("_", "-")


def variable_name(name: str) -> str:
    """The environment variable of a field."""
    return ENV_PREFIX + name.upper()
