"""Which alerts go to which channel, as `susracker.toml` says it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from susracker.config import PathText
from susracker.errors import ConfigError
from susracker.models import Alert, AlertKind, Threat
from susracker.runtime.files import expanded

MQTT_PORTS = {"mqtt": 1883, "mqtts": 8883}
"""The usual port of each scheme."""

FILE = "file:"
"""Before the path of a file that holds a secret, in place of the secret itself."""

SECRET_PREFIX = "whsec_"  # nosec B105
SECRET_BYTES = (24, 64)
"""Fewest and most bytes of a secret, as Standard Webhooks says."""

ThreatOf = Callable[[str], Threat | None]
"""Finds the threat of a criminal by id; None for one who is not enrolled any more."""


def _read_secret(value: object) -> object:
    """The secret itself, or what a file holds."""
    if not isinstance(value, str) or not value.startswith(FILE):
        return value
    try:
        return expanded(value.removeprefix(FILE)).read_text(encoding="utf-8").strip()
    except (OSError, ValueError, ConfigError) as error:
        raise ValueError(f"cannot read {value}: {error}") from error


def _check_webhook_secret(value: str) -> str:
    try:
        length = len(signing_key(value))
    except binascii.Error:
        length = 0
    if not value.startswith(SECRET_PREFIX) or not SECRET_BYTES[0] <= length <= SECRET_BYTES[1]:
        raise ValueError("must be whsec_ and 24 to 64 random bytes as base64")
    return value


def signing_key(secret: str) -> bytes:
    """The bytes of a webhook's secret.

    Raises:
        binascii.Error: it is not base64.
    """
    return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)


def shown_url(url: str) -> str:
    """Where a URL leads; a secret may be anywhere in the rest of it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _check_http(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be like https://example.org/hook")
    if parts.username or parts.password:
        raise ValueError("must hold no password: put it into headers")
    return url


def _check_mqtt(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in MQTT_PORTS or not parts.hostname:
        raise ValueError("must be like mqtt://broker:1883 or, with TLS, mqtts://broker:8883")
    if parts.username or parts.password:
        raise ValueError("must hold no password: set username and password")
    return url


def _check_topic(topic: str) -> str:
    if not topic or set(topic) & set("+#\0") or topic.startswith("/") or topic.endswith("/"):
        raise ValueError("must be a topic without + and #, such as susracker")
    return topic


HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def _check_hours(hours: str) -> str:
    if not HOURS.fullmatch(hours):
        raise ValueError("must be like 22:00-06:00")
    return hours


Secret = Annotated[str, BeforeValidator(_read_secret)]
Texts = Annotated[list[str], BeforeValidator(_listed), Field(min_length=1)]
WebhookSecret = Annotated[Secret, AfterValidator(_check_webhook_secret)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ChannelOptions(_Table):
    """What every channel can be told.

    Attributes:
        per_minute: how many messages are sent in a minute; the rest are gathered into one. 0: no
            limit.
        stale_after: seconds after which an alert is no longer news.
        stale: what becomes of such an alert: it is marked, or left out.
        unreviewed_for: seconds that an alert waits for a review; it is sent only if there is none
            by then. 0: it is sent at once.
    """

    per_minute: int = Field(0, ge=0, le=10_000)
    stale_after: float = Field(300, gt=0, le=31_536_000)
    stale: Literal["mark", "skip"] = "mark"
    unreviewed_for: float = Field(0, ge=0, le=604_800)


class WebhookOptions(ChannelOptions):
    """A program that is told by HTTP.

    Attributes:
        secrets: what messages are signed with: the new and the old one while it is replaced.
        allow_private: whether the address may be one inside the network.
        ca: file of certificates, as PEM, in place of the authorities that browsers trust.
        pictures: how faces are sent that a rule asks for: in the message, as a signed link to this
            server, or not at all.
        pictures_at: how the receiver reaches this server.
        pictures_for: seconds after which a link ends.
    """

    kind: Literal["webhook"]
    url: Annotated[str, AfterValidator(_check_http)]
    secrets: Annotated[
        list[WebhookSecret], BeforeValidator(_listed), Field(min_length=1, max_length=2, repr=False)
    ]
    headers: dict[str, Secret] = Field(default_factory=dict, repr=False)
    allow_private: bool = False
    ca: PathText = ""
    pictures_at: Annotated[str, AfterValidator(_check_http)] = ""
    pictures: Literal["inline", "link", "none"] = "inline"
    pictures_for: int = Field(3600, ge=1, le=604_800)

    @field_validator("pictures")
    @classmethod
    def _check_pictures(cls, value: str, others: ValidationInfo) -> str:
        if value == "link" and not others.data.get("pictures_at"):
            raise ValueError("link needs pictures_at, such as https://susracker.example.org")
        return value


class MqttOptions(ChannelOptions):
    """A broker that passes messages on.

    Attributes:
        prefix: beginning of the topics.
        discovery: beginning of the topics that Home Assistant looks at; "" for none.
        double_take: whether matches are published in the shape of Double Take, too.
    """

    kind: Literal["mqtt"]
    url: Annotated[str, AfterValidator(_check_mqtt)]
    username: str = ""
    password: Secret = Field("", repr=False)
    version: Literal["3.1.1", "5"] = "5"
    prefix: Annotated[str, AfterValidator(_check_topic)] = "susracker"
    discovery: str = "homeassistant"
    double_take: bool = True
    ca: PathText = ""


class NotifyOptions(ChannelOptions):
    """People, by email, messenger or SMS.

    Attributes:
        urls: one of apprise's URLs for each recipient.
    """

    kind: Literal["notify"]
    urls: Annotated[list[Secret], BeforeValidator(_listed), Field(min_length=1, repr=False)]


AnyOptions = Annotated[WebhookOptions | MqttOptions | NotifyOptions, Field(discriminator="kind")]


class Rule(_Table):
    """Which alerts go to some channels: those for which everything holds that is said.

    Attributes:
        to: names of channels.
        kind: "face" or "activity".
        cameras: patterns of ids, as in `fnmatch`.
        threat: of the person.
        people: ids of criminals.
        hours: local time of day at which it occurred, such as 22:00-06:00.
        min_score: lowest score of a face.
        max_fpir: highest FPIR of a face.
        faces: whether the face is sent where the channel can carry it.
        reviews: whether the channel is told, too, what people say about those alerts.
    """

    to: Texts
    kind: AlertKind | None = None
    cameras: Texts = Field(default=["*"])
    threat: Annotated[list[Threat], BeforeValidator(_listed)] = Field(default=[])
    people: Annotated[list[str], BeforeValidator(_listed)] = Field(default=[])
    hours: Annotated[str, AfterValidator(_check_hours)] | None = None
    min_score: float | None = None
    max_fpir: float | None = Field(None, gt=0, le=1)
    faces: bool = False
    reviews: bool = False

    def matches(self, alert: Alert, threat_of: ThreatOf) -> bool:
        """Whether an alert is one of those."""
        return (
            self.kind in (None, alert.kind)
            and any(fnmatchcase(alert.camera_id, pattern) for pattern in self.cameras)
            and (not self.people or alert.criminal_id in self.people)
            and self._is_sure(alert)
            and (self.hours is None or _is_within(self.hours, alert.occurred_at))
            # Last: it is looked up.
            and (not self.threat or threat_of(alert.criminal_id or "") in self.threat)
        )

    def _is_sure(self, alert: Alert) -> bool:
        if self.min_score is not None and (alert.score is None or alert.score < self.min_score):
            return False
        fpir = alert.candidates[0].fpir if alert.candidates else None
        return self.max_fpir is None or (fpir is not None and fpir <= self.max_fpir)


def _is_within(hours: str, moment: datetime) -> bool:
    """Whether a moment is within hours of the local day, which may lie across midnight."""
    start, end = (time.fromisoformat(part) for part in hours.split("-"))
    now = moment.astimezone().time()
    return start <= now < end if start < end else now >= start or now < end


@dataclass(frozen=True, slots=True)
class Plan:
    """All channels by name, and the rules that lead to them."""

    channels: Mapping[str, AnyOptions]
    rules: tuple[Rule, ...]

    def rules_to(self, name: str) -> tuple[Rule, ...]:
        """The rules that lead to a channel."""
        return tuple(rule for rule in self.rules if name in rule.to)


class _Tables(_Table):
    channels: dict[Annotated[str, Field(pattern=r"^[\w.-]{1,50}$")], AnyOptions]
    rules: list[Rule]


def plan_of(tables: Mapping[str, Any]) -> Plan:
    """Check the tables `channels` and `rules` of a settings file.

    Raises:
        ConfigError: what is wrong in them; without their secrets.
    """
    try:
        found = TypeAdapter(_Tables).validate_python({"channels": {}, "rules": []} | dict(tables))
    except ValidationError as error:
        raise ConfigError("; ".join(_told(one) for one in error.errors())) from error
    plan = Plan(found.channels, tuple(found.rules))
    for number, rule in enumerate(plan.rules, 1):
        for name in set(rule.to) - plan.channels.keys():
            there = ", ".join(plan.channels) or "none"
            raise ConfigError(f"rules {number}: no channel is called {name!r}; there are: {there}")
    for name in plan.channels:
        if not plan.rules_to(name):
            raise ConfigError(f"channels.{name}: no rule leads to it: name it in `to` of [[rules]]")
    return plan


def _told(problem: Any) -> str:
    place = [one + 1 if isinstance(one, int) else one for one in problem["loc"]]
    if problem["type"] == "extra_forbidden":
        return f"{'.'.join(map(str, place))}: there is no such option"
    return f"{'.'.join(map(str, place))}: {problem['msg'].removeprefix('Value error, ').lower()}"
